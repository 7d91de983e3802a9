package devices

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Grant changes what devices the programs of a running container may open, beside
// those that everybody has and that the operator allows: has are all that it has
// now, lost what it had before. What is open stays open. Containers within it lose
// with it; of what it gains, on version 1, only those that begin later have a
// part.
func (i *Isolator) Grant(c *isolator.Container, has, lost []plan.Device) error {
	now, err := planned(&plan.Plan{Devices: has})
	if err != nil {
		return fmt.Errorf("cgroups/devices: %w", err)
	}
	gone, err := planned(&plan.Plan{Devices: lost})
	if err == nil {
		err = i.change(i.Dir(0, c), now, gone)
	}
	if err != nil {
		return fmt.Errorf("cgroups/devices: %w", err)
	}
	return nil
}

func (i *Isolator) change(dir string, now, gone []Rule) error {
	if i.Unified() {
		return refilter(dir, append(now, i.allowed...))
	}
	for _, r := range gone {
		if err := cgroups.Write(dir, "devices.deny", r.String()); err != nil {
			return err
		}
	}
	// Of what was denied the operator may have allowed some to everybody.
	for _, r := range append(now, i.allowed...) {
		if err := cgroups.Write(dir, "devices.allow", r.String()); err != nil {
			return err
		}
	}
	return nil
}

// refilter puts a filter in the place of those that are there. For a moment both
// are asked, so that no more is allowed than by either.
func refilter(dir string, rules []Rule) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	target := int(d.Fd())
	old, err := link.QueryPrograms(link.QueryOptions{Target: target, Attach: ebpf.AttachCGroupDevice})
	if err != nil {
		return fmt.Errorf("device filters of %s: %w", dir, err)
	}
	if err := filter(dir, rules); err != nil {
		return err
	}
	for _, p := range old.Programs {
		if err := detach(target, p.ID); err != nil {
			return fmt.Errorf("device filter %d of %s: %w", p.ID, dir, err)
		}
	}
	return nil
}

func detach(target int, id ebpf.ProgramID) error {
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return err
	}
	err = link.RawDetachProgram(link.RawDetachProgramOptions{Target: target, Program: p, Attach: ebpf.AttachCGroupDevice})
	return errors.Join(err, p.Close())
}
