package stream

import (
	"sync/atomic"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
)

// entry is one event of the log.
type entry struct {
	number uint64
	kind   master.Event_Type
	// What filters look at; empty when the event has none of it.
	framework, agent string
	roles            []string
	write            func(p *pen.Pen)
	// As records, by form; nil until encoded.
	frames [forms]atomic.Pointer[frame]
}

// frame is a record with its length before it: a part of a slab.
type frame struct {
	slab     []byte
	from, to int
}

func (f *frame) bytes() []byte { return f.slab[f.from:f.to] }

// entryOf is what subscribers are told of an event; nil for nothing.
func entryOf(e view.Event) *entry {
	switch e := e.(type) {
	case view.TaskAdded:
		return taskEntry(e.Task, master.Event_TASK_ADDED, func(p *pen.Pen) { records.TaskAdded(p, e.Task) })
	case view.TaskUpdated:
		return taskEntry(e.Task, master.Event_TASK_UPDATED, func(p *pen.Pen) { records.TaskUpdated(p, e.Task, e.Status) })
	case view.AgentAdded:
		if e.Agent.Status == view.Recovered {
			return nil
		}
		return &entry{
			kind: master.Event_AGENT_ADDED, agent: string(e.Agent.ID),
			write: func(p *pen.Pen) { records.AgentAdded(p, e.Agent) },
		}
	case view.AgentRemoved:
		if e.Recovered {
			return nil
		}
		return &entry{
			kind: master.Event_AGENT_REMOVED, agent: string(e.ID),
			write: func(p *pen.Pen) { records.AgentRemoved(p, e.ID) },
		}
	case view.FrameworkAdded:
		return frameworkEntry(e.Framework, master.Event_FRAMEWORK_ADDED)
	case view.FrameworkChanged:
		return frameworkEntry(e.Framework, master.Event_FRAMEWORK_UPDATED)
	case view.FrameworkRemoved:
		return frameworkEntry(e.Framework, master.Event_FRAMEWORK_REMOVED)
	}
	return nil
}

func taskEntry(t *view.Task, kind master.Event_Type, write func(*pen.Pen)) *entry {
	return &entry{kind: kind, framework: string(t.Framework), agent: string(t.Agent), roles: []string{t.Role}, write: write}
}

func frameworkEntry(f *view.Framework, kind master.Event_Type) *entry {
	return &entry{
		kind: kind, framework: string(f.ID), roles: f.Roles,
		write: func(p *pen.Pen) { records.FrameworkEvent(p, kind, f) },
	}
}
