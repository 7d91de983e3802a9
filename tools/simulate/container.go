package simulate

import (
	"encoding/binary"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// containerNode is a built-in command executor and its one task: it speaks the
// executor protocol, and pretends to run.
type containerNode struct {
	host      *hostNode
	id        *mesos.ContainerID
	framework *mesos.FrameworkID
	executor  *mesos.ExecutorID
	task      *mesos.TaskInfo // nil until LAUNCH
	heard     bool            // whether the agent has acknowledged anything of it
	updates   []*mesos.TaskStatus
	state     mesos.TaskState
	dead      bool
	ready     bool // SUBSCRIBED came since the link was made
}

func (c *containerNode) actor() string { return "executor/" + c.id.GetValue() }

func (c *containerNode) call(m *executor.Call) {
	m.FrameworkId, m.ExecutorId = c.framework, c.executor
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
	if c.task != nil && !c.heard {
		s.UnacknowledgedTasks = append(s.UnacknowledgedTasks, c.task)
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
			c.call(&executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: u}})
		}
	case executor.Event_LAUNCH:
		c.launch(e.Launch.Task)
	case executor.Event_KILL:
		c.finish(mesos.TaskState_TASK_KILLED)
	case executor.Event_ACKNOWLEDGED:
		c.acknowledged(e.Acknowledged.GetUuid())
	case executor.Event_SHUTDOWN:
		c.end(0)
	}
}

func (c *containerNode) launch(task *mesos.TaskInfo) {
	if c.task != nil {
		return
	}
	c.task = task
	c.host.agent.cluster.oracle.taskStarted(c.host.agent, c)
	c.update(mesos.TaskState_TASK_STARTING)
	plan := c.host.agent.cluster.planOf(task.TaskId.GetValue())
	c.host.later(c.host.net.between(time.Millisecond, 100*time.Millisecond), func() {
		if !c.dead && c.state == mesos.TaskState_TASK_STARTING {
			c.update(mesos.TaskState_TASK_RUNNING)
		}
	})
	c.host.later(200*time.Millisecond+plan.lasts, func() { c.finish(plan.ends) })
}

func (c *containerNode) finish(s mesos.TaskState) {
	if c.dead || c.task == nil || terminal(c.state) {
		return
	}
	c.update(s)
	c.host.agent.cluster.oracle.taskEnded(c.host.agent, c)
}

// update says something of the task until the agent has acknowledged it.
func (c *containerNode) update(s mesos.TaskState) {
	c.state = s
	uuid := make([]byte, 16)
	binary.LittleEndian.PutUint64(uuid, c.host.net.chance.Uint64())
	binary.LittleEndian.PutUint64(uuid[8:], c.host.net.chance.Uint64())
	u := &mesos.TaskStatus{
		TaskId: c.task.TaskId, State: s.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		Uuid: uuid, ExecutorId: c.executor,
	}
	c.host.agent.cluster.oracle.updateMade(c.framework.GetValue(), u)
	c.updates = append(c.updates, u)
	if c.ready {
		c.call(&executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: u}})
	}
}

func (c *containerNode) acknowledged(uuid []byte) {
	c.heard = true
	for _, u := range c.updates {
		if string(u.Uuid) == string(uuid) {
			c.host.agent.cluster.oracle.acknowledged(u)
		}
	}
	c.updates = slices.DeleteFunc(c.updates, func(u *mesos.TaskStatus) bool { return string(u.Uuid) == string(uuid) })
	if len(c.updates) == 0 && terminal(c.state) {
		c.end(0)
	}
}

// end ends the container, and with it what the task still did.
func (c *containerNode) end(status int32) {
	if c.dead {
		return
	}
	c.die()
	h := c.host
	h.stopActor(c.actor())
	h.cancelTimer(c.actor() + "/subscribe")
	h.containers = slices.DeleteFunc(h.containers, func(x *containerNode) bool { return x == c })
	h.tellEnded(c.id, status)
}

func (c *containerNode) die() {
	c.dead = true
	if c.task != nil && !terminal(c.state) {
		c.host.agent.cluster.oracle.taskEnded(c.host.agent, c)
	}
}
