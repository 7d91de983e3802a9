// Package blkio is cgroups/blkio: how much containers read and write, by device.
// Imported by wiring.
package blkio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// Isolator measures.
type Isolator struct {
	*cgroups.Place
	files []file // of version 1, that this kernel has
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
	if !i.Unified() {
		base := p.Controllers[0].Base()
		counts, err := scheduled(disks)
		if err == nil {
			err = count(base)
		}
		if err != nil {
			return nil, fmt.Errorf("cgroups/blkio: %w", err)
		}
		i.files = present(base, counts)
	}
	return i, nil
}

// count has the kernel count what is done with the disks of this machine: newer
// ones (6.10 on) do so on version 1 only for disks that had a limit once. None is
// what is set here. A disk that comes later is counted from the agent's next
// start.
func count(base string) error {
	const file = "blkio.throttle.read_bps_device"
	if !cgroups.Exists(base, file) {
		return nil
	}
	devices, err := filepath.Glob(disks + "/*/dev")
	if err != nil {
		return err
	}
	for _, d := range devices {
		number, err := os.ReadFile(d)
		if err == nil {
			err = cgroups.Write(base, file, strings.TrimSpace(string(number))+" 0")
		}
		// It was removed meanwhile, or has no medium.
		if err != nil && !cgroups.IsGone(err) && !errors.Is(err, unix.ENXIO) {
			return fmt.Errorf("disk %s: %w", filepath.Base(filepath.Dir(d)), err)
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
