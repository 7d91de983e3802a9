package measure

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/posix"
)

// kernel is an isolator that counts how often it is asked.
type kernel struct {
	mu    sync.Mutex
	asked map[string]int
	fail  error
	hold  map[string]bool // the containers that it knows
}

func (k *kernel) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := strings.Join(c.ID, "/")
	k.asked[id]++
	if k.hold[id] {
		u.CpusUserTimeSecs, u.CpusSystemTimeSecs = proto.Float64(3), proto.Float64(4)
		u.MemTotalBytes, u.MemRssBytes = proto.Uint64(100), proto.Uint64(60)
		u.CpusNrThrottled = proto.Uint32(uint32(k.asked[id]))
	}
	return k.fail
}

func named(ids ...string) (list []Container) {
	for _, id := range ids {
		list = append(list, Container{ID: strings.Split(id, "/")})
	}
	return list
}

// However many ask, and for whatever, a container is measured twice a second at
// most.
func TestReadersShareMeasurements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kernel{asked: map[string]int{}, hold: map[string]bool{"a": true, "a/b": true, "c": true}}
		m := New(Settings{Isolators: k})
		began := time.Now()
		for time.Since(began) < 2*time.Second {
			var readers sync.WaitGroup
			for _, ids := range [][]string{{"a", "a/b"}, {"c", "a"}, {"a"}} {
				readers.Go(func() {
					for i, u := range m.Measure(nil, named(ids...)) {
						if u.GetCpusUserTimeSecs() != 3 || u.GetMemTotalBytes() != 100 {
							t.Errorf("%s uses %v", ids[i], u)
						}
						if age := float64(time.Now().UnixMicro())/1e6 - u.GetTimestamp(); age < 0 || age > 0.5 {
							t.Errorf("%s was measured %v s ago", ids[i], age)
						}
					}
				})
			}
			readers.Wait()
			<-time.After(10 * time.Millisecond)
		}
		for id, n := range k.asked {
			if n != 4 {
				t.Errorf("%s is measured %d times in 2 s", id, n)
			}
		}
		<-time.After(2 * kept)
		m.Measure(nil, named("c"))
		if len(m.known) != 1 {
			t.Errorf("%d containers are remembered of which one is asked for", len(m.known))
		}
	})
}

func TestFailuresAreReportedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kernel{asked: map[string]int{}, fail: errors.New("no such file")}
		var reports []string
		m := New(Settings{Isolators: k, Report: func(err error) { reports = append(reports, err.Error()) }})
		for range 10 {
			for _, u := range m.Measure(nil, named("a", "b/c")) {
				if u.Timestamp == nil || u.CpusUserTimeSecs != nil {
					t.Errorf("what cannot be measured uses %v", u)
				}
			}
			<-time.After(10 * time.Second)
		}
		if len(reports) != 2 || reports[0] != "measure container a: no such file" {
			t.Errorf("reports are %q", reports)
		}
	})
}

func TestLimits(t *testing.T) {
	amounts := func(f func(*cluster.ContainerAmounts)) *cluster.ContainerAmounts {
		a := &cluster.ContainerAmounts{Cpus: proto.Float64(1.5), Mem: proto.Float64(64)}
		f(a)
		return a
	}
	machine := New(Settings{})
	if machine.memory < 1<<20 {
		t.Fatalf("the machine has %d bytes", machine.memory)
	}
	for _, c := range []struct {
		name    string
		amounts *cluster.ContainerAmounts
		quota   bool
		cpus    float64 // 0: none
		mem     uint64
	}{
		{"none", amounts(func(*cluster.ContainerAmounts) {}), false, 0, 64 << 20},
		{"of the agent's settings", amounts(func(*cluster.ContainerAmounts) {}), true, 1.5, 64 << 20},
		{"declared", amounts(func(a *cluster.ContainerAmounts) {
			a.CpusLimit, a.MemLimit = proto.Float64(3), proto.Float64(128)
		}), true, 3, 128 << 20},
		{"without end", amounts(func(a *cluster.ContainerAmounts) {
			a.CpusLimit, a.MemLimit = proto.Float64(math.Inf(1)), proto.Float64(math.Inf(1))
		}), true, float64(runtime.NumCPU()), machine.memory},
		{"of more bytes than can be counted", amounts(func(a *cluster.ContainerAmounts) { a.MemLimit = proto.Float64(1e300) }), false, 0, machine.memory},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(Settings{QuotaCPUs: c.quota})
			u := m.Measure(nil, []Container{{ID: []string{"c"}, Amounts: c.amounts}})[0]
			if u.GetCpusSoftLimit() != 1.5 || u.GetMemSoftLimitBytes() != 64<<20 || u.GetMemLimitBytes() != c.mem ||
				u.GetCpusLimit() != c.cpus || (u.CpusLimit == nil) != (c.cpus == 0) {
				t.Errorf("%v", u)
			}
		})
	}
}

