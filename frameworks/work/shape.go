package work

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/match"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// shape is what tasks have in common for an offer: if one of them does not
// fit, none does. Its queue is in the order of enqueuing.
type shape struct {
	key string
	// jobs counts the jobs of this shape that are not done.
	jobs    int
	want    resources.Resources
	accepts func(*mesos.Offer) bool
	// rules are the constraints, which count the tasks of a group; spread counts
	// for them while offers are looked at.
	rules  match.Constraints
	group  string
	spread *match.Spread
	queue  []*job
	head   int
}

// shapeOf finds or makes a task's shape. One with a condition or an executor
// of its own has a shape of its own.
func (m *Machine) shapeOf(t *Task, want resources.Resources, rules match.Constraints) *shape {
	key := fmt.Sprintf("%s;ports=%d", t.Resources, t.Ports)
	if t.Accepts != nil {
		key += ";task=" + t.ID
	}
	if len(t.Executor.GetResources()) > 0 {
		key += ";executor=" + t.Executor.GetExecutorId().GetValue()
	}
	key = t.constrained(key)
	s := m.byKey[key]
	if s == nil {
		s = &shape{key: key, want: want, accepts: t.Accepts, rules: rules, group: t.Group}
		if s.accepts == nil {
			s.accepts = func(*mesos.Offer) bool { return true }
		}
		m.byKey[key] = s
		m.shapes = append(m.shapes, s)
	}
	s.jobs++
	return s
}

// release takes note that a job of the shape is done.
func (m *Machine) release(s *shape) {
	if s.jobs--; s.jobs == 0 {
		delete(m.byKey, s.key)
		m.shapes = slices.DeleteFunc(m.shapes, func(o *shape) bool { return o == s })
	}
}

// push tells whether the queue was empty.
func (s *shape) push(j *job) bool {
	first := s.peek() == nil
	s.queue = append(s.queue, j)
	return first
}

// peek is the first job that still waits; nil when there is none.
func (s *shape) peek() *job {
	for s.head < len(s.queue) && !s.queue[s.head].queued {
		s.advance()
	}
	if s.head == len(s.queue) {
		s.queue, s.head = nil, 0
		return nil
	}
	return s.queue[s.head]
}

func (s *shape) pop() { s.advance() }

func (s *shape) advance() {
	s.queue[s.head] = nil
	s.head++
}

// executorFor is the executor an attempt runs under. The first task of a
// shared executor on an agent brings its resources along, the others repeat
// it.
func (m *Machine) executorFor(t *Task, attempt string, o *mesos.Offer, left resources.Resources) (*mesos.ExecutorInfo, resources.Resources, bool) {
	id := t.Executor.GetExecutorId().GetValue()
	key := o.GetAgentId().GetValue() + "/" + id
	if known := m.executors[key]; id != "" && known != nil {
		return known, left, true
	}
	x := proto.CloneOf(t.Executor)
	if id == "" {
		x.ExecutorId = &mesos.ExecutorID{Value: &attempt}
	}
	x.FrameworkId = o.GetFrameworkId()
	if len(x.GetResources()) > 0 {
		want, err := resources.New(x.GetResources()...)
		if err != nil {
			return nil, left, false
		}
		taken, rest, ok := left.Take(want)
		if !ok {
			return nil, left, false
		}
		x.Resources, left = taken.Proto(), rest
	}
	if id != "" {
		m.executors[key] = x
	}
	return x, left, true
}
