package plan

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

const everyTen = "R/2026-03-01T00:00:00Z/PT10M"

func kindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) && len(e.Problems) > 0 {
		return e.Kind
	}
	return -1
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s at %s:\n got %s\nwant %s", what, w.now.Format("15:04:05"), got, want)
	}
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		overlap Overlap
		live    int
		want    string
	}{
		{"", 1, "00:10 skipped, 00:20 skipped, 00:00 succeeded"},
		{Skip, 1, "00:10 skipped, 00:20 skipped, 00:00 succeeded"},
		{Allow, 3, "00:00 succeeded, 00:10 succeeded, 00:20 succeeded"},
		{KillExisting, 1, "00:20 skipped, 00:00 killed, 00:10 succeeded"},
	} {
		t.Run(string(c.overlap), func(t *testing.T) {
			w := newWorld(t, Options{})
			w.mustPut(scheduled("a", everyTen, Policy{Overlap: c.overlap}))
			w.pass(25 * time.Minute)
			if n := len(w.live("a")); n != c.live {
				t.Errorf("%d run", n)
			}
			if c.overlap == KillExisting {
				first := w.live("a")[0]
				if w.tasks[first].kills == 0 {
					t.Error("the first is not killed")
				}
				w.end(first, Killed)
				w.settle()
			}
			w.endAll("a", Succeeded)
			w.want("history", w.history("a"), c.want)
		})
	}
}

func TestRetries(t *testing.T) {
	w := newWorld(t, Options{DisableAfter: 2})
	w.mustPut(scheduled("a", everyTen, Policy{Retries: 2, RetryDelay: 30 * time.Second}))
	for run := range 2 {
		for attempt := range 3 {
			if n := w.endAll("a", Failed); n != 1 {
				t.Fatalf("run %d, attempt %d: %d tasks", run, attempt, n)
			}
			w.pass(29 * time.Second)
			if n := len(w.live("a")); n != 0 {
				t.Fatalf("run %d: tried again before its delay", run)
			}
			w.pass(time.Second)
		}
		w.until(begin.Add(time.Duration(run+1) * 10 * time.Minute))
	}
	s := w.views["a"].State
	w.want("counts", fmt.Sprint(s.Successes, s.Errors, s.ErrorsSinceSuccess), "0 2 2")
	w.want("notices", strings.Join(w.notices, "; "), strings.Repeat("a: attempt failed; a: attempt failed; a: retries exhausted; ", 2)+"a: job disabled")
	w.pass(time.Hour)
	if len(w.live("a")) != 0 || !w.views["a"].Job.Policy.Disabled {
		t.Error("a disabled job runs")
	}
}

func TestMissedRuns(t *testing.T) {
	for _, c := range []struct {
		name    string
		epsilon time.Duration
		live    int
		want    string
	}{
		{"caught up once", 0, 1, "00:00 succeeded"},
		{"within epsilon", 6 * time.Minute, 1, "00:00 succeeded"},
		{"later than epsilon", 4 * time.Minute, 0, "00:00 succeeded, 00:50 missed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.mustPut(scheduled("a", "R9/2026-03-01T00:00:00Z/PT10M", Policy{Epsilon: c.epsilon}))
			w.endAll("a", Succeeded)
			w.now = w.now.Add(55 * time.Minute)
			w.start()
			w.settle()
			live := w.live("a")
			if len(live) != c.live {
				t.Fatalf("%q run", live)
			}
			if c.live == 1 && !w.tasks[live[0]].run.Due.Equal(begin.Add(50*time.Minute)) {
				t.Errorf("run of %s", w.tasks[live[0]].run.Due)
			}
			w.want("history", w.history("a"), c.want)
			w.want("schedule", w.views["a"].Schedule, "R7/2026-03-01T01:00:00.000Z/PT10M")
		})
	}
}

func TestAnEndOfRepetitions(t *testing.T) {
	w := newWorld(t, Options{})
	w.mustPut(scheduled("once", "R1//PT2M", Policy{Retries: 1, RetryDelay: time.Second}))
	w.mustPut(scheduled("never", "R0//PT0M", Policy{}))
	w.endAll("once", Failed) // the retry of a last run takes no repetition
	w.pass(time.Second)
	w.endAll("once", Succeeded)
	w.pass(time.Hour)
	if v := w.views["once"]; !v.Job.Policy.Disabled || !strings.HasPrefix(v.Schedule, "R0/") || len(w.live("once")) > 0 {
		t.Errorf("once is %+v", v)
	}
	if v := w.views["never"]; v.Job.Policy.Disabled || len(v.State.History) > 0 {
		t.Errorf("never is %+v", v)
	}
}

