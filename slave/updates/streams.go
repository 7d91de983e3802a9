package updates

import (
	"maps"
	"slices"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

const (
	// The first repetition comes after RetryMin, each later one after twice
	// the wait, at most RetryMax.
	RetryMin = 10 * time.Second
	RetryMax = 10 * time.Minute

	// MaxPending bounds a stream: an executor that sends more updates than
	// its framework acknowledges is at fault. A terminal update has room always:
	// no task is without an end.
	MaxPending = 1000

	// MaxNews bounds it for what checks say of a running task: behind so many
	// updates only the newest news waits, in the place of the news before. A check
	// that flaps while its framework is away ends no task, and fills no disk.
	MaxNews = 100

	// So many acknowledged uuids are remembered per stream, to know an
	// executor's repetitions by.
	maxRemembered = 100
)

// Streams is the machine. It is not safe for concurrent use.
type Streams struct {
	streams map[Key]*stream
	paused  bool
	out     []Effect
}

// stream holds what a task's framework has not acknowledged, oldest first; it
// is never empty for long: an empty one only remembers.
type stream struct {
	pending  []*mesos.TaskStatus
	acked    []UUID // acknowledged or replaced, the newest last
	terminal bool   // its last update was added
	wait     time.Duration
}

// New has no streams and is paused.
func New() *Streams { return &Streams{streams: map[Key]*stream{}, paused: true} }

// Step takes one input in and returns what is to be done, in order. It needs
// no time: waits are relative.
func (s *Streams) Step(_ time.Time, in Input) []Effect {
	s.out = nil
	switch in := in.(type) {
	case Add:
		s.add(in.Key, in.Status)
	case Acknowledge:
		s.acknowledge(in.Key, in.UUID)
	case Resume:
		s.resume()
	case Pause:
		s.pause()
	case Repeat:
		s.repeat(in.Framework)
	case RetryDue:
		if t := s.streams[in.Key]; t != nil && !s.paused && len(t.pending) > 0 {
			t.wait = min(2*t.wait, RetryMax)
			s.forward(in.Key, t)
		}
	case Close:
		if t := s.streams[in.Key]; t != nil {
			s.quiet(in.Key, t)
			delete(s.streams, in.Key)
		}
	}
	return s.out
}

// Knows tells whether the stream has seen an update of that uuid: a repeated
// one need not be made durable again.
func (s *Streams) Knows(k Key, id UUID) bool {
	t := s.streams[k]
	return t != nil && t.knows(id)
}

// Terminated tells whether a terminal update was added that is not
// acknowledged yet.
func (s *Streams) Terminated(k Key) bool {
	t := s.streams[k]
	return t != nil && t.terminal
}

// Head is the update that waits for its acknowledgement, nil if none does.
func (s *Streams) Head(k Key) *mesos.TaskStatus {
	if p := s.Pending(k); len(p) > 0 {
		return p[0]
	}
	return nil
}

// Pending lists a stream's updates that are not acknowledged, oldest first.
// The caller must not change the list.
func (s *Streams) Pending(k Key) []*mesos.TaskStatus {
	if t := s.streams[k]; t != nil {
		return t.pending
	}
	return nil
}

// Keys lists the streams in order.
func (s *Streams) Keys() []Key {
	return slices.SortedFunc(maps.Keys(s.streams), Key.Compare)
}

func (s *Streams) do(e Effect) { s.out = append(s.out, e) }

func (s *Streams) add(k Key, u *mesos.TaskStatus) {
	t := s.streams[k]
	if t == nil {
		t = &stream{}
		s.streams[k] = t
	}
	id, ok := UUIDOf(u.GetUuid())
	end := tasks.Terminal(u.GetState())
	last := len(t.pending) - 1
	switch {
	case !ok || t.terminal || t.knows(id):
		return
	case last+1 >= MaxNews && news(u) && news(t.pending[last]):
		old, _ := UUIDOf(t.pending[last].GetUuid())
		t.remember(old)
		t.pending[last] = u
		return
	case last+1 >= MaxPending && !end:
		return
	}
	t.pending = append(t.pending, u)
	t.terminal = end
	if len(t.pending) == 1 && !s.paused {
		t.wait = RetryMin
		s.forward(k, t)
	}
}

// news tells whether an update says of a running task only what a check has
// learned: the next of its kind says all that it says.
func news(u *mesos.TaskStatus) bool {
	r := u.GetReason()
	return u.GetState() == mesos.TaskState_TASK_RUNNING && u.Reason != nil && u.Data == nil &&
		(r == mesos.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED || r == mesos.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED)
}

func (t *stream) remember(id UUID) {
	if len(t.acked) == maxRemembered {
		t.acked = t.acked[1:]
	}
	t.acked = append(t.acked, id)
}

func (t *stream) knows(id UUID) bool {
	return slices.Contains(t.acked, id) ||
		slices.ContainsFunc(t.pending, func(u *mesos.TaskStatus) bool { return string(u.GetUuid()) == string(id[:]) })
}

// forward sends the head, and sets when to repeat it.
func (s *Streams) forward(k Key, t *stream) {
	s.do(Forward{Key: k, Status: t.pending[0], Latest: t.pending[len(t.pending)-1].GetState()})
	s.do(SetTimer{Key: k, After: t.wait})
}

func (s *Streams) acknowledge(k Key, id UUID) {
	t := s.streams[k]
	if t == nil || len(t.pending) == 0 || string(t.pending[0].GetUuid()) != string(id[:]) {
		return
	}
	head := t.pending[0]
	t.pending[0] = nil // let it be collected
	t.pending = t.pending[1:]
	t.remember(id)
	last := t.terminal && len(t.pending) == 0
	s.do(Acknowledged{Key: k, Status: head, Last: last})
	switch {
	case last:
		s.quiet(k, t)
		delete(s.streams, k)
	case len(t.pending) == 0:
		s.quiet(k, t)
	case !s.paused:
		t.wait = RetryMin
		s.forward(k, t)
	}
}

// resume forwards every head anew, and waits from the beginning again.
func (s *Streams) resume() {
	s.paused = false
	for _, k := range s.Keys() {
		if t := s.streams[k]; len(t.pending) > 0 {
			t.wait = RetryMin
			s.forward(k, t)
		}
	}
}

func (s *Streams) repeat(framework string) {
	if s.paused {
		return
	}
	for _, k := range s.Keys() {
		if t := s.streams[k]; k.Framework == framework && len(t.pending) > 0 {
			t.wait = RetryMin
			s.forward(k, t)
		}
	}
}

func (s *Streams) pause() {
	if s.paused {
		return
	}
	for _, k := range s.Keys() {
		s.quiet(k, s.streams[k])
	}
	s.paused = true
}

// quiet cancels the timer of a stream that has one.
func (s *Streams) quiet(k Key, t *stream) {
	if !s.paused && t.wait != 0 {
		t.wait = 0
		s.do(CancelTimer{Key: k})
	}
}
