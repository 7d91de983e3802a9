package work

import (
	"fmt"
	"slices"

	"troupe/frameworks/match"
	"troupe/messages/mesos"
)

// placement is what constraints depend on: the agents there are, and where the
// tasks of each group run.
type placement struct {
	// fleet has every agent that was offered and is not known to be gone.
	fleet map[string]match.Host
	// groups lists the jobs that have an attempt, in the order of launch; just
	// those that constraints may ask for.
	groups map[string][]*job
}

func newPlacement() placement {
	return placement{fleet: map[string]match.Host{}, groups: map[string][]*job{}}
}

// counted tells whether a task's place matters to constraints.
func (t *Task) counted() bool { return len(t.Constraints) > 0 || t.Group != "" }

// see takes note of the agents behind offers, and counts anew what the shapes
// that wait must know.
func (m *Machine) see(offers []*mesos.Offer) {
	for _, o := range offers {
		m.placed.fleet[o.GetAgentId().GetValue()] = match.HostOf(o)
	}
	if m.queued == 0 {
		return
	}
	var fleet []match.Host
	for _, s := range m.shapes {
		s.spread = nil
		if len(s.rules) == 0 || s.peek() == nil {
			continue
		}
		if fleet == nil {
			for _, h := range m.placed.fleet { // in any order: only which values there are counts
				fleet = append(fleet, h)
			}
		}
		var instances []match.Host
		for _, j := range m.placed.groups[s.group] {
			instances = append(instances, j.host)
		}
		s.spread = s.rules.Spread(instances, fleet)
	}
}

// allows tells whether the constraints let one more task run on a host.
func (s *shape) allows(h match.Host) bool { return s.spread == nil || s.spread.Check(h) == nil }

// place counts a job's new attempt.
func (m *Machine) place(j *job, h match.Host) {
	if !j.task.counted() {
		return
	}
	j.host = h
	m.placed.groups[j.task.Group] = append(m.placed.groups[j.task.Group], j)
	for _, s := range m.shapes {
		if s.spread != nil && s.group == j.task.Group {
			s.spread.Place(h)
		}
	}
}

// displace forgets the attempt of a job that has ended.
func (m *Machine) displace(j *job) {
	if !j.task.counted() {
		return
	}
	group := m.placed.groups[j.task.Group]
	group = slices.DeleteFunc(group, func(o *job) bool { return o == j })
	if m.placed.groups[j.task.Group] = group; len(group) == 0 {
		delete(m.placed.groups, j.task.Group)
	}
}

// constrained adds to a shape's key what the constraints of a task are.
func (t *Task) constrained(key string) string {
	if len(t.Constraints) == 0 {
		return key
	}
	return fmt.Sprintf("%s;group=%q;constraints=%q", key, t.Group, t.Constraints)
}
