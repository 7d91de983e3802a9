package mem

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/tools/cgrouptest"
)

const mib = 1 << 20

func newIsolator(t testing.TB, s Settings) *Isolator {
	t.Helper()
	i, err := New(cgrouptest.Tree(t), s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func container(name string, mem uint64) *isolator.Container {
	return &isolator.Container{ID: []string{name}, Amounts: isolator.Amounts{Mem: mem}}
}

// watch returns where the first word of a limit comes.
func watch(t *testing.T, i *Isolator, c *isolator.Container) <-chan *isolator.Limit {
	t.Helper()
	told := make(chan *isolator.Limit, 2)
	if err := i.Watch(t.Context(), c, func(l *isolator.Limit) { told <- l }); err != nil {
		t.Fatal(err)
	}
	return told
}

func await(t *testing.T, told <-chan *isolator.Limit) *isolator.Limit {
	t.Helper()
	select {
	case l := <-told:
		return l
	case <-time.After(time.Minute):
		t.Fatal("no word of the limit")
		return nil
	}
}

// The kernel ends who wants more than the limit, and nobody else.
func TestHogIsKilled(t *testing.T) {
	i := newIsolator(t, Settings{})
	hog, neighbour := container("hog", 64*mib), container("neighbour", 64*mib)
	hogPlan, neighbourPlan := cgrouptest.Prepare(t, hog, i), cgrouptest.Prepare(t, neighbour, i)
	told, untold := watch(t, i, hog), watch(t, i, neighbour)
	beside := cgrouptest.Start(t, neighbourPlan, "hog", "20")
	if _, err := cgrouptest.Start(t, hogPlan, "hog", "300").Wait(t); !cgrouptest.Killed(err) {
		t.Fatalf("a program with 300 MiB in 64 ended with %v", err)
	}
	l := await(t, told)
	if l.Reason != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY {
		t.Errorf("reason %v", l.Reason)
	}
	if !strings.HasPrefix(l.Message, "Memory limit exceeded: Requested: 64MB Maximum Used: 64") || !strings.Contains(l.Message, "MB\n\nMEMORY STATISTICS:\n") || !strings.Contains(l.Message, "anon") {
		t.Errorf("message %q", l.Message)
	}
	if got := l.Resources[0]; got.GetName() != "mem" || got.GetScalar().GetValue() < 64 || got.GetScalar().GetValue() >= 65 {
		t.Errorf("resources %v", l.Resources)
	}
	if checked, err := i.Check(hog); err != nil || checked == nil || !strings.HasPrefix(checked.Message, "Memory limit exceeded") {
		t.Errorf("Check: %v, %v", checked, err)
	}
	if checked, err := i.Check(neighbour); err != nil || checked != nil || len(untold) > 0 || !beside.Lives() {
		t.Errorf("the neighbour: %v, %v, %d told, lives: %v", checked, err, len(untold), beside.Lives())
	}
}

// Without the isolator the same program has what it wants.
func TestHogLivesWithoutLimit(t *testing.T) {
	for name, c := range map[string]*isolator.Container{
		"infinity": {ID: []string{"free"}, Amounts: isolator.Amounts{Mem: 64 * mib, MemLimit: limit(math.Inf(1))}},
		"shared":   {ID: []string{"free"}, Shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIsolator(t, Settings{})
			lives(t, i, c, cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "hog", "300"), 300*mib)
		})
	}
	t.Run("not isolated", func(t *testing.T) {
		i := newIsolator(t, Settings{})
		c := container("measured", 64*mib)
		p := cgrouptest.Prepare(t, c, i)
		outside := *p
		outside.Cgroups = nil
		g := cgrouptest.Start(t, &outside, "hog", "300")
		cgrouptest.Eventually(t, "300 MiB", func() bool { return resident(t, g.Pid()) >= 300*mib })
	})
}

