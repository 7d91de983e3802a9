// Package blkio is cgroups/blkio: how much containers read and write, by device.
// Imported by wiring.
package blkio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Isolator measures.
type Isolator struct {
	*cgroups.Place
	files []file // of version 1, that this kernel has
	// limits: groups get limits, as the kernel counts only in those that have some.
	limits bool
}

// file of version 1, and what its counters are.
type file struct {
	name string
	kind kind
	// add is told each line.
	add func(*mesos.CgroupInfo_Blkio_Statistics, line)
}

// kind is which of the three lists of statistics counters are in.
type kind int

const (
	throttling kind = iota
	own             // of the I/O scheduler
	recursive       // of the I/O scheduler, with the groups below
)

// disks of the machine.
const disks = "/sys/block"

// New fails when the kernel does not count I/O.
func New(t *cgroups.Tree) (*Isolator, error) {
	p, err := t.Place("cgroups/blkio", "blkio")
	if err != nil {
		return nil, err
	}
	i := &Isolator{Place: p}
	if i.Unified() {
		return i, nil
	}
	base := p.Controllers[0].Base()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("cgroups/blkio: uname: %w", err)
	}
	i.limits = countsLimited(unix.ByteSliceToString(u.Release[:]))
	counts, err := scheduled(disks)
	if err == nil && !i.limits {
		err = limit(base, "0")
	}
	if err != nil {
		return nil, fmt.Errorf("cgroups/blkio: %w", err)
	}
	i.files = present(base, counts)
	return i, nil
}

// countsLimited says whether a kernel counts on version 1 only in groups with a
// limit, by its release, such as "6.1.0-13-amd64": those from 5.16 to 6.4 do.
func countsLimited(release string) bool {
	var major, minor int
	if n, err := fmt.Sscanf(release, "%d.%d", &major, &minor); n < 2 || err != nil {
		return true // a limit does no harm
	}
	version := major<<16 + minor
	return version >= 5<<16+16 && version < 6<<16+5
}

// Prepare implements isolator.Isolator.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.PrepareAnd(ctx, c, p, func() error {
		if !i.limits {
			return nil
		}
		return limit(i.Dir(0, c), beyond)
	})
}

// beyond every disk: bytes per second.
const beyond = "1099511627776"

// limit limits reads and writes of the disks that this machine has now. It is for
// kernels that do not count without: newer ones (6.10 on) count for disks that had a
// limit in any group, though it was taken away ("0").
func limit(dir, to string) error {
	devices, err := filepath.Glob(disks + "/*/dev")
	if err != nil {
		return err
	}
	for _, file := range []string{"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device"} {
		if !cgroups.Exists(dir, file) {
			continue
		}
		for _, d := range devices {
			number, err := os.ReadFile(d)
			if err == nil {
				err = cgroups.Write(dir, file, strings.TrimSpace(string(number))+" "+to)
			}
			// It was removed meanwhile, or has no medium.
			if err != nil && !cgroups.IsGone(err) && !errors.Is(err, unix.ENXIO) {
				return fmt.Errorf("disk %s: %w", filepath.Base(filepath.Dir(d)), err)
			}
		}
	}
	return nil
}

// Usage implements isolator.Meter.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	dir := i.Dir(0, c)
	s := &mesos.CgroupInfo_Blkio_Statistics{}
	var err error
	if i.Unified() {
		err = cgroups.Read(dir, "io.stat", func(b []byte) error { return parse2(b, s) })
	} else {
		for _, f := range i.files {
			if err == nil {
				err = cgroups.Read(dir, f.name, func(b []byte) error { return parse1(b, func(l line) { f.add(s, l) }) })
			}
		}
	}
	if cgroups.IsGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups/blkio: %w", err)
	}
	u.BlkioStatistics = s
	return nil
}
