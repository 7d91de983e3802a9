package session

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/names"
	"troupe/messages/tasks"
)

const (
	timerSubscribe = "subscribe"
	timerRecovery  = "recovery"
	timerFinish    = "finish"

	// SUBSCRIBE is repeated at this pace until SUBSCRIBED.
	subscribeEvery = time.Second
	// Finish waits no longer for the acknowledgements of an agent that is there.
	finishWait = time.Minute
)

// ErrAgentGone ends a session whose agent did not come back in time.
var ErrAgentGone = errors.New("agent is gone")

// Config is what a session starts from.
type Config struct {
	FrameworkID, ExecutorID string
	Agent                   Peer
	// RecoveryTimeout is how long the executor lives without its agent; 0 means
	// that it ends with the agent's link.
	RecoveryTimeout time.Duration
	// SubscriptionBackoffMax bounds the wait before the first attempt after a
	// lost link, so that not all executors of an agent come at once.
	SubscriptionBackoffMax time.Duration
	// Seed is the chance for jitter.
	Seed uint64
}

// Session is the machine. It is not safe for concurrent use.
type Session struct {
	config Config
	// asked: SUBSCRIBE was sent since the agent's link broke last.
	asked      bool
	subscribed bool
	lost       bool
	finishing  bool
	ended      bool
	chance     uint64

	// updates holds what is not acknowledged, oldest first.
	updates []*mesos.TaskStatus
	// listed counts those of updates that the last SUBSCRIBE carried.
	listed int
	tasks  map[string]*entry
	// order lists tasks as they were launched.
	order []string

	now time.Time
	out []Effect
}

// entry is a task from its launch to the acknowledgement of its end.
type entry struct {
	info *mesos.TaskInfo
	// known: an update of the task was acknowledged, so the agent need not be
	// told of it again.
	known bool
	over  bool
}

// New checks the configuration; errors name the field.
func New(c Config) (*Session, error) {
	if err := names.CheckID("framework_id", c.FrameworkID); err != nil {
		return nil, fmt.Errorf("new executor session: %w", err)
	}
	if err := names.CheckID("executor_id", c.ExecutorID); err != nil {
		return nil, fmt.Errorf("new executor session: %w", err)
	}
	if c.Agent == "" {
		return nil, fmt.Errorf("new executor session: %w", field.Missing("agent"))
	}
	return &Session{config: c, chance: c.Seed, tasks: map[string]*entry{}}, nil
}

// Step takes one input in and returns what is to be done, in order. After
// Ended it returns nothing.
func (s *Session) Step(now time.Time, in Input) []Effect {
	if s.ended {
		return nil
	}
	s.now, s.out = now, nil
	switch in := in.(type) {
	case Start:
		s.subscribe()
	case Received:
		s.receive(in)
	case TimerFired:
		s.fire(in.Key)
	case PeerExited:
		s.agentLost(in.Peer)
	case Update:
		s.update(in.Status)
	case Message:
		s.message(in.Data)
	case Finish:
		s.finish()
	}
	return s.out
}

// Unacknowledged counts the updates that wait for their acknowledgement.
func (s *Session) Unacknowledged() int { return len(s.updates) }

func (s *Session) do(e Effect) { s.out = append(s.out, e) }

func (s *Session) note(text string, fields ...string) { s.do(Note{Text: text, Fields: fields}) }

func (s *Session) call(c *executor.Call) {
	c.ExecutorId = &mesos.ExecutorID{Value: proto.String(s.config.ExecutorID)}
	c.FrameworkId = &mesos.FrameworkID{Value: proto.String(s.config.FrameworkID)}
	s.do(Send{To: s.config.Agent, Message: c})
}

// subscribe says what the agent may not know, and repeats itself. The link comes
// first, so that the end of whoever gets this is told, or of whoever does not.
func (s *Session) subscribe() {
	s.do(Link{Peer: s.config.Agent})
	c := &executor.Call_Subscribe{}
	for _, id := range s.order {
		if t := s.tasks[id]; !t.known {
			c.UnacknowledgedTasks = append(c.UnacknowledgedTasks, t.info)
		}
	}
	for _, u := range s.updates {
		c.UnacknowledgedUpdates = append(c.UnacknowledgedUpdates, &executor.Call_Update{Status: u})
	}
	s.listed, s.asked = len(s.updates), true
	s.call(&executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: c})
	s.do(SetTimer{Key: timerSubscribe, After: subscribeEvery})
}

