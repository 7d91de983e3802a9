package records

import (
	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
)

var (
	eventForm             = pen.Of[*master.Event]()
	eventType             = eventForm.Field("type")
	eventSubscribed       = eventForm.Field("subscribed")
	eventTaskAdded        = eventForm.Field("task_added")
	eventTaskUpdated      = eventForm.Field("task_updated")
	eventAgentAdded       = eventForm.Field("agent_added")
	eventAgentRemoved     = eventForm.Field("agent_removed")
	eventFrameworkAdded   = eventForm.Field("framework_added")
	eventFrameworkUpdated = eventForm.Field("framework_updated")
	eventFrameworkRemoved = eventForm.Field("framework_removed")

	subscribedState    = pen.Of[*master.Event_Subscribed]().Field("get_state")
	subscribedInterval = pen.Of[*master.Event_Subscribed]().Field("heartbeat_interval_seconds")

	addedTask       = pen.Of[*master.Event_TaskAdded]().Field("task")
	updatedTask     = pen.Of[*master.Event_TaskUpdated]()
	updatedOf       = updatedTask.Field("framework_id")
	updatedStatus   = updatedTask.Field("status")
	updatedState    = updatedTask.Field("state")
	addedAgent      = pen.Of[*master.Event_AgentAdded]().Field("agent")
	removedAgent    = pen.Of[*master.Event_AgentRemoved]().Field("agent_id")
	addedFramework  = pen.Of[*master.Event_FrameworkAdded]().Field("framework")
	changed         = pen.Of[*master.Event_FrameworkUpdated]().Field("framework")
	removedInfo     = pen.Of[*master.Event_FrameworkRemoved]().Field("framework_info")
	frameworkEvents = map[master.Event_Type]struct{ event, framework *pen.Field }{
		master.Event_FRAMEWORK_ADDED:   {eventFrameworkAdded, addedFramework},
		master.Event_FRAMEWORK_UPDATED: {eventFrameworkUpdated, changed},
	}
)

// EventType writes the type of a master.Event.
func EventType(p *pen.Pen, t master.Event_Type) { p.Enum(eventType, int32(t)) }

// Parts says what of a state is told.
type Parts struct{ Tasks, Executors, Frameworks, Agents bool }

// Subscribed writes a SUBSCRIBED event, with the parts of a state that are
// asked for; a nil snapshot leaves the state out.
func Subscribed(p *pen.Pen, interval float64, s *view.Snapshot, parts Parts) {
	EventType(p, master.Event_SUBSCRIBED)
	p.Section(eventSubscribed)
	if s != nil {
		p.Section(subscribedState)
		if parts.Tasks {
			Tasks(p, stateTasks, s)
		}
		if parts.Executors {
			Executors(p, stateExecutors, s)
		}
		if parts.Frameworks {
			Frameworks(p, stateFrameworks, s)
		}
		if parts.Agents {
			Agents(p, stateAgents, s)
		}
		p.EndSection()
	}
	p.Double(subscribedInterval, interval)
	p.EndSection()
}

// TaskAdded writes a TASK_ADDED event.
func TaskAdded(p *pen.Pen, t *view.Task) {
	EventType(p, master.Event_TASK_ADDED)
	p.Begin(eventTaskAdded)
	Task(p, addedTask, t)
	p.End()
}

// TaskUpdated writes a TASK_UPDATED event. Without a status, of an agent that
// told no more than a newer state, it is the last one that is known.
func TaskUpdated(p *pen.Pen, t *view.Task, status *mesos.TaskStatus) {
	EventType(p, master.Event_TASK_UPDATED)
	p.Begin(eventTaskUpdated)
	writeID(p, updatedOf, string(t.Framework))
	switch {
	case status != nil:
		p.Message(updatedStatus, status)
	case len(t.Statuses) > 0:
		writeStatus(p, updatedStatus, t, &t.Statuses[len(t.Statuses)-1])
	default:
		writeStatus(p, updatedStatus, t, &view.Status{State: t.State, Reason: view.NoReason})
	}
	p.Enum(updatedState, int32(t.State))
	p.End()
}

// AgentAdded writes an AGENT_ADDED event: what an agent has, and not what is
// used of it.
func AgentAdded(p *pen.Pen, a *view.Agent) {
	EventType(p, master.Event_AGENT_ADDED)
	p.Begin(eventAgentAdded)
	Agent(p, addedAgent, a, nil)
	p.End()
}

// AgentRemoved writes an AGENT_REMOVED event.
func AgentRemoved(p *pen.Pen, id view.AgentID) {
	EventType(p, master.Event_AGENT_REMOVED)
	p.Begin(eventAgentRemoved)
	writeID(p, removedAgent, string(id))
	p.End()
}

// FrameworkEvent writes a FRAMEWORK_ADDED, FRAMEWORK_UPDATED or
// FRAMEWORK_REMOVED event: what a framework is, and not what it holds.
func FrameworkEvent(p *pen.Pen, t master.Event_Type, f *view.Framework) {
	EventType(p, t)
	if t == master.Event_FRAMEWORK_REMOVED {
		p.Begin(eventFrameworkRemoved)
		p.Message(removedInfo, InfoOf(f))
		p.End()
		return
	}
	fields := frameworkEvents[t]
	p.Begin(fields.event)
	Framework(p, fields.framework, view.FrameworkState{Framework: f}, nil)
	p.End()
}

// Extension fields that Mesos's events do not have; see the note beside master/api.
var (
	cursorField = pen.Extension("cursor", 1000)
	errorField  = pen.Extension("error", 1001)
)

// Cursor writes where in the stream an event is.
func Cursor(p *pen.Pen, cursor string) { p.String(cursorField, cursor) }

// Ended writes the last event of a stream that the master ends.
func Ended(p *pen.Pen, why string) {
	EventType(p, master.Event_UNKNOWN)
	p.String(errorField, why)
}
