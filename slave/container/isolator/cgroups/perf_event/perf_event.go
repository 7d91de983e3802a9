// Package perfevent is cgroups/perf_event: counters of the CPU and the kernel for
// containers, sampled from time to time. Imported by wiring.
package perfevent

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// Settings are --perf_events, --perf_interval and --perf_duration.
type Settings struct {
	// Events by their names in perf-list(1). None: containers are only placed.
	Events []string
	// A sample takes Duration, and the next begins Interval after it began; 0 are 10
	// and 60 s.
	Interval time.Duration
	Duration time.Duration
}

// Isolator samples containers when they are measured: a sample begins and ends
// with a call of Usage, so that nothing runs between them.
type Isolator struct {
	*cgroups.Place
	settings Settings
	events   []event
	cpus     []int
	now      func() time.Time

	mu      sync.Mutex
	samples map[string]*sample // by folder
	open    int                // descriptors, over all samples
	sweepAt int
}

// maxOpen bounds descriptors: each sample takes one per event and CPU. Containers
// beyond that wait until others are done.
const maxOpen = 2048

// New fails when the kernel or the CPU cannot count an event.
func New(t *cgroups.Tree, s Settings) (*Isolator, error) {
	p, err := t.Place("cgroups/perf_event", "perf_event")
	if err != nil {
		return nil, err
	}
	if s.Interval <= 0 {
		s.Interval = time.Minute
	}
	if s.Duration <= 0 {
		s.Duration = 10 * time.Second
	}
	if s.Duration > s.Interval {
		return nil, fmt.Errorf("cgroups/perf_event: --perf_duration=%v is longer than --perf_interval=%v", s.Duration, s.Interval)
	}
	i := &Isolator{Place: p, settings: s, now: time.Now, samples: map[string]*sample{}}
	if i.cpus, err = onlineCPUs(); err != nil {
		return nil, fmt.Errorf("cgroups/perf_event: %w", err)
	}
	for _, name := range s.Events {
		e, err := named(name)
		if err == nil {
			err = e.try()
		}
		if err != nil {
			return nil, fmt.Errorf("cgroups/perf_event: %w", err)
		}
		i.events = append(i.events, e)
	}
	if need := len(i.events) * len(i.cpus); need > maxOpen {
		return nil, fmt.Errorf("cgroups/perf_event: --perf_events: %d events on %d CPUs take %d descriptors for each container; at most %d: name fewer", len(i.events), len(i.cpus), need, maxOpen)
	}
	return i, nil
}

// try opens an event for this process.
func (e event) try() error {
	fd, err := unix.PerfEventOpen(e.attributes(), 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODEV):
		return fmt.Errorf("--perf_events: this CPU or kernel does not count %s: %w", e.name, err)
	case err != nil:
		return fmt.Errorf("perf_event_open of %s: %w", e.name, err)
	}
	return unix.Close(fd)
}

func onlineCPUs() ([]int, error) {
	data, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, err
	}
	return parseCPUs(strings.TrimSpace(string(data)))
}

// parseCPUs reads a list such as "0-3,8".
func parseCPUs(list string) ([]int, error) {
	const most = 1 << 16
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 16)
		to, terr := strconv.ParseUint(last, 10, 16)
		if err != nil || terr != nil || from > to || len(cpus) > most {
			return nil, fmt.Errorf("no list of CPUs: %.60q", list)
		}
		for n := from; n <= to; n++ {
			cpus = append(cpus, int(n))
		}
	}
	return cpus, nil
}

// Usage implements isolator.Meter: with the last sample that is complete.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	if len(i.events) == 0 {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	dir, now := i.Dir(0, c), i.now()
	s := i.samples[dir]
	if s != nil && s.running() && now.Sub(s.began) >= i.settings.Duration {
		err := s.finish(i.events, now)
		i.open -= i.need()
		if err != nil {
			return fmt.Errorf("cgroups/perf_event: %w", err)
		}
	}
	if s == nil || !s.running() && now.Sub(s.began) >= i.settings.Interval {
		if err := i.begin(dir, now); err != nil {
			return fmt.Errorf("cgroups/perf_event: %w", err)
		}
	}
	if s != nil {
		u.Perf = s.last
	}
	return nil
}

func (i *Isolator) need() int { return len(i.events) * len(i.cpus) }

// begin starts a sample, unless too many run already.
func (i *Isolator) begin(dir string, now time.Time) error {
	i.sweep()
	if i.open+i.need() > maxOpen {
		return nil
	}
	fds, err := openAll(dir, i.events, i.cpus)
	if cgroups.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	i.open += len(fds)
	if s := i.samples[dir]; s != nil {
		s.fds, s.began = fds, now
	} else {
		i.samples[dir] = &sample{fds: fds, began: now}
	}
	return nil
}

// sweep forgets containers that are gone, each time that twice as many are known
// as were left by the last time, or that no more can be sampled.
func (i *Isolator) sweep() {
	if len(i.samples) < i.sweepAt && i.open+i.need() <= maxOpen {
		return
	}
	for dir, s := range i.samples {
		if !cgroups.Exists(dir, "cgroup.procs") {
			i.open -= len(s.fds)
			s.close()
			delete(i.samples, dir)
		}
	}
	i.sweepAt = 2*len(i.samples) + 16
}
