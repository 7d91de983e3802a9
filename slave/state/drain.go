package state

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
)

// defaultKillGrace is what executors give a task whose policy says nothing.
const defaultKillGrace = 3 * time.Second

// drainAgent ends every task, for good: that survives a restart. It may be
// repeated.
func (m *Machine) drainAgent(config *mesos.DrainConfig) {
	if m.drain != nil && proto.Equal(m.drain, config) {
		m.drainTasks()
		return
	}
	m.drain = config // no launch may slip in while the journal is written
	m.publishAgent()
	m.note(Info, "The agent is being drained", Field{"agent", m.ID()})
	m.checkpoint(m.drainTasks, drainRecord(config))
}

func drainRecord(config *mesos.DrainConfig) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Drain{Drain: &cluster.DrainAccepted{Config: config}}}
}

func (m *Machine) drainTasks() {
	for _, f := range sorted(m.frameworks) {
		for _, t := range sorted(f.tasks) {
			if !check.Over(t.next) && m.drain != nil {
				m.killTask(m.drainKill(t))
			}
		}
	}
	m.drained()
}

// drainKill has the task's own grace, as far as the operator allows it.
func (m *Machine) drainKill(t *task) *cluster.KillTask {
	k := &cluster.KillTask{FrameworkId: t.executor.framework.info.Id, TaskId: t.info.TaskId}
	if most := m.drain.GetMaxGracePeriod(); most != nil {
		grace := int64(defaultKillGrace)
		if own := t.info.GetKillPolicy().GetGracePeriod(); own != nil {
			grace = own.GetNanoseconds()
		}
		grace = max(0, min(grace, most.GetNanoseconds()))
		k.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: &grace}}
	}
	return k
}

// drained ends the drain once nothing is left that it is for. The master has
// deactivated the agent, and sends no tasks until an operator wants it to.
func (m *Machine) drained() {
	if m.drain == nil {
		return
	}
	for _, f := range m.frameworks {
		if len(f.tasks) > 0 {
			return
		}
	}
	m.drain = nil
	m.publishAgent()
	m.note(Info, "The agent is drained", Field{"agent", m.ID()})
	m.checkpoint(nil, drainRecord(nil))
}

// drainedStatus is what a task that ends for a drain is said to have come to.
func (m *Machine) drainedStatus(f *framework, s mesos.TaskState) mesos.TaskState {
	if s == mesos.TaskState_TASK_KILLED && m.drain.GetMarkGone() && check.PartitionAware(f.info) {
		return mesos.TaskState_TASK_GONE_BY_OPERATOR
	}
	return s
}

// markDrained names the drain in the news of a task that it kills.
func (m *Machine) markDrained(e *executor, u *mesos.TaskStatus) {
	switch s := u.GetState(); {
	case m.drain == nil:
	case s == mesos.TaskState_TASK_KILLING, s == mesos.TaskState_TASK_KILLED:
		u.Reason = mesos.TaskStatus_REASON_AGENT_DRAINING.Enum()
		u.State = m.drainedStatus(e.framework, s).Enum()
	}
}
