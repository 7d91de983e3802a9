package simulate

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/scheduler"
)

// durable is what was once written where no death of a process can undo it.
type durable struct {
	updates    map[string]bool // uuids, in the journal of an agent
	launches   map[string]bool // tasks, in the journal of an agent
	containers map[string]bool // in the journal of an agent
	identities map[string]bool // agents' ids, in the journal of an agent
	registered map[string]bool // agents' ids and statuses, in the registry
}

func newDurable() durable {
	return durable{
		updates: make(map[string]bool), launches: make(map[string]bool), containers: make(map[string]bool),
		identities: make(map[string]bool), registered: make(map[string]bool),
	}
}

// journalWritten tells what an agent's journal holds now for good.
func (o *oracle) journalWritten(a *agentNode, records []*cluster.JournalRecord) {
	for _, r := range records {
		o.operationWritten(a, r)
		switch r := r.Record.(type) {
		case *cluster.JournalRecord_Identity:
			o.known.identities[r.Identity.GetAgent().GetId().GetValue()] = true
		case *cluster.JournalRecord_Executor:
			o.known.containers[r.Executor.GetContainerId().GetValue()] = true
		case *cluster.JournalRecord_Launch:
			for _, t := range r.Launch.GetTasks() {
				o.known.launches[t.GetTaskId().GetValue()] = true
			}
		case *cluster.JournalRecord_Update:
			o.known.updates[string(r.Update.GetStatus().GetUuid())] = true
			o.endWritten(a, r.Update.GetStatus())
		case *cluster.JournalRecord_Acknowledged:
			o.endHeard(r.Acknowledged.GetTaskId().GetValue(), string(r.Acknowledged.GetUuid()))
		case *cluster.JournalRecord_TaskForgotten:
			o.endHeard(r.TaskForgotten.GetTaskId().GetValue(), "")
		}
	}
}

// registryWritten judges a write that the store let in: a leader must not have
// begun since the writer lost the election. What it says is known from now on.
func (o *oracle) registryWritten(epoch uint64, changes []registry.Change) {
	if epoch < o.reader {
		o.cluster.fail("law 5: epoch %d wrote the registry after epoch %d had read it", epoch, o.reader)
	}
	for _, c := range changes {
		o.planWritten(c)
		if a := c.Record.GetAgent(); a != nil {
			o.wishes.agentWritten(a)
			o.known.registered[a.GetAgent().GetId().GetValue()+" "+a.GetStatus().String()] = true
		}
		if f := c.Record.GetFramework(); f.GetStatus() == cluster.FrameworkRecord_COMPLETED {
			o.over[f.GetFrameworkId().GetValue()] = true
		}
	}
}

// reveals judges what a process is about to say, by law 4.
func (o *oracle) reveals(p *process, m proto.Message) {
	switch m := m.(type) {
	case *executor.Event:
		o.agentTellsExecutor(m)
	case *cluster.LaunchContainer:
		if id := m.GetContainerId().GetValue(); !o.known.containers[id] {
			o.cluster.fail("law 4: %s launches container %s, of which its journal does not know", p.address, id)
		}
	case *cluster.StatusUpdate:
		if s := m.GetStatus(); len(s.GetUuid()) > 0 && !o.known.updates[string(s.GetUuid())] {
			o.broken(4, s.GetTaskId().GetValue(), "is said by %s to be %s, of which its journal does not know", p.address, s.GetState())
		}
	case *cluster.OperationUpdate:
		o.operationRevealed(p, m)
	case *cluster.RegisterAgent:
		o.totalRevealed(p, m.GetTotalResources())
	case *cluster.ReregisterAgent:
		o.agentReregisters(p, m)
		o.totalRevealed(p, m.GetTotalResources())
	case *cluster.AgentRegistered:
		o.admitted(p, m.GetAgentId().GetValue())
	case *cluster.AgentReregistered:
		o.admitted(p, m.GetAgentId().GetValue())
	case *scheduler.Event:
		o.masterTellsScheduler(p, m.GetUpdate().GetStatus())
		o.endTold(p, m)
	case *scheduler.Call:
		o.schedulerAcknowledges(p, m.GetAcknowledge())
	}
}

func (o *oracle) agentTellsExecutor(e *executor.Event) {
	switch e.GetType() {
	case executor.Event_LAUNCH:
		o.given(e.Launch.GetTask())
	case executor.Event_LAUNCH_GROUP:
		for _, t := range e.LaunchGroup.GetTaskGroup().GetTasks() {
			o.given(t)
		}
	case executor.Event_ACKNOWLEDGED:
		f := o.fates[e.Acknowledged.GetTaskId().GetValue()]
		if f != nil && !f.over && !o.over[f.framework] && !o.known.updates[string(e.Acknowledged.GetUuid())] {
			o.broken(4, f.id, "has an update acknowledged of which the journal does not know")
		}
	}
}

func (o *oracle) given(t *mesos.TaskInfo) {
	if id := t.GetTaskId().GetValue(); !o.known.launches[id] {
		o.broken(4, id, "is given to its executor, and the journal does not know of it")
	}
}

// agentReregisters judges an agent's word on itself. While its disk is full it
// may name what it has only accepted: that is no more than its master knows.
func (o *oracle) agentReregisters(p *process, m *cluster.ReregisterAgent) {
	for _, t := range m.GetTasks() {
		id, agent := t.GetTaskId().GetValue(), m.GetAgent().GetId().GetValue()
		switch {
		case t.GetState() == mesos.TaskState_TASK_STAGING:
		case !o.known.identities[agent]:
			o.cluster.fail("law 4: %s calls itself %s, of which its journal does not know", p.address, agent)
		case !o.known.launches[id] && !o.known.updates[string(t.GetStatusUpdateUuid())]:
			o.broken(4, id, "is said to be on %s, of which its journal does not know", p.address)
		}
	}
}

func (o *oracle) admitted(p *process, id string) {
	if !o.known.registered[id+" "+cluster.AgentRecord_ADMITTED.String()] {
		o.cluster.fail("law 4: %s tells agent %s that it is admitted, of which the registry does not know", p.address, id)
	}
}

// masterTellsScheduler judges the master's own word on the tasks of an agent
// that is lost.
func (o *oracle) masterTellsScheduler(p *process, s *mesos.TaskStatus) {
	if s.GetSource() != mesos.TaskStatus_SOURCE_MASTER {
		return
	}
	status := cluster.AgentRecord_UNREACHABLE
	switch {
	case s.GetState() == mesos.TaskState_TASK_GONE_BY_OPERATOR && o.wishes.ending[s.GetAgentId().GetValue()]:
		return // that the agent is to be drained is durable, and it speaks for itself
	case s.GetState() == mesos.TaskState_TASK_GONE_BY_OPERATOR:
		status = cluster.AgentRecord_GONE
	case s.GetState() != mesos.TaskState_TASK_UNREACHABLE && s.GetUnreachableTime() == nil:
		return
	}
	if !o.known.registered[s.GetAgentId().GetValue()+" "+status.String()] {
		o.broken(4, s.GetTaskId().GetValue(), "is said by %s to be %s, and the registry does not know that of its agent", p.address, s.GetState())
	}
}

func (o *oracle) schedulerAcknowledges(p *process, a *scheduler.Call_Acknowledge) {
	f := o.fates[a.GetTaskId().GetValue()]
	if a != nil && f != nil && !f.over && !f.seen[string(a.GetUuid())] {
		o.broken(4, f.id, "has an update acknowledged by %s that its author has not written down", p.address)
	}
}
