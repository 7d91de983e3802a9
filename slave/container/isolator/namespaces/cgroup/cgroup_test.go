package cgroup

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

// TestOwnCgroupIsTheRoot for who is in the namespace, and has its name without.
func TestOwnCgroupIsTheRoot(t *testing.T) {
	i, err := New()
	if err != nil || i.Name() != "namespaces/cgroup" {
		t.Fatal(i.Name(), err)
	}
	name := fmt.Sprintf("troupe-test-cgroupns-%d", os.Getpid())
	folder := "/sys/fs/cgroup/freezer/" + name
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(folder); err != nil {
			t.Error(err)
		}
	})
	p := plan.Plan{Cgroups: []string{folder}}
	const ask = "grep :freezer: /proc/self/cgroup"
	if got := isolatortest.Shell(t, &p, 0, ask).Stdout; !strings.HasSuffix(got, ":freezer:/"+name+"\n") {
		t.Errorf("without: %q", got)
	}
	if err := i.Prepare(context.Background(), &isolator.Container{}, &p); err != nil {
		t.Fatal(err)
	}
	if got := isolatortest.Shell(t, &p, 0, ask).Stdout; !strings.HasSuffix(got, ":freezer:/\n") {
		t.Errorf("inside: %q", got)
	}
}
