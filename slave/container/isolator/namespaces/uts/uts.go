// Package uts gives containers host names of their own. Imported by wiring.
package uts

import (
	"context"

	"troupe/messages/field"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "namespaces/uts"

// maxHostname is __NEW_UTS_LEN of the kernel.
const maxHostname = 64

// Isolator keeps no state: the kernel ends a namespace with its last process.
type Isolator struct{}

// New fails where the kernel has no UTS namespaces, or makes none for this process.
func New() (*Isolator, error) {
	if err := namespaces.Check(Name, "uts"); err != nil {
		return nil, err
	}
	return &Isolator{}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare makes a namespace for every container that is not within another, and for
// one that names its host. Errors name the field.
func (*Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	name := c.Info.GetHostname()
	if len(name) > maxHostname {
		return field.Invalid("container.hostname", name, "has %d bytes; at most %d", len(name), maxHostname)
	}
	if name == "" && c.Parent != nil {
		return nil
	}
	p.New |= plan.NewUTS
	p.Hostname = name
	return nil
}
