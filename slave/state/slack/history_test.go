package slack

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// step is sample n of a history.
func stepOf(n int, containers ...Container) Sample {
	return Sample{At: time.Unix(1000, 0).Add(time.Duration(n) * HistoryStep), Containers: containers}
}

// busy has used cpus from the first sample to the nth.
func busy(n int, id, role, has string, cpus float64, memory uint64) Container {
	c := container(id, has, time.Duration(float64(n)*cpus*float64(HistoryStep)))
	c.Role, c.Memory = role, memory
	return c
}

// find is nil if nothing is known.
func find(all []view.Slack, role string, window time.Duration) *view.Slack {
	for _, s := range all {
		if s.Role == role && s.Window == window {
			return &s
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*max(1, math.Abs(b)) }

func TestHistory(t *testing.T) {
	h := NewHistory()
	var all []view.Slack
	// 60 samples: a uses half a CPU of 2, but for the 31st to the 35th all; b, of the
	// same role, a quarter of 1; another role's has all that it uses.
	used := 0.0
	for n := range 61 {
		a := busy(n, "a", "web", "cpus:2;mem:100", 0, 30<<20)
		if n > 0 {
			if used += 0.5; n > 30 && n <= 35 {
				used += 1.5
			}
		}
		a.CPU = time.Duration(used * float64(HistoryStep))
		all = h.Add(stepOf(n, a, busy(n, "b", "web", "cpus:1;mem:50", 0.25, 10<<20), busy(n, "c", "ops", "cpus:0.5;mem:10", 0.5, 10<<20)))
	}
	if len(all) != 8 || !slices.IsSortedFunc(all, func(a, b view.Slack) int {
		return slices.Compare([]string{a.Role, fmt.Sprintf("%9d", a.Window/time.Second)}, []string{b.Role, fmt.Sprintf("%9d", b.Window/time.Second)})
	}) {
		t.Fatalf("%d windows: %+v", len(all), all)
	}
	ten := find(all, "web", 10*time.Minute)
	if ten.Covers != 10*time.Minute || !near(ten.CPUs.Allocated, 3) || !near(ten.CPUs.Used, 0.75+1.5*5/60) || !near(ten.CPUs.Peak, 2.25) ||
		!near(ten.CPUs.P95, 2.25) || !near(ten.CPUs.Slack, 0.75) {
		t.Errorf("CPUs of ten minutes are %+v", ten)
	}
	if !near(ten.Mem.Allocated, 150<<20) || !near(ten.Mem.P95, 40<<20) || !near(ten.Mem.Slack, 110<<20) {
		t.Errorf("memory of ten minutes is %+v", ten.Mem)
	}
	if one := find(all, "web", time.Minute); one.Covers != time.Minute || !near(one.CPUs.P95, 0.75) || !near(one.CPUs.Slack, 2.25) {
		t.Errorf("one minute is %+v", one)
	}
	// 61 samples are known, 5 of them were busy and the first knew nothing: more
	// than 5 of 100.
	if hour := find(all, "web", time.Hour); hour.Covers != 61*HistoryStep || !near(hour.CPUs.Peak, 3) || !near(hour.CPUs.P95, 2.25) {
		t.Errorf("an hour is %+v", hour)
	}
	if day := find(all, "web", 24*time.Hour); day.Covers != 10*time.Minute || !near(day.CPUs.Peak, (5*2.25+0.75)/6) {
		t.Errorf("a day is %+v", day)
	}
	if ops := find(all, "ops", 10*time.Minute); !near(ops.CPUs.Slack, 0) || !near(ops.CPUs.Used, 0.5) {
		t.Errorf("the other role is %+v", ops)
	}
	if first := NewHistory().Add(stepOf(0, busy(0, "a", "web", "cpus:1", 0, 0))); len(first) != 4 || first[3].Covers != HistoryStep {
		t.Errorf("after one sample %+v is known", first)
	}
	if again := h.Add(stepOf(60)); !slices.Equal(again, all) {
		t.Errorf("a sample of the same moment makes it %+v", again)
	}
}

// What is lent is nobody's to lend on, and what is not measured is used.
func TestHistoryOfOthers(t *testing.T) {
	h := NewHistory()
	var all []view.Slack
	for n := range 10 {
		lent := Container{ID: "l", Role: "r", Allocated: revocable(resources.MustParse("cpus:2")), Measured: true}
		all = h.Add(stepOf(n, lent, Container{ID: "u", Role: "u", Allocated: resources.MustParse("cpus:2;mem:5")}))
	}
	if r := find(all, "r", time.Minute); !near(r.CPUs.Allocated, 2) || r.CPUs.Slack != 0 || r.CPUs.Used != 0 {
		t.Errorf("what is lent is %+v", r)
	}
	if u := find(all, "u", time.Minute); !near(u.CPUs.Used, 2) || u.CPUs.Slack != 0 || !near(u.Mem.Used, 5<<20) || u.Mem.Slack != 0 {
		t.Errorf("what is not measured is %+v", u)
	}
}

// A role is forgotten a day after it had something, and there are not more of them
// than are kept.
func TestHistoryIsBounded(t *testing.T) {
	h := NewHistory()
	var many []Container
	for i := range maxRoles + 10 {
		many = append(many, busy(0, fmt.Sprint(i), fmt.Sprintf("r%03d", i), "cpus:1", 0, 0))
	}
	if all := h.Add(stepOf(0, many...)); len(h.roles) != maxRoles || find(all, "r000", time.Minute) == nil {
		t.Errorf("%d roles are kept", len(h.roles))
	}
	h = NewHistory()
	h.Add(stepOf(0, busy(0, "a", "web", "cpus:1", 0, 0)))
	day := int(24 * time.Hour / HistoryStep)
	for n := 1; n <= day; n++ {
		if all := h.Add(stepOf(n)); len(all) == 0 {
			t.Fatalf("it is forgotten after %d samples", n)
		}
	}
	s := h.roles["web"]
	if len(s.samples.list) != samplesKept || len(s.means.list) > meansKept {
		t.Errorf("%d samples and %d means are kept", len(s.samples.list), len(s.means.list))
	}
	for n := range 2 * stepsPerMean {
		h.Add(stepOf(day + 1 + n))
	}
	if len(h.roles) != 0 {
		t.Error("it is not forgotten")
	}
}

// The ring's newest are those that were added last.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, n := rapid.IntRange(1, 8).Draw(t, "limit"), rapid.IntRange(0, 30).Draw(t, "added")
		var r ring
		var all []float32
		for i := range n {
			r.add(use{cpus: part{used: float32(i)}}, limit)
			all = append(all, float32(i))
		}
		of := rapid.IntRange(1, limit).Draw(t, "of")
		var got []float32
		for _, u := range r.last(of) {
			got = append(got, u.cpus.used)
		}
		slices.Sort(got)
		if want := all[max(0, n-of):]; !slices.Equal(got, want) {
			t.Fatalf("the last %d are %v, want %v", of, got, want)
		}
	})
}