func lives(t *testing.T, i *Isolator, c *isolator.Container, g *cgrouptest.Program, want uint64) {
	t.Helper()
	cgrouptest.Eventually(t, "as much memory as it wants", func() bool {
		if !g.Lives() {
			output, err := g.Wait(t)
			t.Fatalf("it has ended: %v %s", err, output)
		}
		var u mesos.ResourceStatistics
		if err := i.Usage(c, &u); err != nil {
			t.Fatal(err)
		}
		return u.GetMemRssBytes() >= want
	})
}

func limit(x float64) *float64 { return &x }

// What was killed while nobody watched is found by the kernel's counter.
func TestKilledUnwatched(t *testing.T) {
	i := newIsolator(t, Settings{})
	c := container("alone", 40*mib)
	if _, err := cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "hog", "200").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	l, err := i.Check(c)
	if err != nil || l == nil || !strings.HasPrefix(l.Message, "Memory limit exceeded: Requested: 40MB") {
		t.Fatalf("%v, %v", l, err)
	}
	await(t, watch(t, i, c)) // whoever comes late is told too
}

// A nested container that shares is ended by the limit of the one it is in.
func TestNested(t *testing.T) {
	i := newIsolator(t, Settings{})
	parent := container("pod", 64*mib)
	child := &isolator.Container{ID: []string{"pod", "task"}, Parent: parent, Shared: true}
	own := &isolator.Container{ID: []string{"pod", "own"}, Parent: parent, Amounts: isolator.Amounts{Mem: 40 * mib}}
	cgrouptest.Prepare(t, parent, i)
	childPlan, ownPlan := cgrouptest.Prepare(t, child, i), cgrouptest.Prepare(t, own, i)
	parentTold, ownTold := watch(t, i, parent), watch(t, i, own)
	if _, err := cgrouptest.Start(t, ownPlan, "hog", "50").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	if l := await(t, ownTold); !strings.Contains(l.Message, "Requested: 40MB") {
		t.Error(l.Message)
	}
	if l, err := i.Check(child); err != nil || l != nil {
		t.Fatalf("what killed its neighbour: %v, %v", l, err)
	}
	if l, err := i.Check(parent); err != nil || l != nil || len(parentTold) > 0 {
		t.Fatalf("the limit of a nested container was told of the one around it: %v, %v, %d told", l, err, len(parentTold))
	}
	if _, err := cgrouptest.Start(t, childPlan, "hog", "200").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	if l := await(t, parentTold); !strings.Contains(l.Message, "Requested: 64MB") {
		t.Error(l.Message)
	}
	if l, err := i.Check(child); err != nil || l == nil || !strings.Contains(l.Message, "shares") {
		t.Errorf("the shared container: %v, %v", l, err)
	}
	if found, err := i.Recover(t.Context()); err != nil || len(found) != 3 {
		t.Errorf("found %v, %v", found, err)
	}
}

// TestNestedAfterCache: a container that its page cache filled, for which nothing is
// killed, is not to blame for what a nested one was killed for at its own limit.
func TestNestedAfterCache(t *testing.T) {
	i, dir := newIsolator(t, Settings{}), t.TempDir()
	if i.Unified() || cgrouptest.InMemory(t, dir) {
		return // version 2 counts such failures apart; files in memory are no cache
	}
	parent := container("cached", 64*mib)
	own := &isolator.Container{ID: []string{"cached", "own"}, Parent: parent, Amounts: isolator.Amounts{Mem: 40 * mib}}
	parentPlan, ownPlan := cgrouptest.Prepare(t, parent, i), cgrouptest.Prepare(t, own, i)
	if output, err := cgrouptest.Start(t, parentPlan, "cache", filepath.Join(dir, "file"), "100").Wait(t); err != nil {
		t.Fatal(err, output)
	}
	if n, err := cgroups.Number(i.Dir(0, parent), failures1); err != nil || n == 0 {
		t.Fatalf("its limit was reached %d times, %v", n, err)
	}
	if _, err := cgrouptest.Start(t, ownPlan, "hog", "50").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	if l, err := i.Check(own); err != nil || l == nil {
		t.Errorf("the nested one: %v, %v", l, err)
	}
	if l, err := i.Check(parent); err != nil || l != nil {
		t.Errorf("the one around it: %v, %v", l, err)
	}
}

