package cgroups

import (
	"context"
	"errors"
	"fmt"

	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Place is what isolators here have in common: a name, and a folder per
// container with each of some controllers. It prepares, cleans up and recovers;
// isolators embed it and add what they do with the files.
type Place struct {
	name        string
	Controllers []*Controller
}

// Place finds controllers by their names of version 1. On version 2 those that
// are one there count once.
func (t *Tree) Place(name string, controllers ...string) (*Place, error) {
	p := &Place{name: name}
	for _, n := range controllers {
		c, err := t.Controller(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.Controllers = append(p.Controllers, c)
	}
	return p, nil
}

// Name implements isolator.Isolator.
func (p *Place) Name() string { return p.name }

// Unified says that control groups are those of version 2.
func (p *Place) Unified() bool { return p.Controllers[0].Unified() }

// Dir is the folder of a container with the i-th controller.
func (p *Place) Dir(i int, c *isolator.Container) string { return p.Controllers[i].Dir(c.ID) }

// Prepare makes the folders of a container and has its programs join them.
func (p *Place) Prepare(_ context.Context, c *isolator.Container, to *plan.Plan) error {
	before := len(to.Cgroups)
	for i, controller := range p.Controllers {
		if _, err := controller.Create(c.ID, to); err != nil {
			to.Cgroups = to.Cgroups[:before]
			return fmt.Errorf("%s: %w", p.name, errors.Join(err, p.undo(c, i)))
		}
	}
	return nil
}

// PrepareAnd is Prepare, and then set, which writes to the container's files. If that
// fails nothing is left.
func (p *Place) PrepareAnd(ctx context.Context, c *isolator.Container, to *plan.Plan, set func() error) error {
	before := len(to.Cgroups)
	if err := p.Prepare(ctx, c, to); err != nil {
		return err
	}
	if err := set(); err != nil {
		to.Cgroups = to.Cgroups[:before]
		return fmt.Errorf("%s: %w", p.name, errors.Join(err, p.undo(c, len(p.Controllers))))
	}
	return nil
}

func (p *Place) undo(c *isolator.Container, n int) error {
	var err error
	for _, controller := range p.Controllers[:n] {
		err = errors.Join(err, controller.undo(controller.Dir(c.ID)))
	}
	return err
}

// Cleanup implements isolator.Cleaner.
func (p *Place) Cleanup(ctx context.Context, c *isolator.Container) error {
	var err error
	for _, controller := range p.Controllers {
		err = errors.Join(err, controller.Cleanup(ctx, c.ID))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// Recover implements isolator.Recoverer.
func (p *Place) Recover(context.Context) ([][]string, error) {
	// They are made together: who has one folder only was left by a crash, and
	// has that of the first controller, which is made first.
	found, err := p.Controllers[0].Recover()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return found, nil
}
