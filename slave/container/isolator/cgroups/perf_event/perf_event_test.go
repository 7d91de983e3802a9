package perfevent

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/tools/cgrouptest"
)

func TestMain(m *testing.M) { os.Exit(cgrouptest.Main(m)) }

// A sample begins and ends when a container is measured; the next waits for its
// time. On version 1, few machines mount the subsystem: that is said.
func TestSample(t *testing.T) {
	tree := cgrouptest.Tree(t)
	i, err := New(tree, Settings{Events: []string{"task-clock", "context-switches", "minor-faults"}})
	if tree.Version() == 1 && err != nil {
		if !strings.Contains(err.Error(), "perf_event is not mounted") {
			t.Error(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	i.now = func() time.Time { return now }
	c := &isolator.Container{ID: []string{"sampled"}}
	p := cgrouptest.Prepare(t, c, i)
	if u := usage(t, i, c); u.Perf != nil {
		t.Errorf("before the first sample: %v", u.Perf)
	}
	busy := cgrouptest.Start(t, p, "spin", "0")
	cgrouptest.Eventually(t, "CPU time in a sample", func() bool {
		now = now.Add(10 * time.Second)
		if perf := usage(t, i, c).Perf; perf.GetTaskClock() > 0 && perf.GetDuration() == 10 {
			return true
		}
		now = now.Add(50 * time.Second)
		usage(t, i, c) // begins the next
		return false
	})
	first := usage(t, i, c).Perf
	busy.Kill(t)
	now = now.Add(49 * time.Second)
	if usage(t, i, c); i.open != 0 {
		t.Errorf("%d descriptors between samples", i.open)
	}
	now = now.Add(time.Second)
	if u := usage(t, i, c); u.Perf != first || i.open != 3*len(i.cpus) {
		t.Errorf("%d descriptors in a sample; %v", i.open, u.Perf)
	}
	now = now.Add(10 * time.Second)
	// What the kernel still had to do for the program that was killed may count.
	if u := usage(t, i, c); u.Perf == first || u.Perf.GetTaskClock() > 10 || i.open != 0 {
		t.Errorf("of an empty container: %v, %d descriptors", u.Perf, i.open)
	}
	if u := usage(t, i, &isolator.Container{ID: []string{"unknown"}}); u.Perf != nil || i.open != 0 {
		t.Errorf("of an unknown container: %v", u.Perf)
	}
}

func usage(t *testing.T, i *Isolator, c *isolator.Container) *mesos.ResourceStatistics {
	t.Helper()
	u := &mesos.ResourceStatistics{}
	if err := i.Usage(c, u); err != nil {
		t.Fatal(err)
	}
	return u
}

// What the CPU counts is counted; one that counts nothing, as an emulated one, is
// named.
func TestHardware(t *testing.T) {
	tree := cgrouptest.Tree(t)
	i, err := New(tree, Settings{Events: []string{"instructions"}})
	if err != nil {
		if text := err.Error(); !strings.Contains(text, "this CPU or kernel does not count instructions") && (tree.Version() == 2 || !strings.Contains(text, "is not mounted")) {
			t.Error(err)
		}
		return
	}
	now := time.Unix(1000, 0)
	i.now = func() time.Time { return now }
	c := &isolator.Container{ID: []string{"sampled"}}
	p := cgrouptest.Prepare(t, c, i)
	usage(t, i, c)
	if out, err := cgrouptest.Start(t, p, "fork", "1").Wait(t); err != nil {
		t.Fatal(err, out)
	}
	now = now.Add(10 * time.Second)
	if n := usage(t, i, c).Perf.GetInstructions(); n == 0 {
		t.Error("no instruction of a program was counted")
	}
}

func TestRefusals(t *testing.T) {
	for want, s := range map[string]Settings{
		`no event "nonsense"`: {Events: []string{"nonsense"}}, "is longer than": {Interval: time.Second, Duration: time.Minute},
		`no event "timestamp"`: {Events: []string{"timestamp"}},
	} {
		tree := cgrouptest.Tree(t)
		if _, err := New(tree, s); err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "perf_event is not mounted") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Every counter of the message has an event, and no two the same.
func TestEvents(t *testing.T) {
	seen := map[string]string{}
	fields := (&mesos.PerfStatistics{}).ProtoReflect().Descriptor().Fields()
	for n := range fields.Len() {
		name := string(fields.Get(n).Name())
		if name == "timestamp" || name == "duration" {
			continue
		}
		e, err := named(strings.ToUpper(strings.ReplaceAll(name, "_", "-")))
		if err != nil {
			t.Error(err)
			continue
		}
		key := fmt.Sprint(e.kind, e.config)
		if seen[key] != "" {
			t.Errorf("%s is %s", name, seen[key])
		}
		seen[key] = name
		var u mesos.PerfStatistics
		e.set(&u, 7)
		if !u.ProtoReflect().Has(e.field) {
			t.Errorf("%s is not set", name)
		}
	}
}

func TestCPUs(t *testing.T) {
	for list, want := range map[string]string{"0": "[0]", "0-2,5": "[0 1 2 5]"} {
		if cpus, err := parseCPUs(list); err != nil || fmt.Sprint(cpus) != want {
			t.Errorf("%s: %v, %v", list, cpus, err)
		}
	}
	for _, bad := range []string{"", "a", "3-1", "1-", "-1", "99999999"} {
		if cpus, err := parseCPUs(bad); err == nil {
			t.Errorf("%q: %v", bad, cpus)
		}
	}
}

func FuzzCPUs(f *testing.F) {
	f.Add("0-3,8")
	f.Fuzz(func(t *testing.T, list string) {
		if cpus, err := parseCPUs(list); err == nil && len(cpus) == 0 {
			t.Errorf("%q is no CPU", list)
		}
	})
}
