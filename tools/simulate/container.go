package simulate

import (
	"encoding/binary"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/executor/session"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// idleLimit is how long a custom executor waits for another task.
const idleLimit = 10 * time.Second

// containerNode is an executor: a real session, and what pretends to run its
// tasks. A command executor has one, the executor of groups ends with its last,
// and a custom one some time after it.
type containerNode struct {
	host      *hostNode
	id        *mesos.ContainerID
	kind      cluster.LaunchContainer_Kind
	framework *mesos.FrameworkID
	info      *mesos.ExecutorInfo
	session   *session.Session
	tasks     []*taskNode
	updates   []*mesos.TaskStatus // not acknowledged
	dead      bool
	begun     bool // it is made, and its executor has begun
	amounts   *cluster.ContainerAmounts
	limit     *cluster.ContainerLimit // that it ran into; nil if none
	bodily
}

// taskNode is a task in a container.
type taskNode struct {
	container *containerNode
	info      *mesos.TaskInfo
	state     mesos.TaskState
}

func (t *taskNode) id() string { return t.info.TaskId.GetValue() }

func (c *containerNode) actor() string { return "executor/" + c.id.GetValue() }

// charged tells that the executor itself counts as using something.
func (c *containerNode) charged() bool { return c.kind != cluster.LaunchContainer_COMMAND }

func (c *containerNode) oracle() *oracle { return c.host.agent.cluster.oracle }

// begin makes the executor's session, and lets it subscribe.
func (c *containerNode) begin() {
	c.begun = true
	if c.limited > 0 {
		c.host.later(c.limited, c.exceed)
	}
	var err error
	c.session, err = session.New(session.Config{
		FrameworkID: c.framework.GetValue(), ExecutorID: c.info.GetExecutorId().GetValue(),
		Agent: session.Peer(c.host.agentActor()), RecoveryTimeout: recoveryTimeout,
		SubscriptionBackoffMax: time.Second, Seed: c.host.net.chance.Uint64(),
	})
	if err != nil {
		c.host.agent.cluster.fail("an executor cannot begin: %v", err)
		return
	}
	c.step(session.Start{})
}

// recoveryTimeout is how long executors wait for an agent, which is longer than
// any is away.
const recoveryTimeout = 15 * time.Minute

func (c *containerNode) step(in session.Input) {
	if c.dead {
		return
	}
	for _, effect := range c.session.Step(c.host.now(), in) {
		switch e := effect.(type) {
		case session.Send:
			c.host.toAgent(c.actor(), e.Message)
		case session.SetTimer:
			c.host.setTimer(c.actor()+"/"+e.Key, e.After, func() { c.step(session.TimerFired{Key: e.Key}) })
		case session.CancelTimer:
			c.host.cancelTimer(c.actor() + "/" + e.Key)
		case session.Link:
			c.host.watch(c.actor(), string(e.Peer))
		case session.Unlink:
			c.host.unwatch(c.actor(), string(e.Peer))
		case session.Deliver:
			c.deliver(e.Event)
		case session.Ended:
			c.sessionEnded(e.Err)
		case session.Note:
			c.host.net.note("%s: %s %v", c.actor(), e.Text, e.Fields)
		}
	}
}

// sessionEnded ends the container, in vain for what its agent has not taken.
func (c *containerNode) sessionEnded(err error) {
	if err == nil {
		c.end(0, "done")
		return
	}
	for _, u := range c.updates {
		c.oracle().newsLost(c.task(u.TaskId.GetValue()), err)
	}
	c.end(0, err.Error())
}

func (c *containerNode) exited(peer string) { c.step(session.PeerExited{Peer: session.Peer(peer)}) }

func (c *containerNode) receive(from string, m proto.Message) {
	c.step(session.Received{From: session.Peer(from), Message: m})
}

func (c *containerNode) deliver(e *executor.Event) {
	switch e.GetType() {
	case executor.Event_LAUNCH:
		c.launch(e.Launch.Task)
	case executor.Event_LAUNCH_GROUP:
		c.launch(e.LaunchGroup.GetTaskGroup().GetTasks()...)
	case executor.Event_KILL:
		if t := c.task(e.Kill.GetTaskId().GetValue()); t != nil {
			c.oracle().taskKilled(c.host.agent, t)
			c.finish(t, mesos.TaskState_TASK_KILLED)
		}
	case executor.Event_ACKNOWLEDGED:
		c.acknowledged(e.Acknowledged.GetUuid())
	case executor.Event_SHUTDOWN:
		c.end(0, "shut down by its agent")
	}
}

func (c *containerNode) task(id string) *taskNode {
	for _, t := range c.tasks {
		if t.id() == id {
			return t
		}
	}
	return nil
}

func (c *containerNode) launch(infos ...*mesos.TaskInfo) {
	c.host.cancelTimer(c.actor() + "/idle")
	for _, info := range infos {
		if c.task(info.TaskId.GetValue()) != nil {
			continue
		}
		t := &taskNode{container: c, info: info}
		c.tasks = append(c.tasks, t)
		c.oracle().taskStarted(c.host.agent, t)
		c.oracle().fits(c.host.agent, c, t)
		c.update(t, mesos.TaskState_TASK_STARTING)
		plan := c.oracle().fates[t.id()].plan
		c.host.later(c.host.net.between(time.Millisecond, 100*time.Millisecond), func() {
			if !c.dead && t.state == mesos.TaskState_TASK_STARTING {
				c.update(t, mesos.TaskState_TASK_RUNNING)
			}
		})
		c.host.later(200*time.Millisecond+plan.lasts, func() { c.finish(t, plan.ends) })
	}
}

// finish ends a task, and with one of a group that did not end well the rest.
func (c *containerNode) finish(t *taskNode, s mesos.TaskState) {
	if c.dead || terminal(t.state) {
		return
	}
	c.update(t, s)
	c.oracle().taskEnded(c.host.agent, t)
	if c.kind == cluster.LaunchContainer_DEFAULT && s != mesos.TaskState_TASK_FINISHED {
		for _, other := range c.tasks {
			c.finish(other, mesos.TaskState_TASK_KILLED)
		}
	}
}

// update says something of a task until the agent has acknowledged it.
func (c *containerNode) update(t *taskNode, s mesos.TaskState) {
	t.state = s
	uuid := make([]byte, 16)
	binary.LittleEndian.PutUint64(uuid, c.host.net.chance.Uint64())
	binary.LittleEndian.PutUint64(uuid[8:], c.host.net.chance.Uint64())
	u := &mesos.TaskStatus{
		TaskId: t.info.TaskId, State: s.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		Uuid: uuid, ExecutorId: c.info.ExecutorId,
	}
	c.oracle().updateMade(u)
	c.updates = append(c.updates, u)
	c.step(session.Update{Status: u})
	if c.kind != cluster.LaunchContainer_CUSTOM && c.over() {
		c.step(session.Finish{})
	}
}

func (c *containerNode) acknowledged(uuid []byte) {
	for _, u := range c.updates {
		if string(u.Uuid) == string(uuid) {
			c.oracle().acknowledged(u)
		}
	}
	c.updates = slices.DeleteFunc(c.updates, func(u *mesos.TaskStatus) bool { return string(u.Uuid) == string(uuid) })
	if c.kind == cluster.LaunchContainer_CUSTOM && c.idle() {
		c.host.setTimer(c.actor()+"/idle", idleLimit, func() {
			if c.idle() {
				c.end(0, "idle")
			}
		})
	}
}

// idle tells that everything has ended, and the agent knows.
func (c *containerNode) idle() bool { return !c.dead && c.over() && len(c.updates) == 0 }

func (c *containerNode) over() bool {
	for _, t := range c.tasks {
		if !terminal(t.state) {
			return false
		}
	}
	return true
}

// end ends the container, and with it what its tasks still did.
func (c *containerNode) end(status int32, why string) {
	if c.dead {
		return
	}
	c.die(why)
	h := c.host
	h.stopActor(c.actor())
	for _, key := range []string{"subscribe", "recovery", "finish", "idle"} {
		h.cancelTimer(c.actor() + "/" + key)
	}
	h.containers = slices.DeleteFunc(h.containers, func(x *containerNode) bool { return x == c })
	h.tellEnded(c.id, status, c.limit)
}

func (c *containerNode) die(why string) {
	c.dead = true
	for _, t := range c.tasks {
		if f := c.oracle().fates[t.id()]; !terminal(t.state) {
			if c.limit == nil && (f == nil || !f.taken.recorded) {
				c.oracle().taskCut(c.host.agent, t, why)
			}
			c.oracle().taskEnded(c.host.agent, t)
		}
	}
	c.oracle().containerEnded(c.host.agent, c)
}
