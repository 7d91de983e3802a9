// Package du is the isolator disk/du: it measures what sandboxes and persistent
// volumes take of the disk, now and then, and ends containers that have more
// than their quota if it is told to. It can be slow to notice; what must not
// be exceeded takes disk/xfs. Imported by wiring.
package du

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/isolator/disk/walk"
	"troupe/slave/container/plan"
)

// Options of the isolator.
type Options struct {
	// Records is where the host that holds a container writes what it has measured,
	// for the agent.
	Records disk.Records
	// Interval is that between two measurements of one folder, at least.
	Interval time.Duration
	// Enforce ends containers that use more than their quota.
	Enforce bool
	// Failed is told of measurements that failed, from any goroutine; may be nil.
	Failed func(error)
}

// Isolator is disk/du.
type Isolator struct {
	o     Options
	meter *meter
}

// New refuses options that cannot be, and kernels before 5.6.
func New(o Options) (*Isolator, error) {
	if o.Interval <= 0 {
		return nil, field.Invalid("container_disk_watch_interval", o.Interval, "must be positive")
	}
	if !filepath.IsAbs(o.Records.Dir) {
		return nil, fmt.Errorf("disk/du: %q is no absolute path", o.Records.Dir)
	}
	w, err := walk.Begin("/", nil)
	if err != nil {
		return nil, fmt.Errorf("disk/du: the kernel must have openat2 (Linux 5.6): %w", err)
	}
	if err := w.End(); err != nil {
		return nil, fmt.Errorf("disk/du: %w", err)
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	return &Isolator{o: o, meter: newMeter(o)}, nil
}

// Name is as --isolation has it.
func (i *Isolator) Name() string { return "disk/du" }

// Prepare makes the container known to the agent.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, _ *plan.Plan) error {
	return i.Update(c)
}

// Update changes quotas and volumes.
func (i *Isolator) Update(c *isolator.Container) error {
	if err := i.meter.update(c); err != nil {
		return fmt.Errorf("disk/du: %w", err)
	}
	return nil
}

// Watch measures the container from now on, whether or not quotas are enforced.
func (i *Isolator) Watch(ctx context.Context, c *isolator.Container, limited func(*isolator.Limit)) error {
	h := i.meter.hold(c, limited)
	context.AfterFunc(ctx, func() { i.meter.release(h) })
	return nil
}

// Check says whether more was used than may be when it was last measured.
func (i *Isolator) Check(c *isolator.Container) (*isolator.Limit, error) {
	if !i.o.Enforce {
		return nil, nil
	}
	uses, err := i.o.Records.Read(c.ID)
	for _, u := range uses {
		if u.Over() {
			return u.Exceeded(), err
		}
	}
	return nil, err
}

// Usage is what was measured last.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	uses, err := i.o.Records.Read(c.ID)
	disk.Add(uses, u)
	return err
}

// Cleanup forgets what was measured.
func (i *Isolator) Cleanup(_ context.Context, c *isolator.Container) error {
	i.meter.forget(c.ID)
	return i.o.Records.Remove(c.ID)
}

// Recover finds containers that were measured.
func (i *Isolator) Recover(context.Context) ([][]string, error) { return i.o.Records.List() }

var _ interface {
	isolator.Isolator
	isolator.Updater
	isolator.Watcher
	isolator.Meter
	isolator.Cleaner
	isolator.Recoverer
} = (*Isolator)(nil)
