package cgroups

import "slices"

// All is what cgroups/all stands for here: the names of isolators whose
// controllers this machine has, in the order in which they are best prepared.
func (t *Tree) All() ([]string, error) {
	has, err := t.Controllers()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, i := range isolators {
		c := i.needs
		if t.Version() == 2 {
			if to, ok := renamed[c]; ok {
				c = to
			}
		}
		if slices.Contains(has, c) || t.Version() == 2 && slices.Contains(always, c) {
			names = append(names, i.name)
		}
	}
	return names, nil
}

// isolators and a controller that each of them needs. cgroups/devices is last, as
// it allows what others have planned.
var isolators = []struct{ name, needs string }{
	{"cgroups/cpu", "cpu"},
	{"cgroups/mem", "memory"},
	{"cgroups/pids", "pids"},
	{"cgroups/blkio", "blkio"},
	{"cgroups/cpuset", "cpuset"},
	{"cgroups/hugetlb", "hugetlb"},
	{"cgroups/net_cls", "net_cls"},
	{"cgroups/perf_event", "perf_event"},
	{"cgroups/devices", "devices"},
}
