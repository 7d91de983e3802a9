package frameworktest

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/messages/mesos"
)

// Stage is a cluster in name only with a clock that a test sets: a Scheduler and
// all of the SDK below it run on it as they do on a cluster, but no time passes
// except by Advance and Until, and ten minutes of backoff pass in a millisecond.
//
// Everything happens in the test's goroutine: when a method returns, all is done
// that follows from it without time passing, and what Driver.Go has begun has come
// back. So nothing needs to be awaited, and the same test does the same every
// time. What a Scheduler does by its own goroutines or clocks is not seen.
//
// Agents offer all that is free, unless that was declined for longer. A task that
// is launched runs until the test, or the script, says otherwise, and dies when
// it is killed.
type Stage struct {
	t       TB
	clock   *clock
	cluster *cluster
	lives   []*life
	down    bool
	store   memory
	updates uint64
}

// NewStage makes a stage without agents and without a framework.
func NewStage(t TB) *Stage {
	t.Helper()
	s := &Stage{t: t, clock: newClock()}
	s.cluster = newCluster(world{
		script: Runs, send: s.send, uuid: s.uuid,
		after: func(d time.Duration, f func()) { s.clock.after(d, f) },
	})
	return s
}

// Panics is the TB of examples, which have none.
type Panics struct{}

// Helper does nothing.
func (Panics) Helper() {}

// Fatal panics.
func (Panics) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Fatalf panics.
func (Panics) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Runs is the script of tasks that run for ever.
func Runs(*mesos.TaskInfo) []Step { return []Step{{State: mesos.TaskState_TASK_RUNNING}} }

// Ends is the script of tasks that run for a while and end in a state.
func Ends(after time.Duration, as mesos.TaskState) func(*mesos.TaskInfo) []Step {
	return func(*mesos.TaskInfo) []Step {
		return []Step{{State: mesos.TaskState_TASK_RUNNING}, {After: after, State: as}}
	}
}

// memory is the Store of a framework that has none, so that a scheduler that
// crashed comes back as the same framework.
type memory struct{ id string }

// Load implements frameworks.Store.
func (m *memory) Load() (string, error) { return m.id, nil }

// Save implements frameworks.Store.
func (m *memory) Save(id string) error {
	m.id = id
	return nil
}

// Script says what happens to the tasks that are launched from now on; Runs and
// Ends make such functions.
func (s *Stage) Script(script func(*mesos.TaskInfo) []Step) { s.cluster.script = script }

// Run runs a framework: by the name of "test" unless o has one, and with a Store
// of the stage's unless o has one. One that runs already is replaced, as on a
// cluster.
func (s *Stage) Run(o frameworks.Options, sch frameworks.Scheduler) *frameworks.Driver {
	s.t.Helper()
	o.Name, o.User, o.Seed = cmp.Or(o.Name, "test"), cmp.Or(o.User, "nobody"), cmp.Or(o.Seed, 1)
	if o.Store == nil {
		o.Store = &s.store
	}
	l := &life{stage: s, pid: actors.PID{Name: "scheduler", Address: fmt.Sprintf("life:%d", len(s.lives)+1)}}
	l.work, l.crash = context.WithCancelCause(context.Background())
	d, inbox, err := frameworks.Play(l, l, masterPID, o, sch, func(err error) {
		l.err, l.ended = err, true
		s.end(l)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	l.inbox = inbox
	s.lives = append(s.lives, l)
	s.settle()
	return d
}

// Crash ends the scheduler's process, without a word to anybody. Run begins its
// next life. The framework is removed, and its tasks killed, when its failover
// timeout has passed before that.
func (s *Stage) Crash() {
	s.t.Helper()
	if len(s.lives) == 0 {
		s.t.Fatal("no framework was run")
	}
	s.end(s.lives[len(s.lives)-1])
	s.settle()
}

// end lets a scheduler be gone.
func (s *Stage) end(l *life) {
	l.over = true
	l.crash(errCrashed)
	if s.cluster.scheduler == l.pid {
		s.cluster.abandon()
	}
}

// Ended tells whether the scheduler that was run last has ended, and as Run would
// have returned. One that crashed has not.
func (s *Stage) Ended() (err error, ended bool) {
	if len(s.lives) == 0 {
		return nil, false
	}
	last := s.lives[len(s.lives)-1]
	return last.err, last.ended
}

// Agent adds an agent, or gives one that is there more to offer.
func (s *Stage) Agent(name, has string) {
	s.t.Helper()
	s.AgentWith(Agent{Name: name, Resources: has})
}