func (s *Session) fire(key string) {
	switch key {
	case timerSubscribe:
		if !s.subscribed {
			s.subscribe()
		}
	case timerRecovery:
		s.end(fmt.Errorf("%w: %s did not come back within %s", ErrAgentGone, s.config.Agent, s.config.RecoveryTimeout))
	case timerFinish:
		s.end(fmt.Errorf("%d updates were not acknowledged within %s", len(s.updates), finishWait))
	}
}

func (s *Session) agentLost(p Peer) {
	if !sameActor(p, s.config.Agent) {
		return
	}
	s.subscribed, s.asked = false, false
	if s.finishing {
		s.do(CancelTimer{Key: timerFinish})
	}
	if s.config.RecoveryTimeout <= 0 {
		s.end(fmt.Errorf("%w: the link to %s broke", ErrAgentGone, s.config.Agent))
		return
	}
	if !s.lost {
		s.lost = true
		s.do(SetTimer{Key: timerRecovery, After: s.config.RecoveryTimeout})
	}
	s.do(SetTimer{Key: timerSubscribe, After: s.jitter(s.config.SubscriptionBackoffMax)})
}

// jitter is a duration in [0, d), by splitmix64.
func (s *Session) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	s.chance += 0x9e3779b97f4a7c15
	z := s.chance
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return time.Duration((z ^ z>>31) % uint64(d))
}

func (s *Session) message(data []byte) {
	if !s.subscribed {
		s.note("message dropped: not subscribed", "bytes", fmt.Sprint(len(data)))
		return
	}
	s.call(&executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: data}})
}

func (s *Session) finish() {
	if len(s.updates) == 0 {
		s.end(nil)
		return
	}
	if !s.finishing {
		s.finishing = true
		s.awaitAcknowledgements()
	}
}

// awaitAcknowledgements bounds the time that an agent has for them. One that is
// away has the recovery timeout: the end of a task is not to be lost before that.
func (s *Session) awaitAcknowledgements() {
	if s.finishing && s.subscribed {
		s.do(SetTimer{Key: timerFinish, After: finishWait})
	}
}

func (s *Session) end(err error) {
	for _, k := range []string{timerSubscribe, timerRecovery, timerFinish} {
		s.do(CancelTimer{Key: k})
	}
	s.do(Unlink{Peer: s.config.Agent})
	s.do(Ended{Err: err})
	s.ended = true
}

func (s *Session) update(st *mesos.TaskStatus) {
	id := st.GetTaskId().GetValue()
	t := s.tasks[id]
	switch {
	case t == nil:
		s.note("update of a task that was not launched", "task", id, "state", st.GetState().String())
		return
	case t.over:
		s.note("update of a task that has ended", "task", id, "state", st.GetState().String())
		return
	case !tasks.FromExecutor(st.GetState()) || len(st.GetUuid()) != 16:
		s.note("update that an executor may not send", "task", id, "state", st.GetState().String())
		return
	}
	u := proto.Clone(st).(*mesos.TaskStatus)
	u.ExecutorId = &mesos.ExecutorID{Value: proto.String(s.config.ExecutorID)}
	u.Source = mesos.TaskStatus_SOURCE_EXECUTOR.Enum()
	if u.Timestamp == nil {
		u.Timestamp = proto.Float64(float64(s.now.UnixNano()) / 1e9)
	}
	t.over = tasks.Terminal(u.GetState())
	s.updates = append(s.updates, u)
	if s.subscribed {
		s.sendUpdate(u)
	}
}

func (s *Session) sendUpdate(u *mesos.TaskStatus) {
	s.call(&executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: u}})
}

// sameActor compares addresses without their incarnation: a restarted agent
// has the address of the one before.
func sameActor(a, b Peer) bool {
	aa, _, _ := strings.Cut(string(a), "#")
	ba, _, _ := strings.Cut(string(b), "#")
	return aa == ba
}
