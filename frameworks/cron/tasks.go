package cron

import (
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/work"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// hearsayWait is how long an end that the master tells of waits for the agent's
// own word, which alone says how the command ended.
const hearsayWait = time.Minute

// task is what the shell knows of a task from its Launch or Watch until its end
// is acknowledged.
type task struct {
	wanted  time.Time         // since when; zero of earlier lives
	end     *mesos.TaskStatus // not acknowledged yet
	hearsay bool              // the master says that it ended, its agent not yet
	// unseen counts how often the task went out of sight, so that the timer of an
	// earlier time says nothing; hidden tells that it is out of sight now.
	unseen int
	hidden bool
}

// onStatus takes in news of a task.
func (c *Cron) onStatus(now time.Time, st *mesos.TaskStatus) []plan.Effect {
	id := st.GetTaskId().GetValue()
	t := c.tasks[id]
	if t == nil {
		return c.onStray(st)
	}
	c.place(id, st.GetAgentId().GetValue())
	if t.hidden {
		t.hidden, t.unseen = false, t.unseen+1
	}
	switch state := st.GetState(); {
	case state == mesos.TaskState_TASK_RUNNING, state == mesos.TaskState_TASK_KILLING:
		return c.machine.Step(now, plan.TaskStarted{Task: id})
	case state == mesos.TaskState_TASK_UNREACHABLE:
		t.hidden = true
		count := t.unseen
		c.later(c.options.Unreachable, func(now time.Time) []plan.Effect { return c.onUnreachable(now, st, count) })
		return nil
	case state == mesos.TaskState_TASK_UNKNOWN:
		return c.onEnd(now, st)
	case !tasks.Terminal(state):
		return nil
	case work.Hearsay(st):
		if !t.hearsay {
			t.hearsay = true
			c.later(hearsayWait, func(now time.Time) []plan.Effect { return c.onEnd(now, st) })
		}
		return nil
	}
	return c.onEnd(now, st)
}

// place notes where a task is, which is news after a failover.
func (c *Cron) place(task, agent string) {
	if agent != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.places[task] = agent
	}
}

// onStray: the plan knows nothing of the task any more. Its end may be forgotten,
// and if it runs it should not.
func (c *Cron) onStray(st *mesos.TaskStatus) []plan.Effect {
	switch {
	case tasks.Terminal(st.GetState()):
		c.driver.Acknowledge(st)
	case tasks.Live(st.GetState()):
		c.log.Warn("A task runs that no run wants: it is killed", zap.String("task", st.GetTaskId().GetValue()))
		c.driver.Kill(st.GetTaskId().GetValue(), 0)
	}
	return nil
}

// onEnd tells the plan, which says when that may be acknowledged.
func (c *Cron) onEnd(now time.Time, st *mesos.TaskStatus) []plan.Effect {
	id := st.GetTaskId().GetValue()
	t := c.tasks[id]
	if t == nil || t.end != nil && t.end != st {
		c.driver.Acknowledge(st) // after the end of it all
		return nil
	}
	t.end = st
	outcome, exit := ended(st)
	c.metrics.ends.WithLabelValues(string(outcome)).Inc()
	return c.machine.Step(now, plan.TaskEnded{
		Task: id, Outcome: outcome, Exit: exit, Agent: st.GetAgentId().GetValue(), Message: st.GetMessage(),
	})
}

// unknownExit is the exit code of a command of which nobody says how it ended.
const unknownExit = -1

// ended is what a last status means to the plan. Of what is lost the plan itself
// knows whether it ever began.
func ended(st *mesos.TaskStatus) (plan.Outcome, int) {
	switch state := st.GetState(); {
	case work.NeverRan(st):
		return plan.Dropped, 0
	case state == mesos.TaskState_TASK_FINISHED:
		return plan.Succeeded, 0
	case state == mesos.TaskState_TASK_KILLED:
		return plan.Killed, exitOf(st)
	case state == mesos.TaskState_TASK_FAILED, state == mesos.TaskState_TASK_ERROR:
		return plan.Failed, exitOf(st)
	}
	return plan.Dropped, 0
}

func exitOf(st *mesos.TaskStatus) int {
	if code, known := tasks.CodeOf(st.GetMessage()); known {
		return code
	}
	return unknownExit
}

// onUnreachable gives a task up that is out of sight since.
func (c *Cron) onUnreachable(now time.Time, st *mesos.TaskStatus, count int) []plan.Effect {
	id := st.GetTaskId().GetValue()
	t := c.tasks[id]
	if t == nil || t.end != nil || !t.hidden || t.unseen != count {
		return nil
	}
	c.driver.Kill(id, 0) // should it turn up
	return c.machine.Step(now, plan.TaskEnded{
		Task: id, Outcome: plan.Dropped, Agent: st.GetAgentId().GetValue(),
		Message: "its agent was out of reach for " + c.options.Unreachable.String(),
	})
}

// later has an event come after a while.
func (c *Cron) later(wait time.Duration, e event) { time.AfterFunc(wait, func() { c.loop.Put(e) }) }

// acknowledge lets the cluster forget a task.
func (c *Cron) acknowledge(id string) {
	if t := c.tasks[id]; t != nil {
		if t.end != nil {
			c.driver.Acknowledge(t.end)
		}
		delete(c.tasks, id)
		c.mu.Lock()
		delete(c.places, id)
		c.mu.Unlock()
	}
}
