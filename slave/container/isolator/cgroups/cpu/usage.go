package cpu

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// tick is the unit of cpuacct.stat: USER_HZ, which is 100 on every architecture
// that Go supports on Linux.
const tick = time.Second / 100

// Usage implements isolator.Meter.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	var err error
	if i.Unified() {
		err = i.usage2(c, u)
	} else {
		err = i.usage1(c, u)
	}
	if err == nil && i.settings.Count {
		err = i.count(c, u)
	}
	if cgroups.IsGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups/cpu: %w", err)
	}
	return nil
}

func (i *Isolator) usage1(c *isolator.Container, u *mesos.ResourceStatistics) error {
	err := cgroups.Keyed(i.Dir(1, c), "cpuacct.stat", func(key []byte, v uint64) {
		switch string(key) {
		case "user":
			u.CpusUserTimeSecs = seconds(v, tick)
		case "system":
			u.CpusSystemTimeSecs = seconds(v, tick)
		}
	})
	if err != nil {
		return err
	}
	return cgroups.Keyed(i.Dir(0, c), "cpu.stat", func(key []byte, v uint64) { throttling(u, key, v, "throttled_time", time.Nanosecond) })
}

func (i *Isolator) usage2(c *isolator.Container, u *mesos.ResourceStatistics) error {
	return cgroups.Keyed(i.Dir(0, c), "cpu.stat", func(key []byte, v uint64) {
		switch string(key) {
		case "user_usec":
			u.CpusUserTimeSecs = seconds(v, time.Microsecond)
		case "system_usec":
			u.CpusSystemTimeSecs = seconds(v, time.Microsecond)
		default:
			throttling(u, key, v, "throttled_usec", time.Microsecond)
		}
	})
}

// throttling has the figures of a container that was limited at any time: the
// kernel counts no periods of others.
func throttling(u *mesos.ResourceStatistics, key []byte, v uint64, time string, unit time.Duration) {
	switch string(key) {
	case "nr_periods":
		n := uint32(v)
		u.CpusNrPeriods = &n
	case "nr_throttled":
		n := uint32(v)
		u.CpusNrThrottled = &n
	case time:
		u.CpusThrottledTimeSecs = seconds(v, unit)
	}
}

func seconds(n uint64, unit time.Duration) *float64 {
	s := float64(n) * unit.Seconds()
	return &s
}

// count counts what is in the container and in those within it.
func (i *Isolator) count(c *isolator.Container, u *mesos.ResourceStatistics) error {
	threadsFile := "tasks"
	if i.Unified() {
		threadsFile = "cgroup.threads"
	}
	var processes, threads uint32
	err := cgroups.Walk(i.Dir(0, c), func(dir string) error {
		// Threaded groups, which who is root may make, do not list processes.
		if err := lines(dir, "cgroup.procs", &processes); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
		return lines(dir, threadsFile, &threads)
	})
	u.Processes, u.Threads = &processes, &threads
	return err
}

func lines(dir, file string, sum *uint32) error {
	return cgroups.Read(dir, file, func(b []byte) error {
		*sum += uint32(bytes.Count(b, []byte{'\n'}))
		return nil
	})
}
