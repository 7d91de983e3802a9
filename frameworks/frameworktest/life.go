package frameworktest

import (
	"context"
	"errors"
	"time"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/messages/mesos/scheduler"
)

// masterPID is where schedulers on a Stage believe the master to be.
var masterPID = actors.PID{Name: frameworks.MasterName, Address: "stage:5050"}

// errCrashed is why the work of a scheduler that crashed is to end.
var errCrashed = errors.New("the scheduler crashed")

// life is one run of a scheduler on a Stage: its ground, and its carrier.
type life struct {
	stage  *Stage
	pid    actors.PID
	inbox  frameworks.Inbox
	linked bool
	over   bool
	work   context.Context
	crash  context.CancelCauseFunc
	err    error
	ended  bool
}

// Now implements frameworks.Ground.
func (l *life) Now() time.Time { return l.stage.clock.time() }

// Do implements frameworks.Ground.
func (l *life) Do(f func()) bool {
	if l.work.Err() != nil {
		return false
	}
	l.stage.clock.do(l.while(f))
	return true
}

// while is f, as long as the scheduler lives.
func (l *life) while(f func()) func() {
	return func() {
		if !l.over {
			f()
		}
	}
}

// Go implements frameworks.Ground.
func (l *life) Go(work func(ctx context.Context) (then func())) {
	l.stage.clock.work(func() func() {
		if then := work(l.work); then != nil {
			return l.while(then)
		}
		return nil
	})
}

// After implements frameworks.Ground.
func (l *life) After(wait time.Duration, f func()) frameworks.Timer {
	return l.stage.clock.after(wait, l.while(f))
}

// Link implements frameworks.Carrier.
func (l *life) Link(string) {
	l.linked = true
	if l.stage.down {
		l.lose("connection refused")
	}
}

// Unlink implements frameworks.Carrier.
func (l *life) Unlink(string) { l.linked = false }

// Send implements frameworks.Carrier.
func (l *life) Send(_ string, c *scheduler.Call) {
	if l.linked && !l.stage.down {
		l.Do(func() { l.stage.cluster.receive(l.pid, c) })
	}
}

// lose breaks the link to the master.
func (l *life) lose(reason string) {
	if l.linked {
		l.linked = false
		l.Do(func() { l.inbox.Lost(masterPID.String(), reason) })
	}
}
