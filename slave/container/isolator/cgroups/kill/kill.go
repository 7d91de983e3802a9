// Package kill ends every process of a container by its control group: the
// freezer's on version 1, cgroup.kill on version 2. It goes with every other
// isolator that takes an init, and is not named in --isolation. Imported by
// wiring.
package kill

import (
	"context"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Isolator ends containers.
type Isolator struct{ *cgroups.Place }

// New fails when there is no freezer.
func New(t *cgroups.Tree) (*Isolator, error) {
	p, err := t.Place("cgroups/kill", "freezer")
	if err != nil {
		return nil, err
	}
	return &Isolator{p}, nil
}

// Prepare has all programs of the container join its group.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	if err := i.Place.Prepare(ctx, c, p); err != nil {
		return err
	}
	p.Kill = i.Dir(0, c)
	return nil
}

// Kill implements isolator.Killer; nested containers end too.
func (i *Isolator) Kill(ctx context.Context, c *isolator.Container) error {
	return cgroups.Kill(ctx, i.Dir(0, c))
}
