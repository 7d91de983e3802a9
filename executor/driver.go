package executor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/session"
	"troupe/messages/mesos"
)

// Driver is a handler's way to its agent. Update, Send, Finish, Config and Log
// are safe for concurrent use; Go and After are for the handler's own methods.
type Driver struct {
	actor   *Actor
	system  *actors.System
	context *actors.Context
}

// Config is what the executor was started with.
func (d *Driver) Config() Config { return d.actor.config }

// Log carries the executor's name.
func (d *Driver) Log() *zap.Logger { return d.actor.log }

// Update sends news of a task: at least once, in order, kept until it is
// acknowledged. The status needs task_id and state; uuid, executor_id, source
// and timestamp are filled in. It must not be changed afterwards. What follows
// a terminal state is dropped and logged.
func (d *Driver) Update(st *mesos.TaskStatus) {
	if st.Uuid == nil {
		id := uuid.New()
		st = proto.CloneOf(st)
		st.Uuid = id[:]
	}
	d.step(session.Update{Status: st})
}

// Send sends data to the framework, at most once.
func (d *Driver) Send(data []byte) { d.step(session.Message{Data: data}) }

// Finish ends the executor once every update is acknowledged, or after a minute
// with an agent that is there.
func (d *Driver) Finish() { d.step(session.Finish{}) }

// step queues an input behind what is being handled.
func (d *Driver) step(in session.Input) {
	d.system.Do(d.context.Self(), func(*actors.Context) { d.actor.step(in) })
}

// Do runs f among the handler's calls.
func (d *Driver) Do(f func()) { d.system.Do(d.context.Self(), func(*actors.Context) { f() }) }

// Go runs work in a goroutine of its own, and then what it returns (if not
// nil) among the handler's calls.
func (d *Driver) Go(work func(ctx context.Context) (then func())) { d.context.Go(work) }

// After calls f among the handler's calls, unless the timer is stopped first.
func (d *Driver) After(wait time.Duration, f func()) *actors.Timer { return d.context.After(wait, f) }
