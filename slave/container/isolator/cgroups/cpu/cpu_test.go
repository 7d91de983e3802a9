package cpu

import (
	"math"
	"testing"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/tools/cgrouptest"
)

func newIsolator(t testing.TB, s Settings) *Isolator {
	t.Helper()
	i, err := New(cgrouptest.Tree(t), s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func container(name string, cpus float64) *isolator.Container {
	return &isolator.Container{ID: []string{name}, Amounts: isolator.Amounts{CPUs: cpus}}
}

func limit(x float64) *float64 { return &x }

func usage(t testing.TB, i *Isolator, c *isolator.Container) *mesos.ResourceStatistics {
	t.Helper()
	u := &mesos.ResourceStatistics{}
	if err := i.Usage(c, u); err != nil {
		t.Fatal(err)
	}
	return u
}

func used(t testing.TB, i *Isolator, c *isolator.Container) float64 {
	u := usage(t, i, c)
	return u.GetCpusUserTimeSecs() + u.GetCpusSystemTimeSecs()
}

// Two that want all of one CPU get it as they requested it.
func TestShares(t *testing.T) {
	i := newIsolator(t, Settings{})
	large, small := container("large", 1), container("small", 0.25)
	largePlan, smallPlan := cgrouptest.Prepare(t, large, i), cgrouptest.Prepare(t, small, i)
	cgrouptest.Start(t, largePlan, "spin", "0")
	cgrouptest.Start(t, smallPlan, "spin", "0")
	divided(t, i, large, small, 4)
	// Live: they change places.
	large.Amounts.CPUs, small.Amounts.CPUs = 0.25, 1
	for _, c := range []*isolator.Container{large, small} {
		if err := i.Update(c); err != nil {
			t.Fatal(err)
		}
	}
	divided(t, i, small, large, 4)
}

// divided says that a gets times as much CPU time as b, within 10 %: while both
// get a second together, in one of thirty such whiles, or in all of them so far.
// Other programs of the machine take time from both, but unevenly for a moment; and
// where the machine itself has to wait for its CPUs, as an emulated one has, that is
// the time of whoever runs just then.
func divided(t *testing.T, i *Isolator, a, b *isolator.Container, times float64) {
	t.Helper()
	cgrouptest.Eventually(t, "both run", func() bool { return used(t, i, a) > 0 && used(t, i, b) > 0 })
	fits := func(ratio float64) bool { return ratio >= times*0.9 && ratio <= times*1.1 }
	var seen []float64
	aFirst, bFirst := used(t, i, a), used(t, i, b)
	for range 30 {
		a0, b0 := used(t, i, a), used(t, i, b)
		cgrouptest.Eventually(t, "CPU time", func() bool { return used(t, i, a)+used(t, i, b) > a0+b0+1 })
		aNow, bNow := used(t, i, a), used(t, i, b)
		seen = append(seen, (aNow-a0)/(bNow-b0))
		if all := (aNow - aFirst) / (bNow - bFirst); fits(seen[len(seen)-1]) || fits(all) {
			t.Logf("%g was to be; seen: %.2f, in all %.2f", times, seen, all)
			return
		}
	}
	t.Errorf("%g times as much was to be; seen: %.2f", times, seen)
}

// Without the isolator both get the same.
func TestNoSharesWithoutIsolator(t *testing.T) {
	i := newIsolator(t, Settings{})
	large, small := container("large", 1), container("small", 0.25)
	large.Shared, small.Shared = true, true // are measured, and get no shares
	cgrouptest.Start(t, cgrouptest.Prepare(t, large, i), "spin", "0")
	cgrouptest.Start(t, cgrouptest.Prepare(t, small, i), "spin", "0")
	divided(t, i, large, small, 1)
}

// A program with a quota gets no more, though its CPU is idle. Time is that of
// the kernel's periods.
func TestQuota(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		amounts  isolator.Amounts
		part     float64
	}{
		"by request": {Settings{CFS: true}, isolator.Amounts{CPUs: 0.2}, 0.2},
		"by limit":   {Settings{}, isolator.Amounts{CPUs: 0.1, CPULimit: limit(0.3)}, 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIsolator(t, c.settings)
			box := &isolator.Container{ID: []string{"box"}, Amounts: c.amounts}
			cgrouptest.Start(t, cgrouptest.Prepare(t, box, i), "spin", "1")
			held(t, i, box, c.part)
			box.Amounts.CPULimit = limit(math.Inf(1))
			if err := i.Update(box); err != nil {
				t.Fatal(err)
			}
			throttled := usage(t, i, box).GetCpusNrThrottled()
			before := used(t, i, box)
			cgrouptest.Eventually(t, "half a second of CPU", func() bool { return used(t, i, box) > before+0.5 })
			if now := usage(t, i, box).GetCpusNrThrottled(); now > throttled+1 {
				t.Errorf("throttled %d times without a limit", now-throttled)
			}
		})
	}
}

