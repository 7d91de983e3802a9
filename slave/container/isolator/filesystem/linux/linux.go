// Package linux gives containers mount namespaces: what is mounted in one, nobody
// else sees, while mounts of the machine still appear in it. It is what volumes, and
// namespaces/pid, mount in. Imported by wiring.
package linux

import (
	"context"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "filesystem/linux"

// Isolator keeps no state: the kernel unmounts what was mounted in a namespace when
// that ends.
type Isolator struct{}

// New fails where the kernel has no mount namespaces, or makes none for this process.
func New() (*Isolator, error) {
	if err := namespaces.Check(Name, "mnt"); err != nil {
		return nil, err
	}
	return &Isolator{}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare never fails.
func (*Isolator) Prepare(_ context.Context, _ *isolator.Container, p *plan.Plan) error {
	p.New |= plan.NewMount
	return nil
}
