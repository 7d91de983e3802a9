package cgroups

import (
	"fmt"
	"slices"
	"strings"

	"troupe/slave/container/mountinfo"
)

// mount is one of control groups.
type mount struct {
	point    string
	unified  bool
	readOnly bool
	// subsystems of version 1 that are bound to it.
	subsystems []string
}

// parseMountinfo finds the mounts of control groups in /proc/PID/mountinfo.
func parseMountinfo(data []byte) ([]mount, error) {
	all, err := mountinfo.Parse(data)
	if err != nil {
		return nil, err
	}
	var found []mount
	for _, m := range all {
		if m.Type != "cgroup" && m.Type != "cgroup2" {
			continue
		}
		if len(m.Super) == 0 {
			return nil, fmt.Errorf("mountinfo: control groups at %q have no options", m.Point)
		}
		// What is mounted over another hides it.
		found = slices.DeleteFunc(found, func(hidden mount) bool { return hidden.point == m.Point })
		found = append(found, mount{
			point:      m.Point,
			unified:    m.Type == "cgroup2",
			readOnly:   slices.Contains(m.Options, "ro") || slices.Contains(m.Super, "ro"),
			subsystems: m.Super,
		})
	}
	return found, nil
}

// holder is the mount of a subsystem of version 1: below the folder within if
// there is one there.
func holder(mounts []mount, subsystem, within string) *mount {
	var found *mount
	for i := range mounts {
		m := &mounts[i]
		if m.unified || !slices.Contains(m.subsystems, subsystem) {
			continue
		}
		if strings.HasPrefix(m.point, within+"/") {
			return m
		}
		if found == nil {
			found = m
		}
	}
	return found
}

// unified is where version 2 is: at the folder at, or anywhere when no
// subsystem is bound to version 1.
func unified(mounts []mount, at string) *mount {
	var found *mount
	bound := false
	for i := range mounts {
		m := &mounts[i]
		switch {
		case m.unified && m.point == at:
			return m
		case m.unified && found == nil:
			found = m
		case !m.unified && !slices.ContainsFunc(m.subsystems, func(s string) bool { return strings.HasPrefix(s, "name=") }):
			bound = true
		}
	}
	if bound {
		return nil
	}
	return found
}