// TestLimitIsThatOfTheKill: it is told of the limit that the container had when it
// ran into it, not when it began to be watched.
func TestLimitIsThatOfTheKill(t *testing.T) {
	i := newIsolator(t, Settings{})
	c := container("grown", 40*mib)
	p := cgrouptest.Prepare(t, c, i)
	told := watch(t, i, c)
	if err := i.Update(container("grown", 72*mib)); err != nil {
		t.Fatal(err)
	}
	if _, err := cgrouptest.Start(t, p, "hog", "200").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	if l := await(t, told); !strings.HasPrefix(l.Message, "Memory limit exceeded: Requested: 72MB Maximum Used: 72") {
		t.Error(l.Message)
	}
}

// A limit that is raised counts at once; one that is lowered does not.
func TestUpdate(t *testing.T) {
	for _, s := range []Settings{{}, {LimitSwap: true}} {
		i := newIsolator(t, s)
		c := container("growing", 64*mib)
		p := cgrouptest.Prepare(t, c, i)
		c.Amounts.Mem = 256 * mib
		if err := i.Update(c); err != nil {
			t.Fatal(err)
		}
		lives(t, i, c, cgrouptest.Start(t, p, "hog", "150"), 150*mib)
		c.Amounts.Mem = 64 * mib
		if err := i.Update(c); err != nil {
			t.Fatal(err)
		}
		file := hardLimit1
		if i.Unified() {
			file = "memory.max"
		}
		if n, err := cgroups.Number(i.Dir(0, c), file); err != nil || n != 256*mib {
			t.Errorf("%+v: the limit is %d, %v", s, n, err)
		}
	}
}

func TestUsage(t *testing.T) {
	i := newIsolator(t, Settings{})
	c := container("used", 128*mib)
	g := cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "hog", "40")
	lives(t, i, c, g, 40*mib)
	var u mesos.ResourceStatistics
	if err := i.Usage(c, &u); err != nil {
		t.Fatal(err)
	}
	if u.GetMemTotalBytes() < 40*mib || u.GetMemTotalBytes() > 128*mib || u.GetMemAnonBytes() != u.GetMemRssBytes() || u.MemCacheBytes == nil || u.MemMappedFileBytes == nil || u.MemUnevictableBytes == nil {
		t.Errorf("%v", &u)
	}
	if !i.Unified() && (u.MemLowPressureCounter == nil || u.MemTotalMemswBytes == nil) {
		t.Errorf("%v", &u)
	}
	var none mesos.ResourceStatistics
	if err := i.Usage(container("unknown", 0), &none); err != nil || none.MemTotalBytes != nil {
		t.Errorf("of an unknown container: %v, %v", &none, err)
	}
}

func TestPressureIsCounted(t *testing.T) {
	i := newIsolator(t, Settings{})
	if i.Unified() {
		return // has no such counters
	}
	c := container("pressed", 40*mib)
	p := cgrouptest.Prepare(t, c, i)
	var u mesos.ResourceStatistics
	if err := i.Usage(c, &u); err != nil || u.GetMemLowPressureCounter() != 0 {
		t.Fatal(err, &u)
	}
	if _, err := cgrouptest.Start(t, p, "hog", "200").Wait(t); !cgrouptest.Killed(err) {
		t.Fatal(err)
	}
	cgrouptest.Eventually(t, "critical pressure", func() bool {
		if err := i.Usage(c, &u); err != nil {
			t.Fatal(err)
		}
		return u.GetMemCriticalPressureCounter() > 0
	})
}