// Who asks without amounts does not keep others from knowing them.
func TestLimitsAreAddedToWhatWasMeasuredWithout(t *testing.T) {
	m := New(Settings{})
	c := Container{ID: []string{"c"}}
	if u := m.Measure(nil, []Container{c})[0]; u.CpusSoftLimit != nil || u.MemLimitBytes != nil {
		t.Errorf("what may use nothing of its own has %v", u)
	}
	c.Amounts = &cluster.ContainerAmounts{Cpus: proto.Float64(2)}
	if u := m.Measure(nil, []Container{c})[0]; u.GetCpusSoftLimit() != 2 {
		t.Errorf("%v", u)
	}
}

// What isolators do not know is taken from the processes, those of containers
// within one included.
func TestProcessesAreMeasured(t *testing.T) {
	l, err := posix.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	outer := t.TempDir()
	inner := filepath.Join(outer, "containers", "b")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{outer, inner} {
		p, err := l.Launch(container.Spec{
			Path: "/bin/sh", Args: []string{"sh", "-c", "while :; do :; done"}, Dir: dir,
			Env: []string{"PATH=" + os.Getenv("PATH"), "MESOS_SANDBOX=" + dir},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { p.Kill(0); <-p.Done() }()
	}
	k := &kernel{asked: map[string]int{}, hold: map[string]bool{"held": true}}
	m := New(Settings{Isolators: k, Report: func(err error) { t.Error(err) }})
	list := []Container{{ID: []string{"a"}, Sandbox: outer}, {ID: []string{"a", "b"}, Sandbox: inner}, {ID: []string{"held"}, Sandbox: t.TempDir()}}
	deadline := time.After(time.Minute)
	for {
		u := m.Measure([]int{os.Getpid()}, list)
		whole, part := u[0], u[1]
		if whole.GetProcesses() == 2 && part.GetProcesses() == 1 && part.GetCpusUserTimeSecs() > 0 &&
			whole.GetCpusUserTimeSecs() > part.GetCpusUserTimeSecs() && whole.GetMemRssBytes() > part.GetMemRssBytes() && part.GetMemRssBytes() > 0 &&
			whole.GetThreads() == 2 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("the outer uses %v, the inner %v", whole, part)
		case <-time.After(Every / 10):
		}
	}
	if u := m.Measure([]int{os.Getpid()}, list)[2]; u.GetMemRssBytes() != 60 || u.Processes != nil {
		t.Errorf("what isolators hold uses %v", u)
	}
}

// Times never go back, though a process takes its own with it.
func TestTimesDoNotGoBack(t *testing.T) {
	k := &known{statistics: new(mesos.ResourceStatistics)}
	k.put(container.Usage{User: 3 * time.Second, System: time.Second, RSS: 9, Processes: 2})
	k.statistics = new(mesos.ResourceStatistics)
	k.put(container.Usage{User: time.Second, System: 2 * time.Second, RSS: 4, Processes: 1})
	if u := k.statistics; u.GetCpusUserTimeSecs() != 3 || u.GetCpusSystemTimeSecs() != 2 || u.GetMemRssBytes() != 4 || u.GetProcesses() != 1 {
		t.Errorf("%v", u)
	}
}
