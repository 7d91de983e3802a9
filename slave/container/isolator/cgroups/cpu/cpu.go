// Package cpu is cgroups/cpu: shares of CPU time, an upper limit by the
// kernel's quota (CFS), and how much was used. Imported by wiring.
package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Settings are --cgroups_enable_cfs, --revocable_cpu_low_priority and
// --cgroups_cpu_enable_pids_and_tids_count.
type Settings struct {
	// CFS limits containers without a limit of their own to what they requested.
	CFS bool
	// LowPriority gives revocable CPUs a tiny part of what others get.
	LowPriority bool
	// Count counts processes and threads, for which every one is listed.
	Count bool
}

// Isolator divides CPU time.
type Isolator struct {
	*cgroups.Place
	settings Settings
}

// New fails when the kernel cannot divide CPU time, or cannot limit it.
func New(t *cgroups.Tree, s Settings) (*Isolator, error) {
	p, err := t.Place("cgroups/cpu", "cpu", "cpuacct")
	if err != nil {
		return nil, err
	}
	quota := "cpu.cfs_quota_us"
	if t.Version() == 2 {
		quota = "cpu.max"
	}
	if base := p.Controllers[0].Base(); !cgroups.Exists(base, quota) {
		return nil, fmt.Errorf("cgroups/cpu: %s has no %s: the kernel lacks CONFIG_CFS_BANDWIDTH", base, quota)
	}
	return &Isolator{p, s}, nil
}

// What the kernel's quota is counted in.
const (
	period   = 100 * time.Millisecond
	minQuota = time.Millisecond
	maxQuota = 100000 * time.Second // beyond every machine, below what the kernel takes
)

// Prepare implements isolator.Isolator.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.PrepareAnd(ctx, c, p, func() error { return i.set(c) })
}

// Update implements isolator.Updater.
func (i *Isolator) Update(c *isolator.Container) error {
	if err := i.set(c); err != nil {
		return fmt.Errorf("cgroups/cpu: %w", err)
	}
	return nil
}

func (i *Isolator) set(c *isolator.Container) error {
	if c.Shared {
		return nil
	}
	dir := i.Dir(0, c)
	quota := i.quota(c.Amounts)
	if i.Unified() {
		return errors.Join(
			cgroups.Write(dir, "cpu.weight", strconv.FormatUint(i.weight(c.Amounts), 10)),
			cgroups.Write(dir, "cpu.max", quotaText(quota, "max")+" "+micros(period)))
	}
	return errors.Join(
		cgroups.Write(dir, "cpu.shares", strconv.FormatUint(i.shares(c.Amounts), 10)),
		limit1(c, dir, quota))
}

// shares are for version 1: 1024 for each CPU, at least 2.
func (i *Isolator) shares(a isolator.Amounts) uint64 {
	perCPU := 1024.0
	if a.Revocable && i.settings.LowPriority {
		perCPU = 10
	}
	// The kernel takes no more than 2^18.
	return uint64(min(max(perCPU*positive(a.CPUs), 2), 1<<18))
}

// weight is for version 2, whose range ends at 10,000: who has more than 100
// CPUs gets as much as who has 100.
func (i *Isolator) weight(a isolator.Amounts) uint64 {
	perCPU := 100.0
	if a.Revocable && i.settings.LowPriority {
		perCPU = 1
	}
	return uint64(min(max(perCPU*positive(a.CPUs), 1), 10000))
}

// positive is 0 for what is no amount.
func positive(x float64) float64 {
	if x > 0 {
		return x
	}
	return 0
}

// quota is how much of each period may be used; negative is without limit.
func (i *Isolator) quota(a isolator.Amounts) time.Duration {
	cpus := a.CPUs
	switch {
	case a.CPULimit != nil:
		cpus = *a.CPULimit
	case !i.settings.CFS:
		return -1
	}
	if math.IsInf(cpus, 1) {
		return -1
	}
	return time.Duration(min(max(positive(cpus)*float64(period), float64(minQuota)), float64(maxQuota)))
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func quotaText(d time.Duration, unlimited string) string {
	if d < 0 {
		return unlimited
	}
	return micros(d)
}

// limit1 is for version 1, which refuses a quota beyond that of the group above,
// and one below that of a group below. The smaller one counts in any case, so
// the other is taken away.
func limit1(c *isolator.Container, dir string, quota time.Duration) error {
	const file = "cpu.cfs_quota_us"
	if err := cgroups.Write(dir, "cpu.cfs_period_us", micros(period)); err != nil {
		return err
	}
	err := cgroups.Write(dir, file, quotaText(quota, "-1"))
	if !errors.Is(err, unix.EINVAL) || quota < 0 {
		return err
	}
	if err := unlimitBelow(dir, uint64(quota.Microseconds())); err != nil {
		return err
	}
	err = cgroups.Write(dir, file, quotaText(quota, "-1"))
	if errors.Is(err, unix.EINVAL) && len(c.ID) > 1 {
		return cgroups.Write(dir, file, "-1")
	}
	return err
}

func unlimitBelow(dir string, quota uint64) error {
	return cgroups.Walk(dir, func(below string) error {
		if below == dir {
			return nil
		}
		has, err := cgroups.Number(below, "cpu.cfs_quota_us")
		if err != nil || has == math.MaxUint64 || has <= quota {
			return err
		}
		return cgroups.Write(below, "cpu.cfs_quota_us", "-1")
	})
}
