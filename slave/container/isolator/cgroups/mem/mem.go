// Package mem is cgroups/mem: memory that is protected as far as it was
// requested, an upper limit, word of it when the kernel has killed for that, and
// how much is used. Imported by wiring.
package mem

import (
	"context"
	"fmt"
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Settings is --cgroups_limit_swap.
type Settings struct {
	// LimitSwap counts swapped memory against the limit.
	LimitSwap bool
}

// Isolator limits memory.
type Isolator struct {
	*cgroups.Place
	settings Settings
	total    uint64 // of the machine, in bytes
	swap     bool   // the machine had some when this began

	mu       sync.Mutex
	pressure map[string]*pressure // by folder; see pressure.go
	sweepAt  int                  // how many of them make it worth to look for those that are gone
	notify   *notifier            // of version 2; nil while nobody watches
}

// New fails when the kernel cannot limit memory, or not swap if that is wanted.
func New(t *cgroups.Tree, s Settings) (*Isolator, error) {
	p, err := t.Place("cgroups/mem", "memory")
	if err != nil {
		return nil, err
	}
	i := &Isolator{Place: p, settings: s, pressure: map[string]*pressure{}}
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		return nil, fmt.Errorf("cgroups/mem: sysinfo: %w", err)
	}
	i.total, i.swap = uint64(machine.Totalram)*uint64(machine.Unit), machine.Totalswap > 0
	swap := swapLimit1
	if i.Unified() {
		swap = "memory.swap.max"
	}
	if base := p.Controllers[0].Base(); s.LimitSwap && !cgroups.Exists(base, swap) {
		return nil, fmt.Errorf("cgroups/mem: --cgroups_limit_swap: %s has no %s: the kernel needs CONFIG_SWAP, and swapaccount=1 on its command line", base, swap)
	}
	return i, i.hierarchical()
}

// hierarchical has nested containers count in theirs on kernels before 5.11,
// where that is a choice.
func (i *Isolator) hierarchical() error {
	base := i.Controllers[0].Base()
	if i.Unified() || !cgroups.Exists(base, "memory.use_hierarchy") {
		return nil
	}
	if is, err := cgroups.Number(base, "memory.use_hierarchy"); err != nil || is == 1 {
		return err
	}
	return cgroups.Write(base, "memory.use_hierarchy", "1")
}

// Prepare implements isolator.Isolator.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	if err := i.PrepareAnd(ctx, c, p, func() error { return i.set(c, true) }); err != nil {
		return err
	}
	if score, ok := i.oomScore(c); ok {
		p.OOMScore = &score
	}
	return nil
}

// Update implements isolator.Updater. An upper limit is raised, but never
// lowered, as that could kill what was within it so far.
func (i *Isolator) Update(c *isolator.Container) error {
	if err := i.set(c, false); err != nil {
		return fmt.Errorf("cgroups/mem: %w", err)
	}
	return nil
}

// minimum of every limit, in bytes: less does not start a program.
const minimum = 32 << 20

// limits are the soft and the hard limit, in bytes; unlimited is the largest.
func limits(a isolator.Amounts) (soft, hard uint64) {
	soft = max(a.Mem, minimum)
	switch {
	case a.MemLimit == nil:
		return soft, soft
	case *a.MemLimit >= math.MaxInt64:
		return soft, unlimited
	case *a.MemLimit > minimum:
		return soft, uint64(*a.MemLimit)
	default:
		return soft, minimum
	}
}

const unlimited = math.MaxUint64

// oomScore has the kernel end those first that use more than they requested,
// when the machine has no memory left. Only who may use more is burstable.
func (i *Isolator) oomScore(c *isolator.Container) (int, bool) {
	soft, hard := limits(c.Amounts)
	if c.Shared || soft >= hard || i.total == 0 {
		return 0, false
	}
	return max(1000-int(1000*min(float64(soft)/float64(i.total), 1)), 0), true
}
