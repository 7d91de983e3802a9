// Package cpuset is cgroups/cpuset: each container has a group there, with all
// CPUs and memory nodes of the group above, that operators may narrow. Imported
// by wiring.
package cpuset

import "troupe/slave/container/isolator/cgroups"

// Isolator places containers.
type Isolator struct{ *cgroups.Place }

// New fails when the kernel has no cpusets.
func New(t *cgroups.Tree) (*Isolator, error) {
	p, err := t.Place("cgroups/cpuset", "cpuset")
	if err != nil {
		return nil, err
	}
	return &Isolator{p}, nil
}
