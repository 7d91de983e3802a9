package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// always are parts of every group of version 2, and are not enabled.
var always = []string{"", "freezer", "cpuacct", "devices", "perf_event"}

// renamed are subsystems that version 2 has by another name.
var renamed = map[string]string{"blkio": "io"}

func (t *Tree) controller2(name string) (*Controller, error) {
	m := t.unified
	if m.readOnly {
		return nil, readOnly(name, m)
	}
	if to, ok := renamed[name]; ok {
		name = to
	}
	if slices.Contains(always, name) {
		name = ""
	}
	if name != "" {
		has, err := enabled(m.point, "cgroup.controllers")
		if err != nil {
			return nil, fmt.Errorf("cgroups: %w", err)
		}
		if !slices.Contains(has, name) {
			return nil, fmt.Errorf("cgroups: version 2 at %s has no controller %s (it has %s): %s",
				m.point, name, strings.Join(has, ", "), t.absent(name))
		}
	}
	c := &Controller{tree: t, name: name, base: filepath.Join(m.point, t.settings.Root)}
	if err := c.enableDown(m.point); err != nil {
		return nil, fmt.Errorf("cgroups: the root folder of containers: %w", err)
	}
	return c, nil
}

// absent says why version 2 lacks a controller.
func (t *Tree) absent(name string) string {
	if m := holder(t.mounts, name, t.settings.Hierarchy); m != nil {
		return fmt.Sprintf("version 1 holds it at %s; start the kernel with cgroup_no_v1=%s", m.point, name)
	}
	if name == "net_cls" || name == "net_prio" {
		return "it is one of version 1 only"
	}
	return "the kernel lacks it, has it disabled, or it is not delegated to this group"
}

// enableDown makes the folders from a mount to the root folder of containers,
// and enables the controller in all of them. Others are left as they are: they
// are the operator's, or systemd's.
func (c *Controller) enableDown(point string) error {
	at := point
	for part := range strings.SplitSeq(c.tree.settings.Root, "/") {
		if err := c.enable(at); err != nil {
			return err
		}
		at = filepath.Join(at, part)
		if err := mkdir(at); err != nil {
			return err
		}
	}
	return c.enable(at)
}

// enable lets groups below dir have the controller.
func (c *Controller) enable(dir string) error {
	if c.name == "" {
		return nil
	}
	has, err := enabled(dir, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	if slices.Contains(has, c.name) {
		return nil
	}
	err = Write(dir, "cgroup.subtree_control", "+"+c.name)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%s has processes of its own, and such a group cannot give %s to groups below it: choose another --cgroups_root: %w", dir, c.name, err)
	}
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s is not given %s by the group above it: %w", dir, c.name, err)
	}
	return err
}

func enabled(dir, file string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(data))
	slices.Sort(names)
	return names, nil
}
