package linux

import (
	"context"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

// TestMountsStayInside a container, and are the machine's without the isolator.
func TestMountsStayInside(t *testing.T) {
	i, err := New()
	if err != nil || i.Name() != "filesystem/linux" {
		t.Fatal(i.Name(), err)
	}
	var p plan.Plan
	if err := i.Prepare(context.Background(), &isolator.Container{}, &p); err != nil {
		t.Fatal(err)
	}
	place := t.TempDir()
	script := "mount -t tmpfs inside " + place + " && touch " + place + "/file && ls " + place
	if r := isolatortest.Shell(t, &p, 0, script); r.Code != 0 || r.Stdout != "file\n" {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(place); err != nil || len(left) != 0 {
		t.Errorf("outside there is %v, %v", left, err)
	}
	r := isolatortest.Shell(t, &plan.Plan{NoNewPrivileges: true}, 0, script)
	if _, err := os.Stat(place + "/file"); r.Code != 0 || err != nil {
		t.Errorf("without the isolator: %+v, %v", r, err)
	}
	if err := unix.Unmount(place, 0); err != nil {
		t.Error(err)
	}
}

// TestNothingPropagatesToTheMachine: no mount of a container is shared with it.
func TestNothingPropagatesToTheMachine(t *testing.T) {
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var p plan.Plan
	if err := i.Prepare(context.Background(), &isolator.Container{}, &p); err != nil {
		t.Fatal(err)
	}
	r := isolatortest.Shell(t, &p, 0, "grep -c shared: /proc/self/mountinfo; exit 0")
	if r.Stdout != "0\n" {
		t.Errorf("%s mounts would propagate to the machine", r.Stdout)
	}
}
