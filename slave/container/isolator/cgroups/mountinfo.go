package cgroups

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// mount is one of control groups.
type mount struct {
	point    string
	unified  bool
	readOnly bool
	// subsystems of version 1 that are bound to it.
	subsystems []string
}

// parseMountinfo finds the mounts of control groups in /proc/PID/mountinfo; see
// proc(5). Lines of other file systems are not looked into.
func parseMountinfo(data []byte) ([]mount, error) {
	var found []mount
	for line := range bytes.Lines(data) {
		before, after, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " - ")
		if !ok {
			if strings.TrimSpace(string(line)) == "" {
				continue
			}
			return nil, fmt.Errorf("mountinfo: no separator in %q", line)
		}
		tail := strings.Fields(after)
		if len(tail) == 0 || tail[0] != "cgroup" && tail[0] != "cgroup2" {
			continue
		}
		head := strings.Fields(before)
		if len(head) < 6 || len(tail) < 3 {
			return nil, fmt.Errorf("mountinfo: too few fields in %q", line)
		}
		super := strings.Split(tail[2], ",")
		// What is mounted over another hides it.
		found = slices.DeleteFunc(found, func(m mount) bool { return m.point == unescape(head[4]) })
		found = append(found, mount{
			point:      unescape(head[4]),
			unified:    tail[0] == "cgroup2",
			readOnly:   slices.Contains(strings.Split(head[5], ","), "ro") || slices.Contains(super, "ro"),
			subsystems: super,
		})
	}
	return found, nil
}

// unescape turns the octal escapes of mountinfo into what they stand for.
func unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
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
