package simulate

import (
	"encoding/binary"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// idleLimit is how long a custom executor waits for another task.
const idleLimit = 10 * time.Second

// containerNode is an executor: it speaks the executor protocol, and pretends
// to run its tasks. A command executor has one, the executor of groups ends
// with its last, and a custom one some time after it.
type containerNode struct {
	host      *hostNode
	id        *mesos.ContainerID
	kind      cluster.LaunchContainer_Kind
	framework *mesos.FrameworkID
	info      *mesos.ExecutorInfo
	tasks     []*taskNode
	updates   []*mesos.TaskStatus // not acknowledged
	dead      bool
	ready     bool // SUBSCRIBED came since the link was made
}

// taskNode is a task in a container.
type taskNode struct {
	container *containerNode
	info      *mesos.TaskInfo
	state     mesos.TaskState
	heard     bool // whether the agent has acknowledged anything of it
}

func (t *taskNode) id() string { return t.info.TaskId.GetValue() }

func (c *containerNode) actor() string { return "executor/" + c.id.GetValue() }

// charged tells that the executor itself counts as using something.
func (c *containerNode) charged() bool { return c.kind != cluster.LaunchContainer_COMMAND }

func (c *containerNode) oracle() *oracle { return c.host.agent.cluster.oracle }

func (c *containerNode) call(m *executor.Call) {
	m.FrameworkId, m.ExecutorId = c.framework, c.info.ExecutorId
	c.host.toAgent(c.actor(), m)
}

// subscribe asks, and asks again until SUBSCRIBED.
func (c *containerNode) subscribe() {
	if c.dead || c.ready {
		return
	}
	s := &executor.Call_Subscribe{}
	for _, u := range c.updates {
		s.UnacknowledgedUpdates = append(s.UnacknowledgedUpdates, &executor.Call_Update{Status: u})
	}
	for _, t := range c.tasks {
		if !t.heard {
			s.UnacknowledgedTasks = append(s.UnacknowledgedTasks, t.info)
		}
	}
	c.host.watch(c.actor(), c.host.agentActor())
	c.call(&executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: s})
	c.host.setTimer(c.actor()+"/subscribe", c.host.net.between(time.Second, 2*time.Second), c.subscribe)
}

func (c *containerNode) exited(string) {
	c.ready = false
	c.host.setTimer(c.actor()+"/subscribe", c.host.net.between(100*time.Millisecond, time.Second), c.subscribe)
}

func (c *containerNode) receive(_ string, m proto.Message) {
	e, ok := m.(*executor.Event)
	if !ok || c.dead {
		return
	}
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		c.ready = true
		c.host.cancelTimer(c.actor() + "/subscribe")
		for _, u := range c.updates { // some may have come about since it was sent
			c.say(u)
		}
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
	if c.ready {
		c.say(u)
	}
}

func (c *containerNode) say(u *mesos.TaskStatus) {
	c.call(&executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: u}})
}

func (c *containerNode) acknowledged(uuid []byte) {
	for _, u := range c.updates {
		if string(u.Uuid) == string(uuid) {
			c.task(u.TaskId.GetValue()).heard = true
			c.oracle().acknowledged(u)
		}
	}
	c.updates = slices.DeleteFunc(c.updates, func(u *mesos.TaskStatus) bool { return string(u.Uuid) == string(uuid) })
	switch {
	case !c.idle():
	case c.kind == cluster.LaunchContainer_CUSTOM:
		c.host.setTimer(c.actor()+"/idle", idleLimit, func() {
			if c.idle() {
				c.end(0, "idle")
			}
		})
	default:
		c.end(0, "done")
	}
}

// idle tells that everything has ended, and the agent knows.
func (c *containerNode) idle() bool {
	for _, t := range c.tasks {
		if !terminal(t.state) {
			return false
		}
	}
	return !c.dead && len(c.updates) == 0
}

// end ends the container, and with it what its tasks still did.
func (c *containerNode) end(status int32, why string) {
	if c.dead {
		return
	}
	c.die(why)
	h := c.host
	h.stopActor(c.actor())
	h.cancelTimer(c.actor() + "/subscribe")
	h.cancelTimer(c.actor() + "/idle")
	h.containers = slices.DeleteFunc(h.containers, func(x *containerNode) bool { return x == c })
	h.tellEnded(c.id, status)
}

func (c *containerNode) die(why string) {
	c.dead = true
	for _, t := range c.tasks {
		if !terminal(t.state) {
			c.oracle().taskCut(c.host.agent, t, why)
			c.oracle().taskEnded(c.host.agent, t)
		}
	}
	c.oracle().containerEnded(c.host.agent, c)
}
