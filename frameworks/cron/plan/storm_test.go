package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// storm asks for anything at any moment.
func storm(t *rapid.T, w *world, n uint64) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")
	tasks := append(slices.Sorted(maps.Keys(w.tasks)), "nothing")
	id := rapid.SampledFrom(tasks).Draw(t, "task")
	switch rapid.IntRange(0, 11).Draw(t, "input") {
	case 0, 1, 2:
		w.step(Put{n, drawJob(t, name)})
	case 3:
		w.step(Delete{n, name, rapid.Bool().Draw(t, "cascade")})
	case 4:
		w.step(RunNow{n, name, "x"})
	case 5:
		w.step(KillRuns{n, name})
	case 6:
		w.step(MarkSuccess{n, name})
	case 7:
		w.step(Finish{n, id, rapid.IntRange(0, 1).Draw(t, "exit")})
	case 8:
		w.pass(time.Duration(rapid.IntRange(1, 900).Draw(t, "seconds")) * time.Second)
	case 9:
		w.start()
	default:
		if k := w.tasks[id]; k != nil && k.ended == nil && k.run.Job != "" {
			k.running = true
			w.step(TaskStarted{id})
			if rapid.Bool().Draw(t, "ends") {
				w.end(id, rapid.SampledFrom([]Outcome{Succeeded, Failed, Killed, Dropped}).Draw(t, "outcome"))
			}
		}
	}
}

func drawJob(t *rapid.T, name string) Job {
	j := Job{Name: name, Policy: Policy{
		Overlap:   rapid.SampledFrom([]Overlap{"", Allow, KillExisting}).Draw(t, "overlap"),
		Retries:   rapid.IntRange(0, 2).Draw(t, "retries"),
		SoftError: rapid.Bool().Draw(t, "soft"), Async: rapid.Bool().Draw(t, "async"),
		Disabled: rapid.IntRange(0, 4).Draw(t, "disabled") == 0,
	}}
	if rapid.Bool().Draw(t, "limited") {
		j.MaxCompletion = 3 * time.Minute
	}
	if rapid.Bool().Draw(t, "scheduled") {
		j.Trigger.Schedule = rapid.SampledFrom([]string{"R//PT5M", "R2//PT3M", "*/4 * * * *", "R0//PT0M", "R3//PT0M", "bad"}).Draw(t, "schedule")
	} else {
		j.Trigger.Parents = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 3).Draw(t, "parents")
	}
	return j
}

// TestDiskHoldsEverything: a new process is told by the disk just what the old
// one had published, and each waiting run has something to wait for.
func TestDiskHoldsEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Options{RetryDelay: 20 * time.Second, DisableAfter: 3, History: 3})
		for n := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			storm(rt, w, uint64(n))
			for range rapid.IntRange(0, 5).Draw(rt, "effects") {
				if len(w.queue) > 0 {
					w.perform()
				}
			}
		}
		w.settle()
		was := everything(t, w)
		orderly(t, w)
		w.start()
		w.queue = slices.DeleteFunc(w.queue, func(e Effect) bool { _, watch := e.(Watch); return watch })
		w.settle()
		if is := everything(t, w); is != was {
			t.Fatalf("before:\n%s\nafter:\n%s", was, is)
		}
	})
}

func everything(t *testing.T, w *world) string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.views)) {
		text, err := json.Marshal(w.views[name])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n", text)
	}
	return strings.ReplaceAll(all.String(), ":null", ":[]")
}

func orderly(t *testing.T, w *world) {
	for name, v := range w.views {
		for _, r := range v.Runs {
			switch {
			case r.Phase == Waiting && len(v.Runs) == 1:
				t.Fatalf("%s waits for nothing", name)
			case r.Phase == Delayed && !w.m.runs[r.Number].alarm.at.Equal(r.Wake):
				t.Fatalf("%s is delayed until %s, and its alarm is %s", name, r.Wake, w.m.runs[r.Number].alarm.at)
			case r.placed() && w.tasks[r.Task()] == nil:
				t.Fatalf("%s is %s, and the cluster knows nothing of it", name, r.Phase)
			}
		}
		if len(v.State.History) > 3 {
			t.Fatalf("%s has a history of %d", name, len(v.State.History))
		}
	}
	placed := 0
	for _, r := range w.m.runs {
		if r.placed() {
			placed++
		}
	}
	if placed != len(w.m.tasks) {
		t.Fatalf("%d runs are placed, %d tasks are known", placed, len(w.m.tasks))
	}
}