func TestJoinsAndSoftErrors(t *testing.T) {
	w := newWorld(t, Options{})
	for _, name := range []string{"a", "b"} {
		w.mustPut(scheduled(name, "R0//PT0M", Policy{SoftError: name == "b"}))
	}
	w.mustPut(dependent("c", "b", "a", "b"))
	run := func(name string, o Outcome) {
		t.Helper()
		if err := w.ask(func(n uint64) Input { return RunNow{Request: n, Name: name} }); err != nil {
			t.Fatal(err)
		}
		w.endAll(name, o)
	}
	run("a", Succeeded)
	run("a", Succeeded)
	if len(w.live("c")) != 0 {
		t.Error("c runs after one of its parents")
	}
	w.start() // what has joined survives
	w.settle()
	run("b", Failed)
	if len(w.live("c")) != 1 {
		t.Fatal("c does not run after a soft error")
	}
	run("a", Succeeded)
	run("b", Succeeded)
	if len(w.live("c")) != 1 {
		t.Error("c overlaps itself")
	}
	w.endAll("c", Succeeded)
	if len(w.live("c")) != 1 {
		t.Error("what its parents did meanwhile is lost")
	}
	w.endAll("c", Succeeded)
	run("a", Failed)
	if len(w.live("c")) != 0 || w.views["c"].State.Successes != 2 {
		t.Error("c runs after a failure")
	}
	if err := w.ask(func(n uint64) Input { return MarkSuccess{n, "a"} }); err != nil || w.views["a"].State.ErrorsSinceSuccess != 0 {
		t.Errorf("marked: %v", err)
	}
	run("b", Succeeded)
	if len(w.live("c")) != 1 {
		t.Error("a marked success does not count")
	}
}

func TestKillsAndDeletions(t *testing.T) {
	w := newWorld(t, Options{})
	w.mustPut(scheduled("a", everyTen, Policy{Retries: 3}))
	w.mustPut(dependent("b", "a"))
	if err := w.ask(func(n uint64) Input { return KillRuns{n, "a"} }); err != nil {
		t.Fatal(err)
	}
	first := w.live("a")[0]
	if w.tasks[first].kills != 1 {
		t.Error("not killed")
	}
	w.start()
	w.settle()
	if w.tasks[first].kills != 2 {
		t.Error("a new process does not insist")
	}
	w.endAll("a", Failed)
	w.want("history", w.history("a"), "00:00 killed")
	w.pass(10 * time.Minute)
	if err := w.ask(func(n uint64) Input { return Delete{Request: n, Name: "a"} }); kindOf(err) != Conflict || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("deleted with dependents: %v", err)
	}
	if err := w.ask(func(n uint64) Input { return Delete{Request: n, Name: "a", Cascade: true} }); err != nil {
		t.Fatal(err)
	}
	second := w.live("a")[0]
	w.mustPut(scheduled("a", "R0//PT0M", Policy{})) // of the same name, but not the same
	w.start()
	w.settle()
	if w.tasks[second].kills != 2 || len(w.views["a"].Runs) != 0 || w.views["b"] != nil {
		t.Error("what a deleted job runs is not seen to its end")
	}
	w.end(second, Killed)
	w.settle()
	if !w.tasks[second].acked || len(w.disk) != 3 { // a's job and state, and the last number
		t.Errorf("left on the disk: %d records", len(w.disk))
	}
}

func TestAsync(t *testing.T) {
	w := newWorld(t, Options{})
	w.mustPut(Job{Name: "a", Trigger: Trigger{Schedule: "R2//PT1H"}, Policy: Policy{Async: true}, MaxCompletion: 10 * time.Minute})
	id := w.live("a")[0]
	finish := func(task string, exit int) error {
		return w.ask(func(n uint64) Input { return Finish{n, task, exit} })
	}
	if k := kindOf(finish(id, 0)); k != Conflict {
		t.Errorf("finished before its command: %d", k)
	}
	if k := kindOf(finish("ct:1:2:x:9-9", 0)); k != Unknown {
		t.Errorf("finished what is unknown: %d", k)
	}
	w.endAll("a", Succeeded)
	w.start()
	w.settle()
	w.want("history", w.history("a"), "")
	if err := w.ask(func(n uint64) Input { return Progress{n, id, 7} }); err != nil {
		t.Error(err)
	}
	if err := finish(id, 0); err != nil || w.views["a"].State.History[0].Elements != 7 {
		t.Errorf("finished: %v", err)
	}
	w.want("history", w.history("a"), "23:59 succeeded")
	w.pass(time.Hour)
	w.endAll("a", Succeeded)
	w.pass(time.Hour)
	w.want("history", w.history("a"), "23:59 succeeded, 00:59 failed")
}

