// Package measure says what an agent's containers use: what isolators know of
// them, and for what these do not know, what the kernel's list of processes
// does. Imported by wiring.
package measure

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/posix"
)

// Every is the least time between two measurements of one container.
const Every = 500 * time.Millisecond

// kept is how long a container is remembered of which nobody asks.
const kept = time.Minute

// reportEvery is the least time between two reports of failures.
const reportEvery = time.Minute

// Container is what is measured.
type Container struct {
	// ID has the ids of all containers that it is in, the outermost first, and its
	// own.
	ID []string
	// Sandbox is its folder; empty for one that has none of its own, of which the
	// isolators alone may know something.
	Sandbox string
	// Amounts are what it may use; nil if it has none of its own.
	Amounts *cluster.ContainerAmounts
}

// Settings of a Meter.
type Settings struct {
	// Isolators are asked first; may be nil.
	Isolators isolator.Meter
	// QuotaCPUs: the CPUs that a container requests are its limit, if it has no
	// other.
	QuotaCPUs bool
	// Report is told of what could not be measured; may be nil.
	Report func(error)
}

// Meter measures containers for many readers. Safe for concurrent use: one
// measurement goes on at a time, and who waits for it has its result.
type Meter struct {
	settings Settings
	cpus     float64
	memory   uint64 // of the machine, in bytes; 0 if unknown
	survey   posix.Survey

	mu    sync.Mutex
	known map[string]*known // by id
	// When a failure was reported last.
	reported time.Time
}

// known is what was measured of a container.
type known struct {
	at         time.Time
	statistics *mesos.ResourceStatistics
	// The most that its processes were seen to have used.
	user, system time.Duration
}

// New returns a meter.
func New(s Settings) *Meter {
	m := &Meter{settings: s, cpus: float64(runtime.NumCPU()), known: map[string]*known{}}
	if s.Report == nil {
		m.settings.Report = func(error) {}
	}
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		m.settings.Report(fmt.Errorf("the machine's memory: %w", err))
	} else {
		m.memory = machine.Totalram * uint64(machine.Unit)
	}
	return m
}

// Measure is what each container may use and, where that is known, uses, by a
// measurement that is no older than Every. Nobody may change it. hosts are the
// processes that hold containers, whether these or others.
func (m *Meter) Measure(hosts []int, list []Container) []*mesos.ResourceStatistics {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	answer := make([]*mesos.ResourceStatistics, len(list))
	var due []task
	for i, c := range list {
		id := strings.Join(c.ID, "/")
		k := m.known[id]
		if k == nil {
			k = new(known)
			m.known[id] = k
		}
		if !k.serves(c, now) {
			k.statistics = nil
			due = append(due, task{Container: c, id: id, known: k, at: i})
		}
		answer[i] = k.statistics
	}
	if len(due) == 0 {
		return answer
	}
	m.measure(hosts, due, now)
	for _, d := range due {
		answer[d.at] = d.known.statistics
	}
	for id, k := range m.known {
		if now.Sub(k.at) > kept {
			delete(m.known, id)
		}
	}
	return answer
}

// serves tells that what was measured is new enough, and has the limits.
func (k *known) serves(c Container, now time.Time) bool {
	return k.statistics != nil && now.Sub(k.at) < Every && (c.Amounts == nil || k.statistics.CpusSoftLimit != nil)
}

// task is a container that is to be measured now.
type task struct {
	Container
	id    string
	known *known
	at    int
}

func (m *Meter) measure(hosts []int, due []task, now time.Time) {
	var rest []task
	for _, d := range due {
		u := m.begin(d.Amounts)
		if m.settings.Isolators != nil {
			err := m.settings.Isolators.Usage(&isolator.Container{ID: d.ID, Sandbox: d.Sandbox}, u)
			if err != nil {
				m.report(now, fmt.Errorf("measure container %s: %w", d.id, err))
			}
		}
		d.known.at, d.known.statistics = now, u
		if d.Sandbox != "" && (u.CpusUserTimeSecs == nil || u.MemRssBytes == nil) {
			rest = append(rest, d)
		}
	}
	if len(rest) > 0 && len(hosts) > 0 {
		if err := m.look(hosts, rest); err != nil {
			m.report(now, fmt.Errorf("measure by processes: %w", err))
		}
	}
}

// report tells of a failure now and then: what fails, fails for all containers
// and each time.
func (m *Meter) report(now time.Time, err error) {
	if now.Sub(m.reported) >= reportEvery {
		m.reported = now
		m.settings.Report(err)
	}
}

// begin says what the container may use.
func (m *Meter) begin(a *cluster.ContainerAmounts) *mesos.ResourceStatistics {
	u := &mesos.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixMicro()) / 1e6)}
	if a == nil {
		return u
	}
	const megabyte = 1 << 20
	u.CpusSoftLimit = proto.Float64(a.GetCpus())
	u.MemSoftLimitBytes = proto.Uint64(uint64(a.GetMem() * megabyte))
	switch {
	case a.CpusLimit != nil:
		u.CpusLimit = proto.Float64(a.GetCpusLimit())
		if math.IsInf(a.GetCpusLimit(), 1) {
			u.CpusLimit = &m.cpus
		}
	case m.settings.QuotaCPUs:
		u.CpusLimit = u.CpusSoftLimit
	}
	switch limit := a.GetMemLimit(); {
	case a.MemLimit == nil:
		u.MemLimitBytes = u.MemSoftLimitBytes
	case limit >= math.MaxInt64/megabyte: // infinity, or as good as that
		u.MemLimitBytes = proto.Uint64(m.memory)
	default:
		u.MemLimitBytes = proto.Uint64(uint64(limit * megabyte))
	}
	return u
}

// look measures by processes. What a container within another uses counts as the
// other's, too.
func (m *Meter) look(hosts []int, rest []task) error {
	sandboxes := make([]string, len(rest))
	for i, d := range rest {
		sandboxes[i] = d.Sandbox
	}
	usage, err := m.survey.Measure(hosts, sandboxes)
	if err != nil {
		return err
	}
	sum := make(map[string]container.Usage, len(rest))
	for _, d := range rest {
		used, ok := usage[d.Sandbox]
		if !ok {
			continue
		}
		for n := range d.ID {
			id := strings.Join(d.ID[:n+1], "/")
			whole := sum[id]
			whole.Add(used)
			sum[id] = whole
		}
	}
	for _, d := range rest {
		if used, ok := sum[d.id]; ok {
			d.known.put(used)
		}
	}
	return nil
}

// put adds what isolators did not know. The time of a process that ends is lost
// where nobody of the container has waited for it; but times never go back.
func (k *known) put(used container.Usage) {
	k.user, k.system = max(k.user, used.User), max(k.system, used.System)
	u := k.statistics
	if u.CpusUserTimeSecs == nil {
		u.CpusUserTimeSecs, u.CpusSystemTimeSecs = proto.Float64(k.user.Seconds()), proto.Float64(k.system.Seconds())
	}
	if u.MemRssBytes == nil {
		u.MemRssBytes = &used.RSS
	}
	if u.Processes == nil {
		u.Processes, u.Threads = proto.Uint32(uint32(used.Processes)), proto.Uint32(uint32(used.Threads))
	}
}
