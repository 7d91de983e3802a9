// Package pids is cgroups/pids: how many processes and threads a container may
// have, so that a fork bomb is its own trouble only. Imported by wiring.
package pids

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Settings is --cgroups_max_pids.
type Settings struct {
	// Max processes and threads of a container, with those in it; 0 is without
	// limit, as Mesos has it.
	Max uint64
}

// Isolator limits processes.
type Isolator struct {
	*cgroups.Place
	settings Settings
}

// New fails when the kernel cannot count processes.
func New(t *cgroups.Tree, s Settings) (*Isolator, error) {
	p, err := t.Place("cgroups/pids", "pids")
	if err != nil {
		return nil, err
	}
	if s.Max > math.MaxInt32 {
		return nil, fmt.Errorf("cgroups/pids: --cgroups_max_pids=%d: at most %d, or 0 for no limit", s.Max, math.MaxInt32)
	}
	return &Isolator{p, s}, nil
}

// Prepare implements isolator.Isolator. Nested containers are within the limit of
// the one around them; one that does not share has as high a limit of its own.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.PrepareAnd(ctx, c, p, func() error {
		if i.settings.Max == 0 || c.Shared {
			return nil
		}
		return cgroups.Write(i.Dir(0, c), "pids.max", strconv.FormatUint(i.settings.Max, 10))
	})
}

// Usage implements isolator.Meter: the kernel counts threads, of which each
// process has one at least.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	n, err := cgroups.Number(i.Dir(0, c), "pids.current")
	if cgroups.IsGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups/pids: %w", err)
	}
	if u.Threads == nil {
		threads := uint32(n)
		u.Threads = &threads
	}
	return nil
}
