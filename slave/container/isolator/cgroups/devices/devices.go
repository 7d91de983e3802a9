// Package devices is cgroups/devices: which devices the programs of a container
// may open, whoever they run as and whatever nodes they make. Imported by wiring.
//
// Devices that isolators before it in the Set have planned are allowed too, so it
// comes after them.
package devices

import (
	"context"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Isolator allows devices.
type Isolator struct {
	*cgroups.Place
	allowed []Rule
}

// New allows some devices beside those that everybody has.
func New(t *cgroups.Tree, allowed []Rule) (*Isolator, error) {
	p, err := t.Place("cgroups/devices", "devices")
	if err != nil {
		return nil, err
	}
	i := &Isolator{p, append(slices.Clone(everybody), allowed...)}
	if i.Unified() {
		if err := tryFilter(p.Controllers[0].Base()); err != nil {
			return nil, fmt.Errorf("cgroups/devices: filters of devices (eBPF) do not work here; the kernel needs CONFIG_CGROUP_BPF, and the agent CAP_BPF and CAP_NET_ADMIN: %w", err)
		}
	}
	return i, nil
}

// Prepare implements isolator.Isolator. Nested containers have what the one
// around them has.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.PrepareAnd(ctx, c, p, func() error {
		if len(c.ID) > 1 {
			return nil
		}
		rules, err := planned(p)
		if err != nil {
			return err
		}
		return i.allow(i.Dir(0, c), append(rules, i.allowed...))
	})
}

func (i *Isolator) allow(dir string, rules []Rule) error {
	if i.Unified() {
		return filter(dir, rules)
	}
	if err := cgroups.Write(dir, "devices.deny", "a"); err != nil {
		return err
	}
	for _, r := range rules {
		if err := cgroups.Write(dir, "devices.allow", r.String()); err != nil {
			return err
		}
	}
	return nil
}

// tryFilter sets one in a group of its own.
func tryFilter(base string) error {
	dir, err := os.MkdirTemp(base, cgroups.Trial)
	if err != nil {
		return err
	}
	err = filter(dir, everybody)
	if rerr := unix.Rmdir(dir); err == nil {
		err = rerr
	}
	return err
}
