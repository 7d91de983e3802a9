package timings

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// told is what a window of an hour puts by "t" at a time.
func told(w *Window, now time.Time) map[string]float64 {
	figures := make(map[string]float64)
	w.Put(now, "t", func(key string, value float64) { figures[key] = value })
	return figures
}

func TestPut(t *testing.T) {
	type sample struct{ at, took time.Duration }
	for name, c := range map[string]struct {
		samples []sample
		now     time.Duration
		want    map[string]float64
	}{
		"none": {want: map[string]float64{"t/count": 0}},
		"one": {
			samples: []sample{{0, 2 * time.Millisecond}},
			want:    map[string]float64{"t": 2, "t/count": 1, "t/max": 2, "t/min": 2, "t/p50": 2, "t/p90": 2, "t/p95": 2, "t/p99": 2, "t/p999": 2, "t/p9999": 2},
		},
		"between two": {
			samples: []sample{{0, 3 * time.Millisecond}, {1, time.Millisecond}}, now: time.Second,
			want: map[string]float64{"t": 1, "t/count": 2, "t/max": 3, "t/min": 1, "t/p50": 2, "t/p90": 2.8, "t/p95": 2.9, "t/p99": 2.98, "t/p999": 2.998, "t/p9999": 2.9998},
		},
		"the first is of an hour ago": {
			samples: []sample{{0, 9 * time.Millisecond}, {1, time.Microsecond}}, now: time.Hour + 1,
			want: map[string]float64{"t": 0.001, "t/count": 1, "t/max": 0.001, "t/min": 0.001, "t/p50": 0.001, "t/p90": 0.001, "t/p95": 0.001, "t/p99": 0.001, "t/p999": 0.001, "t/p9999": 0.001},
		},
		"all are older": {
			samples: []sample{{0, time.Millisecond}}, now: 2 * time.Hour,
			want: map[string]float64{"t": 1, "t/count": 0},
		},
		"a clock set back": {
			samples: []sample{{0, -time.Millisecond}},
			want:    map[string]float64{"t": 0, "t/count": 1, "t/max": 0, "t/min": 0, "t/p50": 0, "t/p90": 0, "t/p95": 0, "t/p99": 0, "t/p999": 0, "t/p9999": 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(time.Hour)
			for _, s := range c.samples {
				w.Add(noon.Add(s.at), s.took)
			}
			same := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
			if got := told(w, noon.Add(c.now)); !maps.EqualFunc(got, c.want, same) {
				t.Errorf("put %v, want %v", got, c.want)
			}
		})
	}
}

// TestWindowIsBoundedAndTrue compares a window with all that was ever added.
func TestWindowIsBoundedAndTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := New(time.Hour), noon
		var at []time.Time
		var all []time.Duration
		step := rapid.Int64Range(0, int64(20*time.Second))
		n := rapid.IntRange(1, 2*Capacity+10).Draw(t, "timings")
		pace, spread := step.Draw(t, "pace"), rapid.Int64Range(1, int64(time.Minute)).Draw(t, "spread")
		for i := range n {
			now = now.Add(time.Duration(pace))
			took := time.Duration((int64(i)*7919 + pace) % spread)
			w.Add(now, took)
			at, all = append(at, now), append(all, took)
		}
		now = now.Add(time.Duration(step.Draw(t, "later")))
		if len(w.kept) > Capacity {
			t.Fatalf("%d timings are kept", len(w.kept))
		}
		var valid []time.Duration
		for i := max(0, n-Capacity); i < n; i++ {
			if now.Sub(at[i]) <= time.Hour {
				valid = append(valid, all[i])
			}
		}
		checkSpread(t, told(w, now), valid, all[n-1])
	})
}

// checkSpread holds figures against the timings that they are of.
func checkSpread(t *rapid.T, figures map[string]float64, valid []time.Duration, last time.Duration) {
	if figures["t"] != milliseconds(last) || figures["t/count"] != float64(len(valid)) {
		t.Fatalf("last %v of %v, want %v of %d", figures["t"], figures["t/count"], milliseconds(last), len(valid))
	}
	if len(valid) == 0 {
		return
	}
	slices.Sort(valid)
	if figures["t/min"] != milliseconds(valid[0]) || figures["t/max"] != milliseconds(valid[len(valid)-1]) {
		t.Fatalf("from %v to %v, want %v", figures["t/min"], figures["t/max"], valid)
	}
	before := figures["t/min"]
	for _, q := range quantiles {
		v := figures["t"+q.suffix]
		below := 0 // how many timings are not above it
		for _, d := range valid {
			if milliseconds(d) <= v+1e-6 {
				below++
			}
		}
		if v < before-1e-9 || v > figures["t/max"]+1e-9 || below < int(q.of*float64(len(valid)-1))+1 {
			t.Fatalf("%s is %v, after %v, above %d of %d", q.suffix, v, before, below, len(valid))
		}
		before = v
	}
}

func BenchmarkAdd(b *testing.B) {
	w := New(time.Hour)
	for i := range b.N {
		w.Add(noon.Add(time.Duration(i)), time.Duration(i))
	}
}

func BenchmarkPutFull(b *testing.B) {
	w := New(time.Hour)
	for i := range Capacity {
		w.Add(noon, time.Duration(i*7919%Capacity))
	}
	for b.Loop() {
		w.Put(noon, "t", func(string, float64) {})
	}
}
