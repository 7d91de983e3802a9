package cgroups

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deep makes as many groups in one another as have a path beyond what the kernel
// takes.
func deep(t *testing.T, dir string, parts ...string) {
	t.Helper()
	at, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for length := 0; length < 2*unix.PathMax; {
		for _, part := range parts {
			if err := unix.Mkdirat(at, part, 0o755); err != nil {
				t.Fatal(err)
			}
			next, err := unix.Openat(at, part, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			unix.Close(at)
			at, length = next, length+len(part)+1
		}
	}
	unix.Close(at)
}

// TestDeepGroups: groups that a program made in its own, deeper than a path can say,
// end with its container.
func TestDeepGroups(t *testing.T) {
	tree, err := Open(Settings{Hierarchy: "/sys/fs/cgroup", Root: fmt.Sprintf("troupe-test-deep-%d", os.Getpid())})
	if err != nil {
		t.Fatal(err)
	}
	name := "freezer"
	if tree.Version() == 2 {
		name = ""
	}
	c, err := tree.Controller(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Remove(context.Background(), c.Base()); err != nil {
			t.Error(err)
		}
	})
	base := c.Dir([]string{"deep"})
	if err := mkdir(base); err != nil {
		t.Fatal(err)
	}
	deep(t, base, nested, strings.Repeat("x", 255))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if found, err := containersIn(c.Base(), nil); err != nil || len(found) == 0 || len(found) > longPath/255 {
		t.Errorf("%d containers were found, %v", len(found), err)
	}
	groups := 0
	if err := Walk(base, func(string) error { groups++; return nil }); err != nil || groups <= 2*unix.PathMax/255 {
		t.Errorf("%d groups, %v", groups, err)
	}
	if err := Kill(ctx, base); err != nil {
		t.Error(err)
	}
	if err := Remove(ctx, base); err != nil {
		t.Error(err)
	}
	if Exists(base, "") {
		t.Error("it is there")
	}
}
