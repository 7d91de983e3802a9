package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// world is a shell with a disk and a cluster, all of them under the test's hand.
type world struct {
	t       rapid.TB
	options Options
	now     time.Time
	m       *Machine
	queue   []Effect // to be performed
	timer   time.Time
	disk    map[string][]byte
	tasks   map[string]*task // that the cluster was ever asked for
	answers map[uint64]error
	notices []string
	views   map[string]*View
	written func(Persist) // sees a Persist before it is performed
}

type task struct {
	run     Run
	kills   int
	running bool
	ended   *TaskEnded // told again until it is acknowledged
	acked   bool
}

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t rapid.TB, o Options) *world {
	w := &world{t: t, options: o, now: begin, disk: map[string][]byte{}, tasks: map[string]*task{}, answers: map[uint64]error{}, views: map[string]*View{}, written: func(Persist) {}}
	w.start()
	w.settle()
	return w
}

// start is a new process that has nothing but the disk.
func (w *world) start() {
	w.m, w.queue, w.timer, w.views = New(w.options), nil, time.Time{}, map[string]*View{}
	var records []Change
	for _, key := range slices.Sorted(maps.Keys(w.disk)) {
		records = append(records, Change{key, w.disk[key]})
	}
	w.step(Loaded{records})
	for _, id := range slices.Sorted(maps.Keys(w.tasks)) {
		if k := w.tasks[id]; k.ended != nil && !k.acked {
			w.step(*k.ended)
		}
	}
}

func (w *world) step(in Input) { w.queue = append(w.queue, w.m.Step(w.now, in)...) }

// perform performs the next effect.
func (w *world) perform() {
	e := w.queue[0]
	w.queue = w.queue[1:]
	switch e := e.(type) {
	case Persist:
		w.written(e)
		for _, c := range e.Changes {
			if w.disk[c.Key] = c.Value; c.Value == nil {
				delete(w.disk, c.Key)
			}
		}
		w.step(Persisted{Number: e.Number})
	case Launch:
		id := e.Run.Task()
		if w.tasks[id] != nil {
			w.t.Fatalf("%s is launched twice", id)
		}
		if w.disk[runKey+fmt.Sprintf("%x", e.Run.Number)] == nil {
			w.t.Fatalf("%s is launched and not on the disk", id)
		}
		w.tasks[id] = &task{run: e.Run}
	case Watch:
		switch k := w.tasks[e.Task]; {
		case k == nil:
			// It must not begin any more; who asks again is told again.
			gone := TaskEnded{Task: e.Task, Outcome: Dropped}
			w.tasks[e.Task] = &task{ended: &gone, acked: true}
			w.step(gone)
		case k.ended != nil:
			w.step(*k.ended)
		case k.running:
			w.step(TaskStarted(e))
		}
	case Kill:
		if k := w.tasks[e.Task]; k != nil {
			k.kills++
		}
	case Acknowledge:
		w.tasks[e.Task].acked = true
	case Answer:
		w.answers[e.Request] = e.Err
	case SetTimer:
		w.timer = e.At
	case Publish:
		if w.views[e.Name] = e.View; e.View == nil {
			delete(w.views, e.Name)
		}
	case Notify:
		w.notices = append(w.notices, fmt.Sprintf("%s: %s", e.Job.Name, e.Occasion))
	case Fail:
		w.t.Fatalf("the plan fails: %v", e.Err)
	}
}

// settle performs all there is, timers that are due included.
func (w *world) settle() {
	for {
		for len(w.queue) > 0 {
			w.perform()
		}
		if w.timer.IsZero() || w.timer.After(w.now) {
			return
		}
		w.fire()
	}
}

func (w *world) fire() {
	w.timer = time.Time{}
	w.step(TimerFired{})
}

// until lets time pass; nothing that is due is missed.
func (w *world) until(t time.Time) {
	w.settle()
	for !w.timer.IsZero() && !w.timer.After(t) {
		w.now = w.timer
		w.settle()
	}
	w.now = t
	w.settle()
}

func (w *world) pass(d time.Duration) { w.until(w.now.Add(d)) }

// do steps an input and settles.
func (w *world) do(in Input) {
	w.step(in)
	w.settle()
}

// ask is a request with its answer, which there must be.
func (w *world) ask(make func(request uint64) Input) error {
	n := uint64(len(w.answers) + 1)
	w.do(make(n))
	err, answered := w.answers[n]
	if !answered {
		w.t.Fatalf("request %d is not answered", n)
	}
	return err
}

func (w *world) put(j Job) error { return w.ask(func(n uint64) Input { return Put{n, j} }) }

func (w *world) mustPut(j Job) {
	if err := w.put(j); err != nil {
		w.t.Fatal(err)
	}
}

// live are the tasks of a job that have not ended, oldest first.
func (w *world) live(job string) []string {
	var all []string
	for id, k := range w.tasks {
		if k.run.Job == job && k.ended == nil {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return int(w.tasks[a].run.Number) - int(w.tasks[b].run.Number) })
	return all
}

func (w *world) end(id string, o Outcome) {
	exit := 0
	if o == Failed {
		exit = 3
	}
	k := w.tasks[id]
	k.ended = &TaskEnded{Task: id, Outcome: o, Exit: exit, Agent: "S1"}
	w.step(*k.ended)
}

// endAll ends what runs of a job, after a minute, and tells how many that were.
func (w *world) endAll(job string, o Outcome) int {
	live := w.live(job)
	for _, id := range live {
		w.do(TaskStarted{id})
	}
	for _, id := range live {
		w.end(id, o)
		w.settle()
	}
	return len(live)
}

// history are the outcomes of a job, as published.
func (w *world) history(job string) string {
	v := w.views[job]
	if v == nil {
		return "none"
	}
	var all []string
	for _, a := range v.State.History {
		all = append(all, a.Due.Format("15:04")+" "+string(a.Outcome))
	}
	return strings.Join(all, ", ")
}

func scheduled(name, schedule string, p Policy) Job {
	return Job{Name: name, Trigger: Trigger{Schedule: schedule}, Policy: p, Command: Command{Text: "true"}}
}

func dependent(name string, parents ...string) Job {
	return Job{Name: name, Trigger: Trigger{Parents: parents}}
}
