// Package hugetlb is cgroups/hugetlb: each container has a group there, whose huge
// pages operators may limit. Imported by wiring.
package hugetlb

import "troupe/slave/container/isolator/cgroups"

// Isolator places containers.
type Isolator struct{ *cgroups.Place }

// New fails when the kernel does not count huge pages.
func New(t *cgroups.Tree) (*Isolator, error) {
	p, err := t.Place("cgroups/hugetlb", "hugetlb")
	if err != nil {
		return nil, err
	}
	return &Isolator{p}, nil
}
