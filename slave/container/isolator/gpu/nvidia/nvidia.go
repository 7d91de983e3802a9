// Package nvidia gives containers whole GPUs: each to one container at a time,
// with the nodes of /dev that its programs need, and no others. Imported by
// wiring.
//
// What keeps programs from the GPUs of others is cgroups/devices, which comes
// after this isolator in the Set and allows what this one has planned. Which
// container has which GPU survives agents and hosts, as it is in a folder.
package nvidia

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "gpu/nvidia"

// Settings are the operator's.
type Settings struct {
	// Root has the machine's files; empty means "/".
	Root string
	// Claims is the folder that says which container has which GPU, absolute.
	Claims string
	// Devices are the places of the GPUs to give, in Discover's order
	// (--nvidia_gpu_devices); nil means all.
	Devices []int
	// Grant changes what devices the programs of a running container may open: has
	// are all that it has now, lost what it had before. Without it a container
	// keeps what it began with.
	Grant func(c *isolator.Container, has, lost []plan.Device) error
}

// Isolator gives GPUs. What it knows is in its folder of claims.
type Isolator struct {
	root    string
	gpus    []GPU
	control []plan.Device
	driver  []mount
	claims  claims
	grant   func(c *isolator.Container, has, lost []plan.Device) error
}

// New fails where the driver is missing, or a GPU that was named.
func New(s Settings) (*Isolator, error) {
	if s.Root == "" {
		s.Root = "/"
	}
	all, err := Discover(s.Root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: the driver has no GPU here, or is not loaded: %s", Name, filepath.Join(s.Root, gpusFolder))
	}
	i := &Isolator{root: s.Root, claims: claims{s.Claims}, grant: s.Grant}
	if i.gpus, err = Select(all, s.Devices); err != nil {
		return nil, err
	}
	if i.control, err = control(s.Root); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	if i.driver, err = driver(s.Root); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	if err := os.MkdirAll(i.claims.dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	return i, nil
}

// Count is how many GPUs there are to give.
func (i *Isolator) Count() int { return len(i.gpus) }

// Name is as --isolation has it.
func (i *Isolator) Name() string { return Name }

// Prepare claims as many GPUs as the container was given. Containers within
// another have that one's.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	has, err := i.held(c)
	if err != nil {
		return err
	}
	if len(c.ID) == 1 {
		before := has
		if has, err = i.fit(c, before); err != nil {
			return err
		}
		if err := i.giveBack(without(before, has)); err != nil {
			return err
		}
	}
	if len(has) == 0 {
		return nil
	}
	var names []string
	for _, g := range has {
		names = append(names, g.UUID)
	}
	p.Env = append(p.Env, "NVIDIA_VISIBLE_DEVICES="+strings.Join(names, ","))
	p.Devices = append(p.Devices, i.devices(has)...)
	if p.Root != "" {
		i.show(p)
	}
	return nil
}

// devices are the nodes that go with some GPUs: none for none.
func (i *Isolator) devices(gpus []GPU) []plan.Device {
	if len(gpus) == 0 {
		return nil
	}
	list := slices.Clone(i.control)
	for _, g := range gpus {
		list = append(list, g.Device)
	}
	return list
}

// held are the GPUs of a container, in order.
func (i *Isolator) held(c *isolator.Container) ([]GPU, error) {
	all, err := i.claims.all()
	if err != nil {
		return nil, err
	}
	var has []GPU
	for _, g := range i.gpus {
		if all[g.Bus] == outermost(c.ID) {
			has = append(has, g)
		}
	}
	return has, nil
}

// fit claims what is missing, and nothing if that cannot be had. What is too much
// it leaves out, the last first: they are the caller's to give back.
func (i *Isolator) fit(c *isolator.Container, has []GPU) ([]GPU, error) {
	want := c.Amounts.GPUs
	if len(has) >= want {
		return has[:want], nil
	}
	var taken []GPU
	for _, g := range i.gpus {
		if len(has)+len(taken) == want {
			break
		}
		ok, err := i.claims.take(g.Bus, outermost(c.ID))
		if err != nil {
			return nil, errors.Join(err, i.giveBack(taken))
		}
		if ok {
			taken = append(taken, g)
		}
	}
	if free := len(taken); len(has)+free < want {
		err := fmt.Errorf("gpus: %d wanted, %d of %d are free", want, len(has)+free, len(i.gpus))
		return nil, errors.Join(err, i.giveBack(taken))
	}
	has = append(slices.Clip(has), taken...)
	slices.SortFunc(has, func(a, b GPU) int { return strings.Compare(a.Bus, b.Bus) })
	return has, nil
}

func (i *Isolator) giveBack(gpus []GPU) error {
	var err error
	for _, g := range gpus {
		err = errors.Join(err, i.claims.drop(g.Bus))
	}
	return err
}

// Update claims and gives back what has changed. Containers within another have
// none of their own.
func (i *Isolator) Update(c *isolator.Container) error {
	if len(c.ID) > 1 {
		return nil
	}
	before, err := i.held(c)
	if err != nil || len(before) == c.Amounts.GPUs {
		return err
	}
	if i.grant == nil {
		return fmt.Errorf("gpus: container %s has %d and is to have %d, which only cgroups/devices can change while it runs", outermost(c.ID), len(before), c.Amounts.GPUs)
	}
	now, err := i.fit(c, before)
	if err != nil {
		return err
	}
	lost := without(before, now)
	devices := i.devices(lost)
	if len(now) > 0 && len(lost) > 0 {
		devices = devices[len(i.control):] // what all need it keeps
	}
	if err := i.grant(c, i.devices(now), devices); err != nil {
		return errors.Join(fmt.Errorf("gpus: %w", err), i.giveBack(without(now, before)))
	}
	return i.giveBack(lost)
}

// without is what of gpus is not in others.
func without(gpus, others []GPU) []GPU {
	var left []GPU
	for _, g := range gpus {
		if !slices.ContainsFunc(others, func(o GPU) bool { return o.Bus == g.Bus }) {
			left = append(left, g)
		}
	}
	return left
}

// Cleanup gives back what the container has.
func (i *Isolator) Cleanup(_ context.Context, c *isolator.Container) error {
	if len(c.ID) > 1 {
		return nil
	}
	has, err := i.held(c)
	if err != nil {
		return err
	}
	return i.giveBack(has)
}

// Recover finds the containers that have GPUs.
func (i *Isolator) Recover(context.Context) ([][]string, error) {
	all, err := i.claims.all()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var found [][]string
	for _, id := range slices.Compact(ids) {
		found = append(found, []string{id})
	}
	return found, nil
}
