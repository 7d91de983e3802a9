package frameworks

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/session"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Driver is a scheduler's way to its master. All methods but Go and After are
// safe for concurrent use; a call takes effect after the method of the
// scheduler that runs now.
type Driver struct {
	shell *shell
}

// Log is the framework's logger.
func (d *Driver) Log() *zap.Logger { return d.shell.log }

// Call makes any call but SUBSCRIBE and ACKNOWLEDGE. The framework id is
// filled in; the call must not be changed afterwards.
func (d *Driver) Call(c *scheduler.Call) { d.shell.queue(session.Submit{Call: c}) }

// Launch starts tasks on one offer. Their agent_id is filled in. What they do
// not use is declined. An offer that is void by then gives each of them a
// TASK_DROPPED update.
func (d *Driver) Launch(o *mesos.Offer, tasks ...*mesos.TaskInfo) {
	for _, t := range tasks {
		t.AgentId = o.GetAgentId()
	}
	d.Accept([]*mesos.OfferID{o.GetId()}, &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: tasks},
	})
}

// LaunchGroup starts tasks that share a fate, on one offer, under an executor
// of type DEFAULT (or a custom one that takes groups).
func (d *Driver) LaunchGroup(o *mesos.Offer, x *mesos.ExecutorInfo, tasks ...*mesos.TaskInfo) {
	for _, t := range tasks {
		t.AgentId = o.GetAgentId()
	}
	d.Accept([]*mesos.OfferID{o.GetId()}, &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(),
		LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
			Executor: x, TaskGroup: &mesos.TaskGroupInfo{Tasks: tasks},
		},
	})
}

// Accept applies operations to offers of one agent and role.
func (d *Driver) Accept(offers []*mesos.OfferID, operations ...*mesos.Offer_Operation) {
	d.Call(&scheduler.Call{
		Type:   scheduler.Call_ACCEPT.Enum(),
		Accept: &scheduler.Call_Accept{OfferIds: offers, Operations: operations},
	})
}

// Decline gives offers back. What they hold is not offered again for a while;
// 0 means the default of 5 s.
func (d *Driver) Decline(offers []*mesos.Offer, refuse time.Duration) {
	ids := make([]*mesos.OfferID, len(offers))
	for i, o := range offers {
		ids[i] = o.GetId()
	}
	d.decline(ids, refuse)
}

func (d *Driver) decline(ids []*mesos.OfferID, refuse time.Duration) {
	c := &scheduler.Call_Decline{OfferIds: ids}
	if refuse > 0 {
		c.Filters = &mesos.Filters{RefuseSeconds: new(refuse.Seconds())}
	}
	d.Call(&scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: c})
}

// Kill ends a task, and says so until it has ended. A grace of 0 leaves that
// to the task's own policy.
func (d *Driver) Kill(task string, grace time.Duration) {
	c := &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: &task}}
	if grace > 0 {
		c.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: new(grace.Nanoseconds())}}
	}
	d.Call(&scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: c})
}

// Suppress asks for no more offers, Revive for offers again, also for what was
// declined. No roles means all. Both hold over reconnections.
func (d *Driver) Suppress(roles ...string) {
	d.Call(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum(), Suppress: &scheduler.Call_Suppress{Roles: roles}})
}

// Revive is the opposite of Suppress.
func (d *Driver) Revive(roles ...string) {
	d.Call(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum(), Revive: &scheduler.Call_Revive{Roles: roles}})
}

// SetRoles changes the roles that resources are offered for; those that were
// suppressed and stay are still. It holds over reconnections. Without any, nothing
// changes.
func (d *Driver) SetRoles(roles ...string) {
	d.shell.queue(session.SetRoles{Roles: slices.Clone(roles)})
}

// Send sends data to an executor, at most once.
func (d *Driver) Send(agent, executor string, data []byte) {
	d.Call(&scheduler.Call{Type: scheduler.Call_MESSAGE.Enum(), Message: &scheduler.Call_Message{
		AgentId: &mesos.AgentID{Value: &agent}, ExecutorId: &mesos.ExecutorID{Value: &executor}, Data: data,
	}})
}

// Acknowledge ends the repetition of an update for which Update returned
// false.
func (d *Driver) Acknowledge(st *mesos.TaskStatus) { d.shell.queue(session.Handled{Status: st}) }

// Watch names a task of an earlier life, so that news of it come. The agent
// may be empty when unknown.
func (d *Driver) Watch(task, agent string) {
	w := session.Watch{TaskID: &mesos.TaskID{Value: &task}}
	if agent != "" {
		w.AgentID = &mesos.AgentID{Value: &agent}
	}
	d.shell.queue(w)
}

// Teardown removes the framework and kills its tasks. Run returns nil when the
// master has said that it has; until then the master is asked again, whichever
// leads, unless Run's context ends it. The Scheduler hears of no offers and
// updates any more.
func (d *Driver) Teardown() { d.Call(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()}) }

// Leave ends Run with nil. The master keeps the tasks for the failover
// timeout.
func (d *Driver) Leave() { d.shell.queue(session.Leave{}) }

// Do runs f among the calls of the scheduler's methods. It is false when Run
// has ended.
func (d *Driver) Do(f func()) bool { return d.shell.ground.Do(f) }

// Go runs work in a goroutine of its own, and then what it returns (if not
// nil) among the calls of the scheduler's methods. To be called from them.
func (d *Driver) Go(work func(ctx context.Context) (then func())) { d.shell.ground.Go(work) }

// After calls f among the calls of the scheduler's methods. To be called from
// them.
func (d *Driver) After(wait time.Duration, f func()) Timer { return d.shell.ground.After(wait, f) }

// Now is the time by the clock that After goes by: in a test it may be one that
// the test sets. To be called from anywhere.
func (d *Driver) Now() time.Time { return d.shell.ground.Now() }
