package check

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

// world is a shell under virtual time that answers as chance has it, and
// watches the laws.
type world struct {
	t       *rapid.T
	m       *Machine
	task    *mesos.TaskInfo
	now     time.Time
	begun   time.Time
	stopped bool
	open    [2]Effect
	closed  [2]time.Time // end of the last probe
	told    *mesos.CheckStatusInfo
	// The oracle of health, by what the probes said alone.
	outcomes []outcome
	judged   []Judged
}

type outcome struct {
	at time.Duration
	ok bool
}

func (w *world) step(in Input) {
	for _, e := range w.m.Step(w.now, in) {
		if w.stopped {
			if _, ok := e.(Cancel); !ok {
				w.t.Fatalf("%T after Stop", e)
			}
		}
		w.watch(e)
	}
}

func (w *world) watch(e Effect) {
	switch e := e.(type) {
	case Wait:
		w.free(e.Which)
		w.open[e.Which] = e
	case Run:
		w.free(e.Which)
		w.open[e.Which] = e
		if last := w.closed[e.Which]; !last.IsZero() && w.now.Sub(last) < w.interval(e.Which) {
			w.t.Fatalf("%s runs %s after it ended", e.Which, w.now.Sub(last))
		}
	case Cancel:
		if w.open[e.Which] == nil {
			w.t.Fatalf("%s is cancelled, but not open", e.Which)
		}
		w.open[e.Which] = nil
	case Judged:
		w.judged = append(w.judged, e)
	case Learned:
		if proto.Equal(e.Status, w.told) {
			w.t.Fatalf("told again: %v", e.Status)
		}
		w.told = e.Status
	}
}

func (w *world) free(which Which) {
	if w.open[which] != nil {
		w.t.Fatalf("%s has two things open", which)
	}
}

func (w *world) interval(which Which) time.Duration {
	s := w.task.GetCheck().GetIntervalSeconds()
	if which == Health {
		s = w.task.GetHealthCheck().GetIntervalSeconds()
	}
	return max(time.Duration(s*float64(time.Second)), LeastInterval)
}

// answer lets one open thing happen.
func (w *world) answer(which Which) {
	switch e := w.open[which].(type) {
	case Wait:
		w.now = w.now.Add(e.After)
		w.open[which] = nil
		w.step(Due{Which: which})
	case Run:
		r := rapid.SampledFrom([]Result{{Code: 200, Connected: true}, {Code: 503}, {Err: errors.New("late")}}).Draw(w.t, "result")
		w.open[which] = nil
		w.closed[which] = w.now
		if which == Health {
			w.outcomes = append(w.outcomes, outcome{w.now.Sub(w.begun), r.Err == nil && r.Code == 200})
		}
		w.step(Done{Which: which, Result: r})
	}
}

// oracle judges all outcomes at once.
func (w *world) oracle() []Judged {
	h := w.task.GetHealthCheck()
	grace := time.Duration(h.GetGracePeriodSeconds() * float64(time.Second))
	var want []Judged
	row, proven := 0, false
	for _, o := range w.outcomes {
		switch {
		case o.ok && (!proven || row > 0):
			want = append(want, Judged{Healthy: true})
			fallthrough
		case o.ok:
			row, proven = 0, true
		case !proven && grace > 0 && o.at <= grace:
		default:
			row++
			want = append(want, Judged{Failures: row, Kill: row >= int(h.GetConsecutiveFailures())})
		}
	}
	return want
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seconds := rapid.Float64Range(0, 30)
		task := httpHealth(func(h *mesos.HealthCheck) {
			h.DelaySeconds, h.IntervalSeconds = ptr(seconds.Draw(rt, "delay")), ptr(seconds.Draw(rt, "interval"))
			h.GracePeriodSeconds = ptr(seconds.Draw(rt, "grace"))
			h.ConsecutiveFailures = ptr(rapid.Uint32Range(0, 4).Draw(rt, "failures"))
		})
		task.Check = tcpCheck().Check
		task.Check.IntervalSeconds = ptr(seconds.Draw(rt, "check interval"))
		w := &world{t: rt, m: New(task), task: task, now: time.Unix(5, 0), begun: time.Unix(5, 0)}
		w.told = w.m.Unknown()
		w.step(Start{})
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
			w.answer(Which(rapid.IntRange(0, 1).Draw(rt, "which")))
		}
		w.stopped = true
		w.step(Stop{})
		if w.open[Health] != nil || w.open[General] != nil {
			rt.Fatalf("open after Stop: %v", w.open)
		}
		w.step(Due{Which: Health})
		w.step(Done{Which: General})
		w.compare()
	})
}

func (w *world) compare() {
	want := w.oracle()
	if len(want) != len(w.judged) {
		w.t.Fatalf("judged %v, want %v", w.judged, want)
	}
	for i, g := range w.judged {
		if (g.Cause == "") != g.Healthy {
			w.t.Fatalf("cause %q of %+v", g.Cause, g)
		}
		g.Cause = ""
		if g != want[i] {
			w.t.Fatalf("judgement %d is %+v, want %+v", i, g, want[i])
		}
	}
}
