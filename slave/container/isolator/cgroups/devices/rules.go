package devices

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/plan"
)

// Rule allows something with devices.
type Rule struct {
	// Type is 'c' or 'b'.
	Type byte
	// Negative is any.
	Major, Minor int64
	// Access is of r, w and m (mknod), each once.
	Access string
}

// String is as devices.allow of version 1 has it.
func (r Rule) String() string {
	return fmt.Sprintf("%c %s:%s %s", r.Type, number(r.Major), number(r.Minor), r.Access)
}

func number(n int64) string {
	if n < 0 {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

// everybody has these: what programs expect, terminals, tunnels, and nodes, which
// open nothing by themselves.
var everybody = []Rule{
	{'c', -1, -1, "m"},
	{'b', -1, -1, "m"},
	{'c', 1, 3, "rwm"},    // null
	{'c', 1, 5, "rwm"},    // zero
	{'c', 1, 7, "rwm"},    // full
	{'c', 1, 8, "rwm"},    // random
	{'c', 1, 9, "rwm"},    // urandom
	{'c', 5, 0, "rwm"},    // tty
	{'c', 5, 1, "rwm"},    // console
	{'c', 4, 0, "rwm"},    // tty0
	{'c', 4, 1, "rwm"},    // tty1
	{'c', 136, -1, "rwm"}, // pts/*
	{'c', 5, 2, "rwm"},    // ptmx
	{'c', 10, 200, "rwm"}, // net/tun
}

// Rules reads --allowed_devices. A device is named by its path, which must exist.
func Rules(w *mesos.DeviceWhitelist) ([]Rule, error) {
	var rules []Rule
	for _, a := range w.GetAllowedDevices() {
		access := ""
		for _, x := range []struct {
			is     bool
			letter string
		}{{a.GetAccess().GetRead(), "r"}, {a.GetAccess().GetWrite(), "w"}, {a.GetAccess().GetMknod(), "m"}} {
			if x.is {
				access += x.letter
			}
		}
		path := a.GetDevice().GetPath()
		if access == "" {
			return nil, fmt.Errorf("--allowed_devices: %q: nothing is allowed: set read, write or mknod", path)
		}
		r, err := ofPath(path)
		if err != nil {
			return nil, fmt.Errorf("--allowed_devices: %w", err)
		}
		r.Access = access
		rules = append(rules, r)
	}
	return rules, nil
}

func ofPath(path string) (Rule, error) {
	var s unix.Stat_t
	if !strings.HasPrefix(path, "/") {
		return Rule{}, fmt.Errorf("device path %q is not absolute", path)
	}
	if err := unix.Stat(path, &s); err != nil {
		return Rule{}, fmt.Errorf("device %s: %w", path, err)
	}
	return numbered(path, s.Mode, unix.Major(s.Rdev), unix.Minor(s.Rdev))
}

func numbered(path string, mode, major, minor uint32) (Rule, error) {
	r := Rule{Type: 'c', Major: int64(major), Minor: int64(minor)}
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR:
	case unix.S_IFBLK:
		r.Type = 'b'
	default:
		return Rule{}, fmt.Errorf("%s is no device", path)
	}
	return r, nil
}

// planned are the devices that isolators before have put into a plan.
func planned(p *plan.Plan) ([]Rule, error) {
	var rules []Rule
	for _, d := range p.Devices {
		r, err := numbered(d.Path, d.Mode, d.Major, d.Minor)
		if err != nil {
			return nil, err
		}
		r.Access = "rwm"
		rules = append(rules, r)
	}
	return rules, nil
}
