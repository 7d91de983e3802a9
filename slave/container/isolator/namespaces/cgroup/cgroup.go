// Package cgroup gives containers cgroup namespaces: in /proc/self/cgroup, and in
// hierarchies that they mount, their own cgroups are the root, and others have no
// names. Imported by wiring.
package cgroup

import (
	"context"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "namespaces/cgroup"

// Isolator keeps no state: the kernel ends a namespace with its last process.
type Isolator struct{}

// New fails where the kernel has no cgroup namespaces (Linux 4.6 has), or makes none
// for this process.
func New() (*Isolator, error) {
	if err := namespaces.Check(Name, "cgroup"); err != nil {
		return nil, err
	}
	return &Isolator{}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare never fails. Each program makes its namespace when it is in its cgroups.
func (*Isolator) Prepare(_ context.Context, _ *isolator.Container, p *plan.Plan) error {
	p.New |= plan.NewCgroup
	return nil
}
