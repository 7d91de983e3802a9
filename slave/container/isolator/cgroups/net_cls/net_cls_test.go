package netcls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
	"troupe/tools/cgrouptest/unshared"
)

func TestMain(m *testing.M) { os.Exit(cgrouptest.Main(m)) }

// Where version 1 is to be had and the machine does not mount it, its hierarchy is
// mounted for this test alone. It is the machine's while it is, so all is in one test.
func TestClasses(t *testing.T) {
	tree := cgrouptest.Tree(t)
	if tree.Version() == 2 {
		if _, err := New(tree, Settings{}); err == nil || !strings.Contains(err.Error(), "one of version 1 only") {
			t.Errorf("%v", err)
		}
		return
	}
	if has, err := tree.Controllers(); err != nil || slices.Contains(has, "net_cls") {
		if err == nil {
			err = sockets(t, tree)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	dir := t.TempDir()
	unshared.Run(t, func() {
		if err := mounted(dir, func() error { return classes(t, dir) }); err != nil {
			t.Error(err)
		}
	})
}

// mounted runs f with the hierarchy below dir, and sees that the kernel lets go of
// it.
func mounted(dir string, f func() error) error {
	at := dir + "/net_cls"
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("cgroup", at, "cgroup", 0, "net_cls"); err != nil {
		return err
	}
	err := f()
	err = errors.Join(err, cgroups.Remove(context.Background(), at+"/troupe-test"), unix.Unmount(at, 0))
	// While the kernel still removes groups, the hierarchy outlives its mount, until
	// it is unmounted once more.
	for pause := (cgroups.Pause{}); err == nil && bound(); err = pause.Wait(context.Background()) {
		if pause.Waited() > time.Minute {
			return errors.New("the hierarchy stays bound")
		}
		if unix.Mount("cgroup", at, "cgroup", 0, "net_cls") == nil {
			if err := unix.Unmount(at, 0); err != nil {
				return err
			}
		}
	}
	return err
}

// bound says whether any hierarchy has the subsystem.
func bound() bool {
	data, err := os.ReadFile("/proc/cgroups")
	return err == nil && !strings.Contains(string(data), "net_cls\t0\t")
}

func classes(t *testing.T, hierarchy string) error {
	tree, err := cgroups.Open(cgroups.Settings{Hierarchy: hierarchy, Root: "troupe-test"})
	if err != nil {
		return err
	}
	return given(t, tree)
}

// sockets of containers have the classes that were given.
func sockets(t *testing.T, tree *cgroups.Tree) error {
	claim, err := tree.Claim() // as an agent does
	if err != nil {
		return err
	}
	defer claim.Close()
	if err := given(t, tree); err != nil {
		return err
	}
	i, err := New(tree, Settings{Primary: 0x11})
	if err != nil {
		return err
	}
	for n := 1; n <= 2; n++ {
		p := cgrouptest.Prepare(t, &isolator.Container{ID: []string{strconv.Itoa(n)}}, i)
		out, err := cgrouptest.Start(t, p, "class").Wait(t)
		if want := fmt.Sprintf("0x11%04x\n", n); err != nil || out != want {
			t.Errorf("the class of a socket is %q, %v; want %q", out, err, want)
		}
	}
	out, err := cgrouptest.Start(t, &plan.Plan{}, "class").Wait(t)
	if err != nil || out != "0x0\n" {
		t.Errorf("outside: the class of a socket is %q, %v", out, err)
	}
	return nil
}

func given(t *testing.T, tree *cgroups.Tree) error {
	i, err := New(tree, Settings{Primary: 0x10, First: 1, Last: 2})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		id    []string
		class uint32
	}{{[]string{"a"}, 0x100001}, {[]string{"b"}, 0x100002}, {[]string{"a", "nested"}, 0x100001}} {
		box := &isolator.Container{ID: c.id}
		if err := i.Prepare(t.Context(), box, &plan.Plan{}); err != nil {
			return err
		}
		if class, err := i.Class(box); err != nil || class != c.class {
			t.Errorf("%v has class %#x, %v; want %#x", c.id, class, err, c.class)
		}
		var status mesos.ContainerStatus
		if err := i.Status(box, &status); err != nil || status.GetCgroupInfo().GetNetCls().GetClassid() != c.class {
			t.Errorf("%v tells %v, %v; want %#x", c.id, &status, err, c.class)
		}
	}
	third := &isolator.Container{ID: []string{"c"}}
	if err := i.Prepare(t.Context(), third, &plan.Plan{}); err == nil || !strings.Contains(err.Error(), "every class") {
		t.Errorf("a third: %v", err)
	}
	if err := i.Cleanup(t.Context(), &isolator.Container{ID: []string{"a"}}); err != nil {
		return err
	}
	if err := i.Prepare(t.Context(), third, &plan.Plan{}); err != nil {
		return err
	}
	if class, err := i.Class(third); err != nil || class != 0x100001 {
		t.Errorf("a class that was free again: %#x, %v", class, err)
	}
	var none mesos.ContainerStatus
	if err := i.Status(&isolator.Container{ID: []string{"nobody"}}, &none); err != nil || none.CgroupInfo != nil {
		t.Errorf("one that is not there tells %v, %v", &none, err)
	}
	return nil
}

func TestHandles(t *testing.T) {
	if _, err := New(cgrouptest.Tree(t), Settings{Primary: 1, First: 9, Last: 3}); err == nil || !strings.Contains(err.Error(), "secondary_handles") {
		t.Errorf("%v", err)
	}
}