// However containers come, go and use: slack is neither negative nor more than
// what is allocated, peaks are not below p95, and with one role of own resources
// slack and p95 make what is allocated.
func TestHistoryMakesSense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHistory()
		has := rapid.IntRange(1, 8).Draw(t, "has")
		used := time.Duration(0)
		for n := range rapid.IntRange(1, 80).Draw(t, "samples") {
			used += time.Duration(rapid.Float64Range(0, float64(has)).Draw(t, "rate") * float64(HistoryStep))
			c := container("a", fmt.Sprintf("cpus:%d;mem:64", has), used)
			c.Memory = rapid.Uint64Range(0, 64<<20).Draw(t, "memory")
			for _, s := range h.Add(stepOf(n, c)) {
				for _, l := range []view.Left{s.CPUs, s.Mem} {
					if l.Slack < 0 || l.Slack > l.Allocated*1.001 || l.Peak < l.P95 || l.Used > l.Peak*1.001+0.001 {
						t.Fatalf("%+v", s)
					}
					if !near(l.Slack+l.P95, l.Allocated) {
						t.Fatalf("%v left and %v used do not make %v", l.Slack, l.P95, l.Allocated)
					}
				}
				if s.Covers > s.Window || s.Covers <= 0 {
					t.Fatalf("%v of %v are known", s.Covers, s.Window)
				}
			}
		}
	})
}

// BenchmarkHistory adds a sample of 500 containers of 10 roles, of which an hour
// is known.
func BenchmarkHistory(b *testing.B) {
	h, n := NewHistory(), 0
	sample := func() Sample {
		var list []Container
		for i := range 500 {
			list = append(list, busy(n, fmt.Sprint(i), fmt.Sprint("r", i%10), "cpus:1;mem:64", 0.5, 1<<20))
		}
		n++
		return stepOf(n, list...)
	}
	for range samplesKept {
		h.Add(sample())
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		s := sample()
		b.StartTimer()
		h.Add(s)
	}
}
