package mem

import (
	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator/cgroups"
)

// levels of pressure, lowest first; each is told to those who wait for a lower
// one too, but for "local", which keeps a level to itself and its own group.
var levels = [...]string{"low", "medium", "critical"}

// pressure counts events of a group (version 1). The kernel counts in an eventfd
// per level, which is read when somebody asks: no thread waits for it. It begins
// when a container is first measured, as the kernel has no counters of its own.
type pressure struct {
	fds    [len(levels)]int
	counts [len(levels)]uint64
}

// pressures adds the counters of a group. Version 2 has none that mean the same.
func (i *Isolator) pressures(dir string, u *mesos.ResourceStatistics) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, ok := i.pressure[dir]
	if !ok {
		if !cgroups.Exists(dir, "memory.pressure_level") {
			return nil
		}
		var err error
		if p, err = listenTo(dir); err != nil {
			return err
		}
		i.sweep()
		i.pressure[dir] = p
	}
	for l, fd := range p.fds {
		n, err := drain(fd)
		if err != nil {
			return err
		}
		p.counts[l] += n
	}
	low, medium, critical := p.counts[0], p.counts[1], p.counts[2]
	u.MemLowPressureCounter, u.MemMediumPressureCounter, u.MemCriticalPressureCounter = &low, &medium, &critical
	return nil
}

func listenTo(dir string) (*pressure, error) {
	p := &pressure{fds: [len(levels)]int{-1, -1, -1}}
	for l, level := range levels {
		fd, err := eventfd(dir, "memory.pressure_level", " "+level)
		if err != nil {
			p.close()
			return nil, err
		}
		p.fds[l] = fd
	}
	return p, nil
}

func (p *pressure) close() {
	for _, fd := range p.fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// sweep forgets groups that are gone, each time that twice as many are known as
// were left by the last time. Called with the lock held.
func (i *Isolator) sweep() {
	if len(i.pressure) < i.sweepAt {
		return
	}
	for dir, p := range i.pressure {
		if !cgroups.Exists(dir, "memory.pressure_level") {
			p.close()
			delete(i.pressure, dir)
		}
	}
	i.sweepAt = 2*len(i.pressure) + 16
}
