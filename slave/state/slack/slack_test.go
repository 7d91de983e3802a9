package slack

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// at is a sample n minutes after the first, of containers by what they have and
// have used.
func at(n int, containers ...Container) Sample {
	return Sample{At: time.Unix(1000, 0).Add(time.Duration(n) * time.Minute), Containers: containers}
}

func container(id, has string, used time.Duration) Container {
	return Container{ID: id, Allocated: resources.MustParse(has), Measured: true, CPU: used}
}

func lentCPUs(t *testing.T, r resources.Resources) float64 {
	t.Helper()
	for e := range r.All() {
		if e.Name() != resources.CPUs || !e.Revocable() || e.AllocatedTo() != "" {
			t.Errorf("%v is lent", e)
		}
	}
	return r.Scalar(resources.CPUs).Float()
}

func TestUsage(t *testing.T) {
	u := NewUsage()
	// Of 4 CPUs one is used: a minute of time in each.
	cpu := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for n, want := range []float64{0, 0, 0, 0, 2.4, 2.4} { // the first has no rate
		if got := lentCPUs(t, u.Estimate(at(n, container("a", "cpus:4", cpu(n))))); got != want {
			t.Errorf("sample %d: %v is lent, want %v", n, got, want)
		}
	}
	// It wakes up for a minute: nothing is lent, and for three samples more.
	for n, want := range []float64{0, 0, 0, 0, 2.4} {
		got := lentCPUs(t, u.Estimate(at(6+n, container("a", "cpus:4", cpu(5)+4*time.Minute+cpu(n)))))
		if got != want {
			t.Errorf("sample %d after it woke: %v is lent, want %v", n, got, want)
		}
	}
	again := at(10, container("a", "cpus:4", 0))
	if got := lentCPUs(t, u.Estimate(again)); got != 2.4 {
		t.Errorf("a sample of the same moment: %v is lent", got)
	}
	if got := lentCPUs(t, u.Estimate(at(11))); got != 0 {
		t.Errorf("with the container gone %v is lent", got)
	}
}

// TestUsageOfOthers: what is not known is used, and what was lent is not lent on.
func TestUsageOfOthers(t *testing.T) {
	u := NewUsage()
	lentOut := Container{ID: "r", Allocated: revocable(resources.MustParse("cpus:2")), Measured: true}
	unmeasured := Container{ID: "u", Allocated: resources.MustParse("cpus:2")}
	var got float64
	for n := range 8 {
		fresh := container(fmt.Sprint("new", n), "cpus:2", 0)
		got = lentCPUs(t, u.Estimate(at(n, lentOut, unmeasured, fresh, container("a", "cpus:1;mem:64", 0))))
	}
	if got != 0.8 {
		t.Errorf("%v is lent, want the idle container's but for a fifth", got)
	}
}

// TestUsageIsConservative: never more is lent than the slack of any of the last
// samples.
func TestUsageIsConservative(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		u := NewUsage()
		used := map[int]time.Duration{}
		for n := range 12 {
			var s []Container
			slack := 0.0
			for id := range rapid.IntRange(0, 4).Draw(rt, "containers") {
				rate := rapid.Float64Range(0, 3).Draw(rt, "rate")
				used[id] += time.Duration(rate * float64(time.Minute))
				s = append(s, container(fmt.Sprint(id), "cpus:2", used[id]))
				slack += max(0, 2-rate)
			}
			if got := u.Estimate(at(n, s...)).Scalar(resources.CPUs).Float(); got > slack+0.01 {
				rt.Fatalf("%v is lent of a slack of %v", got, slack)
			}
		}
	})
}

func TestFixed(t *testing.T) {
	f := NewFixed(resources.MustParse("cpus:2;mem:64"))
	for n := range 2 {
		if got := f.Estimate(at(n)); got.String() != revocable(resources.MustParse("cpus:2;mem:64")).String() || got.Len() != 2 {
			t.Errorf("%v is lent", got)
		}
	}
}

func TestLoad(t *testing.T) {
	s := at(0, container("a", "cpus:1", 0), Container{ID: "r", Allocated: revocable(resources.MustParse("cpus:2"))})
	for _, c := range []struct {
		five, fifteen float64
		load          [3]float64
		want          string
	}{
		{4, 0, [3]float64{9, 4, 9}, ""},
		{4, 0, [3]float64{0, 4.5, 0}, "the load of 5 minutes, 4.50, is above 4"},
		{0, 2, [3]float64{9, 9, 2}, ""},
		{4, 2, [3]float64{9, 1, 2.25}, "the load of 15 minutes, 2.25, is above 2"},
		{4, 2, [3]float64{-1, -1, -1}, ""},
	} {
		s.Load = c.load
		got := Load{FiveMinutes: c.five, FifteenMinutes: c.fifteen}.Correct(s)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || got[0] != Correction{"r", c.want}) {
			t.Errorf("load %v: %v, want %q", c.load, got, c.want)
		}
	}
}
