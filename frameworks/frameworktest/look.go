package frameworktest

import (
	"maps"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// Task is a task by its id, nil if none of it was ever launched.
func (s *Stage) Task(id string) *Task { return s.cluster.tasks[id] }

// Tasks are all that were ever launched, by their ids.
func (s *Stage) Tasks() map[string]*Task { return maps.Clone(s.cluster.tasks) }

// Live are the ids of the tasks that have not ended, in order.
func (s *Stage) Live() []string {
	var ids []string
	for id, t := range s.cluster.tasks {
		if !tasks.Terminal(t.State) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Calls are the calls of a type that came since it was asked for last, in order.
func (s *Stage) Calls(ty scheduler.Call_Type) []*scheduler.Call {
	var found []*scheduler.Call
	s.cluster.calls = slices.DeleteFunc(s.cluster.calls, func(c *scheduler.Call) bool {
		if c.GetType() == ty {
			found = append(found, c)
		}
		return c.GetType() == ty
	})
	return found
}

// Framework is the framework as it has subscribed, nil before that.
func (s *Stage) Framework() *mesos.FrameworkInfo { return s.cluster.framework }

// Subscribed tells whether a scheduler is connected.
func (s *Stage) Subscribed() bool { return !s.cluster.scheduler.IsZero() }

// Suppressed tells whether the framework wants no offers.
func (s *Stage) Suppressed() bool { return s.cluster.suppressed }

// Offered counts the offers that the framework has, and has not used or declined.
func (s *Stage) Offered() int { return len(s.cluster.offers) }