func TestTooLongARunIsKilled(t *testing.T) {
	w := newWorld(t, Options{})
	j := scheduled("a", "R1//PT1H", Policy{})
	j.MaxCompletion = 5 * time.Minute
	w.mustPut(j)
	id := w.live("a")[0]
	w.do(TaskStarted{id})
	w.tasks[id].running = true
	w.pass(4 * time.Minute)
	w.start() // the limit survives
	w.settle()
	w.pass(time.Minute)
	if w.tasks[id].kills == 0 {
		t.Fatal("not killed")
	}
	w.end(id, Killed)
	w.settle()
	w.want("history", w.history("a"), "23:59 failed")
}

func TestReplacing(t *testing.T) {
	w := newWorld(t, Options{})
	a := scheduled("a", "R5/2026-03-01T00:00:00Z/PT10M", Policy{})
	w.mustPut(a)
	w.endAll("a", Succeeded)
	a.Trigger.Schedule = w.views["a"].Schedule
	a.CPUs = 2
	w.mustPut(a)
	w.want("given back", w.views["a"].Schedule, "R4/2026-03-01T00:10:00.000Z/PT10M")
	a.Policy.Disabled = true
	w.mustPut(a)
	w.pass(35 * time.Minute)
	a.Policy.Disabled = false
	w.mustPut(a)
	if n := len(w.live("a")); n != 0 || w.views["a"].State.Successes != 1 {
		t.Errorf("%d runs of the time it was disabled", n)
	}
	w.pass(5 * time.Minute)
	if len(w.live("a")) != 1 {
		t.Error("not run after it was enabled")
	}
	w.mustPut(scheduled("b", "0 1 * * *", Policy{}))
	w.mustPut(dependent("a", "b"))
	w.want("no schedule any more", w.views["a"].Schedule, "")
	w.start()
	w.settle()
	w.mustPut(scheduled("a", "@hourly", Policy{}))
	w.want("a line", w.views["a"].Schedule+" "+w.views["a"].State.Due.Format("15:04"), "@hourly 01:00")
}

