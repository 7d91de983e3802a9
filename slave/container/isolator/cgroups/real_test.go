package cgroups

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest/unshared"
)

// This machine's control groups, mounted read-only: refused by name.
func TestReadOnlyMount(t *testing.T) {
	unshared.Run(t, func() {
		tree, err := Open(settings())
		if err != nil {
			t.Error(err)
			return
		}
		at := "/sys/fs/cgroup"
		if tree.Version() == 1 {
			at = holder(tree.mounts, "memory", at).point
		}
		if err := unix.Mount(at, at, "", unix.MS_BIND, ""); err != nil {
			t.Error(err)
		}
		if err := unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Error(err)
		}
		if tree, err = Open(settings()); err != nil {
			t.Error(err)
			return
		}
		if _, err := tree.Controller("memory"); err == nil || !strings.Contains(err.Error(), "mounted read-only at "+at+": make it writable (mount -o remount,rw "+at+")") {
			t.Errorf("%v", err)
		}
	})
}

func TestNoneMounted(t *testing.T) {
	unshared.Run(t, func() {
		if err := unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
		if _, err := Open(settings()); err == nil || !strings.Contains(err.Error(), "none are mounted") {
			t.Errorf("%v", err)
		}
	})
}

// A nested root folder, groups within groups, and nothing left of them; with
// what the operator has beside them as it was.
func TestCreate(t *testing.T) {
	tree, err := Open(Settings{Hierarchy: "/sys/fs/cgroup", Root: "troupe-test-create/" + filepath.Base(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tree.Controller("memory")
	if err != nil {
		t.Fatal(err)
	}
	top := filepath.Dir(c.Base())
	t.Cleanup(func() {
		if err := Remove(context.Background(), top); err != nil {
			t.Error(err)
		}
	})
	p := &plan.Plan{}
	dir, err := c.Create([]string{"a", "b"}, p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Create([]string{"a", "b"}, p)
	if err != nil || again != dir || !slices.Equal(p.Cgroups, []string{c.Procs([]string{"a", "b"})}) {
		t.Errorf("again: %s, %v, %v", again, err, p.Cgroups)
	}
	if !Exists(dir, "memory.stat") || !Exists(p.Cgroups[0], "cgroup.procs") {
		t.Error("the controller is not there")
	}
	if _, err := c.Create([]string{"a", "../b"}, p); err == nil {
		t.Error("an id that is a path")
	}
	if err := os.Mkdir(c.Base()+"/"+Trial+"1", 0o755); err != nil {
		t.Fatal(err)
	}
	if found, err := c.Recover(); err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if err := errors.Join(c.Cleanup(t.Context(), []string{"a"}), os.Remove(c.Base()+"/"+Trial+"1")); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(c.Base()); err != nil || slices.ContainsFunc(entries, os.DirEntry.IsDir) {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestAll(t *testing.T) {
	tree, err := Open(settings())
	if err != nil {
		t.Fatal(err)
	}
	names, err := tree.All()
	if err != nil || !slices.Contains(names, "cgroups/cpu") || !slices.Contains(names, "cgroups/blkio") || names[len(names)-1] != "cgroups/devices" {
		t.Errorf("%v, %v", names, err)
	}
}