// held waits until a program that wants a whole CPU was held to a part of one. The
// period that has not ended yet counts for nothing, and what a period lends beyond
// its end counts in the next: both weigh less the more periods there were.
func held(t *testing.T, i *Isolator, c *isolator.Container, part float64) {
	t.Helper()
	var seen []float64
	for throttled := uint32(10); throttled <= 80; throttled *= 2 {
		var u *mesos.ResourceStatistics
		cgrouptest.Eventually(t, "throttling", func() bool {
			u = usage(t, i, c)
			return u.GetCpusNrThrottled() >= throttled && u.GetCpusThrottledTimeSecs() > 0
		})
		is := (u.GetCpusUserTimeSecs() + u.GetCpusSystemTimeSecs()) / (float64(u.GetCpusNrPeriods()) * period.Seconds())
		if seen = append(seen, is); is <= part*1.15 {
			return
		}
	}
	t.Errorf("at most %g of a CPU was to be; seen: %.3f", part, seen)
}

func TestNoQuotaWithoutLimit(t *testing.T) {
	i := newIsolator(t, Settings{})
	c := container("free", 0.1)
	cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "spin", "1")
	cgrouptest.Eventually(t, "a second of CPU", func() bool { return used(t, i, c) > 1 })
	if n := usage(t, i, c).GetCpusNrThrottled(); n > 0 {
		t.Errorf("throttled %d times", n)
	}
}

// A nested quota beyond the one around it, which version 1 refuses, counts for
// nothing, whichever is set first.
func TestNestedQuota(t *testing.T) {
	i := newIsolator(t, Settings{CFS: true})
	outer := container("outer", 0.5)
	inner := &isolator.Container{ID: []string{"outer", "inner"}, Parent: outer, Amounts: isolator.Amounts{CPUs: 0.8}}
	cgrouptest.Prepare(t, outer, i)
	cgrouptest.Prepare(t, inner, i)
	for _, cpus := range []float64{1, 0.3} {
		inner.Amounts.CPUs = 0.9
		outer.Amounts.CPUs = cpus
		for _, c := range []*isolator.Container{outer, inner, outer} {
			if err := i.Update(c); err != nil {
				t.Fatalf("%g: %v", cpus, err)
			}
		}
	}
	if found, err := i.Recover(t.Context()); err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestCount(t *testing.T) {
	i := newIsolator(t, Settings{Count: true})
	c := container("counted", 1)
	g := cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "wait")
	u := usage(t, i, c)
	if u.GetProcesses() != 1 || u.GetThreads() < 1 {
		t.Errorf("%v", u)
	}
	g.Kill(t)
	if u := usage(t, newIsolator(t, Settings{}), c); u.Processes != nil || u.CpusUserTimeSecs != nil {
		t.Errorf("of an unknown container: %v", u)
	}
}

func TestFormulas(t *testing.T) {
	plain, low := &Isolator{}, &Isolator{settings: Settings{LowPriority: true, CFS: true}}
	for _, c := range []struct {
		i              *Isolator
		amounts        isolator.Amounts
		shares, weight uint64
		quota          time.Duration
	}{
		{plain, isolator.Amounts{CPUs: 1}, 1024, 100, -1},
		{plain, isolator.Amounts{CPUs: 0.001}, 2, 1, -1},
		{plain, isolator.Amounts{CPUs: 1.5, CPULimit: limit(2.5)}, 1536, 150, 250 * time.Millisecond},
		{plain, isolator.Amounts{CPUs: 1, CPULimit: limit(0)}, 1024, 100, time.Millisecond},
		{plain, isolator.Amounts{CPUs: 1000}, 1 << 18, 10000, -1},
		{plain, isolator.Amounts{CPUs: math.NaN(), CPULimit: limit(math.NaN())}, 2, 1, time.Millisecond},
		{plain, isolator.Amounts{CPUs: 2, Revocable: true}, 2048, 200, -1},
		{low, isolator.Amounts{CPUs: 2, Revocable: true}, 20, 2, 200 * time.Millisecond},
		{low, isolator.Amounts{CPUs: 2}, 2048, 200, 200 * time.Millisecond},
		{low, isolator.Amounts{CPUs: 2, CPULimit: limit(math.Inf(1))}, 2048, 200, -1},
		{low, isolator.Amounts{CPUs: 1e300}, 1 << 18, 10000, maxQuota},
	} {
		if s, w, q := c.i.shares(c.amounts), c.i.weight(c.amounts), c.i.quota(c.amounts); s != c.shares || w != c.weight || q != c.quota {
			t.Errorf("%+v: %d shares, weight %d, quota %v; want %d, %d, %v", c.amounts, s, w, q, c.shares, c.weight, c.quota)
		}
	}
}

func BenchmarkPrepareAndCleanup(b *testing.B) {
	i := newIsolator(b, Settings{CFS: true})
	c := container("bench", 1)
	b.ReportAllocs()
	for b.Loop() {
		cgrouptest.PrepareOnce(b, c, i)
	}
}

func BenchmarkUsage(b *testing.B) {
	i := newIsolator(b, Settings{CFS: true})
	c := container("bench", 1)
	cgrouptest.Prepare(b, c, i)
	u := &mesos.ResourceStatistics{}
	b.ReportAllocs()
	for b.Loop() {
		if err := i.Usage(c, u); err != nil {
			b.Fatal(err)
		}
	}
}