func TestBadJobs(t *testing.T) {
	w := newWorld(t, Options{})
	w.mustPut(scheduled("a", everyTen, Policy{}))
	w.mustPut(dependent("b", "a"))
	before := len(w.disk)
	for _, c := range []struct {
		name string
		job  Job
		want string
	}{
		{"no name", scheduled("", everyTen, Policy{}), "name"},
		{"name", scheduled("a/b", everyTen, Policy{}), "name"},
		{"neither", Job{Name: "x"}, "either a schedule or parents"},
		{"both", Job{Name: "x", Trigger: Trigger{Schedule: everyTen, Parents: []string{"a"}}}, "either a schedule or parents"},
		{"schedule", scheduled("x", "R/now/P1D", Policy{}), "position 3"},
		{"never", scheduled("x", "0 0 31 2 *", Policy{}), "never fires"},
		{"zone", Job{Name: "x", Trigger: Trigger{Schedule: everyTen, Zone: "Mars"}}, "tz database"},
		{"parents", dependent("x", "a", "nobody"), "no job is called nobody"},
		{"itself", dependent("x", "x"), "x → x"},
		{"cycle", dependent("a", "b"), "a → b → a"},
		{"overlap", scheduled("x", everyTen, Policy{Overlap: "maybe"}), "overlap"},
		{"retries", scheduled("x", everyTen, Policy{Retries: -1}), "retries"},
		{"delay", scheduled("x", everyTen, Policy{RetryDelay: -1}), "retryDelay"},
		{"cpus", Job{Name: "x", CPUs: math.NaN(), Trigger: Trigger{Schedule: everyTen}}, "cpus"},
		{"constraints", Job{Name: "x", Constraints: [][3]string{{"rack", "LIKE", "("}}, Trigger: Trigger{Schedule: everyTen}}, "regular expression"},
		{"operator", Job{Name: "x", Constraints: [][3]string{{"rack", "NEAR", "a"}}, Trigger: Trigger{Schedule: everyTen}}, "constraints[0][1]"},
		{"attribute", Job{Name: "x", Constraints: [][3]string{{"", "EQUALS", "a"}}, Trigger: Trigger{Schedule: everyTen}}, "constraints[0][0]"},
		{"equals two", Job{Name: "x", Constraints: [][3]string{{"rack", "EQUALS", "a"}, {"rack", "EQUALS", "b"}}, Trigger: Trigger{Schedule: everyTen}}, "constraints[1]: impossible"},
		{"equals unlike", Job{Name: "x", Constraints: [][3]string{{"rack", "UNLIKE", "a|b"}, {"rack", "EQUALS", "a"}}, Trigger: Trigger{Schedule: everyTen}}, "constraints[0]: impossible"},
		{"equals not like", Job{Name: "x", Constraints: [][3]string{{"rack", "EQUALS", "ab"}, {"rack", "LIKE", "a"}}, Trigger: Trigger{Schedule: everyTen}}, "constraints[1]: impossible"},
		{"dots", scheduled("..", everyTen, Policy{}), "name"},
		{"beyond the years", scheduled("x", "R/9999-12-31T23:00:00-05:00/P1D", Policy{}), "never due"},
		{"too long", Job{Name: "x", MaxCompletion: math.MaxInt64, Trigger: Trigger{Schedule: everyTen}}, "maxCompletionTime"},
	} {
		err := w.put(c.job)
		if kindOf(err) != BadInput || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if len(w.disk) != before {
		t.Error("something of it was kept")
	}
	for _, in := range []func(uint64) Input{
		func(n uint64) Input { return RunNow{Request: n, Name: "x"} },
		func(n uint64) Input { return KillRuns{n, "x"} },
		func(n uint64) Input { return Delete{Request: n, Name: "x"} },
		func(n uint64) Input { return MarkSuccess{n, "x"} },
		func(n uint64) Input { return Progress{n, "x", 1} },
	} {
		if err := w.ask(in); kindOf(err) != Unknown {
			t.Errorf("of what is unknown: %v", err)
		}
	}
}

func TestNothingIsSeenBeforeItIsDurable(t *testing.T) {
	m := New(Options{})
	m.Step(begin, Loaded{})
	for _, e := range m.Step(begin, Put{1, scheduled("a", everyTen, Policy{})}) {
		switch e.(type) {
		case Persist, SetTimer:
		default:
			t.Errorf("%#v comes before Persisted", e)
		}
	}
	out := m.Step(begin, Persisted{Number: 1, Err: errors.New("disk full")})
	if _, failed := out[0].(Fail); !failed || len(out) != 1 || m.Step(begin, TimerFired{}) != nil {
		t.Errorf("goes on after %#v", out)
	}
}

func TestUnreadableRecords(t *testing.T) {
	for _, c := range []Change{
		{"job/a", []byte("{")},
		{"state/a", []byte("{}")},
		{"run/1", []byte("[]")},
		{"what", nil},
		{"last", []byte("x")},
		{"job/a", []byte(`{"Name":"a","Trigger":{"Parents":["b"]}}`)},
		{"job/a", []byte(`{"Name":"a","Trigger":{"Schedule":"@daily","Zone":"Mars"}}`)},
	} {
		out := New(Options{}).Step(begin, Loaded{[]Change{c}})
		if _, failed := out[len(out)-1].(Fail); !failed {
			t.Errorf("%s %s is read", c.Key, c.Value)
		}
	}
}

func TestStatistics(t *testing.T) {
	v := &View{}
	if _, ok := v.Percentile(.5); ok {
		t.Error("a median of nothing")
	}
	for i := range 10 {
		v.State.Durations = append(v.State.Durations, time.Duration(10-i)*time.Second)
	}
	mean, _ := v.Mean()
	for fraction, want := range map[float64]time.Duration{0: 1, .5: 5, .75: 8, .95: 10, .99: 10, 1: 10} {
		if got, _ := v.Percentile(fraction); got != want*time.Second {
			t.Errorf("percentile %v is %s", fraction, got)
		}
	}
	if mean != 5500*time.Millisecond {
		t.Errorf("mean %s", mean)
	}
}

// BenchmarkDue begins 100,000 jobs that are due at the same moment.
func BenchmarkDue(b *testing.B) {
	const jobs = 100_000
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	for b.Loop() {
		b.StopTimer()
		before := heap()
		m := New(Options{})
		m.Step(begin, Loaded{})
		for i := range jobs {
			out := m.Step(begin, Put{uint64(i), scheduled(fmt.Sprintf("job-%d", i), "R/2026-03-02T00:00:00Z/P1D", Policy{})})
			m.Step(begin, Persisted{Number: out[0].(Persist).Number})
		}
		b.ReportMetric(float64(heap()-before)/jobs, "B/job")
		b.StartTimer()
		launched := 0
		for in := Input(TimerFired{}); launched < jobs; {
			out := m.Step(begin.Add(24*time.Hour), in)
			in = TimerFired{}
			for _, e := range out {
				switch e := e.(type) {
				case Persist:
					in = Persisted{Number: e.Number}
				case Launch:
					launched++
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/jobs, "ns/launch")
}
