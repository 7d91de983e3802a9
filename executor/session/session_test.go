package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

const agent Peer = "agent@10.0.0.1:5051"

// rig drives a session by hand and says its effects in lines.
type rig struct {
	t    testing.TB
	s    *Session
	now  time.Time
	out  []Effect
	left map[string]time.Duration
}

func newRig(t testing.TB, recovery time.Duration) *rig {
	t.Helper()
	s, err := New(Config{
		FrameworkID: "F1", ExecutorID: "E1", Agent: agent,
		RecoveryTimeout: recovery, SubscriptionBackoffMax: 2 * time.Second, Seed: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, s: s, now: time.Unix(1000, 0), left: map[string]time.Duration{}}
}

func (r *rig) step(in Input) {
	r.out = r.s.Step(r.now, in)
	for _, e := range r.out {
		switch e := e.(type) {
		case SetTimer:
			r.left[e.Key] = e.After
		case CancelTimer:
			delete(r.left, e.Key)
		}
	}
}

func (r *rig) event(e *executor.Event) { r.step(Received{From: agent + "#i1", Message: e}) }

func (r *rig) subscribed() *rig {
	r.step(Start{})
	r.event(subscribedEvent())
	return r
}

func (r *rig) want(lines ...string) {
	r.t.Helper()
	var got []string
	for _, e := range r.out {
		got = append(got, show(e))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(lines, "\n"); g != w {
		r.t.Fatalf("effects:\n%s\nwant:\n%s", g, w)
	}
}

func show(e Effect) string {
	switch e := e.(type) {
	case Send:
		return "send " + showCall(e.Message.(*executor.Call))
	case SetTimer:
		return "timer " + e.Key
	case CancelTimer:
		return "cancel " + e.Key
	case Deliver:
		return "deliver " + e.Event.GetType().String()
	case Ended:
		return fmt.Sprintf("ended %v", e.Err)
	default:
		return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "session."))
	}
}

func showCall(c *executor.Call) string {
	s := c.GetType().String()
	for _, t := range c.GetSubscribe().GetUnacknowledgedTasks() {
		s += " task " + t.GetTaskId().GetValue()
	}
	for _, u := range c.GetSubscribe().GetUnacknowledgedUpdates() {
		s += " update " + u.GetStatus().GetTaskId().GetValue()
	}
	if c.GetUpdate() != nil {
		s += " " + c.GetUpdate().GetStatus().GetTaskId().GetValue()
	}
	return s
}

func taskID(v string) *mesos.TaskID { return &mesos.TaskID{Value: &v} }

func subscribedEvent() *executor.Event {
	return &executor.Event{Type: executor.Event_SUBSCRIBED.Enum(), Subscribed: &executor.Event_Subscribed{}}
}

func launch(id string) *executor.Event {
	return &executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{
		Task: &mesos.TaskInfo{TaskId: taskID(id)},
	}}
}

func launchGroup(ids ...string) *executor.Event {
	g := &mesos.TaskGroupInfo{}
	for _, id := range ids {
		g.Tasks = append(g.Tasks, &mesos.TaskInfo{TaskId: taskID(id)})
	}
	return &executor.Event{
		Type:        executor.Event_LAUNCH_GROUP.Enum(),
		LaunchGroup: &executor.Event_LaunchGroup{TaskGroup: g},
	}
}

func uuid(n int) []byte { return []byte(fmt.Sprintf("%016d", n)) }

func update(id string, state mesos.TaskState, n int) Update {
	return Update{Status: &mesos.TaskStatus{TaskId: taskID(id), State: state.Enum(), Uuid: uuid(n)}}
}

func ack(id string, n int) *executor.Event {
	return &executor.Event{Type: executor.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executor.Event_Acknowledged{
		TaskId: taskID(id), Uuid: uuid(n),
	}}
}

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
)

func TestNewNamesTheField(t *testing.T) {
	for want, c := range map[string]Config{
		"framework_id": {ExecutorID: "E", Agent: agent},
		"executor_id":  {FrameworkID: "F", ExecutorID: "a/b", Agent: agent},
		"agent":        {FrameworkID: "F", ExecutorID: "E"},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}

func TestSubscribeIsRepeatedUntilAnswered(t *testing.T) {
	r := newRig(t, time.Minute)
	r.step(Start{})
	r.want("link", "send SUBSCRIBE", "timer subscribe")
	r.step(TimerFired{Key: timerSubscribe})
	r.want("link", "send SUBSCRIBE", "timer subscribe")
	r.event(subscribedEvent())
	r.want("cancel subscribe", "cancel recovery", "deliver SUBSCRIBED")
	r.step(TimerFired{Key: timerSubscribe})
	r.want()
	r.event(subscribedEvent())
	r.want()
}

func TestUpdatesAreKeptUntilAcknowledged(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.want("deliver LAUNCH")
	r.step(update("T1", running, 1))
	r.want("send UPDATE T1")
	st := r.out[0].(Send).Message.(*executor.Call).GetUpdate().GetStatus()
	if st.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || st.GetExecutorId().GetValue() != "E1" || st.GetTimestamp() != 1000 {
		t.Errorf("status %v is not complete", st)
	}
	r.step(PeerExited{Peer: agent})
	r.want("timer recovery", "timer subscribe")
	r.step(update("T1", finished, 2))
	r.want()
	r.step(TimerFired{Key: timerSubscribe})
	r.want("link", "send SUBSCRIBE task T1 update T1 update T1", "timer subscribe")
	r.event(subscribedEvent())
	r.event(ack("T1", 1))
	r.want("deliver ACKNOWLEDGED")
	r.event(ack("T1", 1))
	r.want()
	r.event(ack("T1", 2))
	if r.s.Unacknowledged() != 0 || len(r.s.tasks) != 0 || len(r.s.order) != 0 {
		t.Errorf("still holds %d updates, %d tasks", r.s.Unacknowledged(), len(r.s.tasks))
	}
}

func TestUpdateBetweenSubscribeAndSubscribed(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.step(PeerExited{Peer: agent})
	r.step(TimerFired{Key: timerSubscribe})
	r.step(update("T1", running, 1))
	r.want()
	r.event(subscribedEvent())
	r.want("send UPDATE T1", "cancel subscribe", "cancel recovery", "deliver SUBSCRIBED")
}

// The agent acknowledges what SUBSCRIBE carried before it says SUBSCRIBED.
func TestAcknowledgementBeforeSubscribed(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.step(update("T1", running, 1))
	r.step(PeerExited{Peer: agent})
	r.step(TimerFired{Key: timerSubscribe})
	r.want("link", "send SUBSCRIBE task T1 update T1", "timer subscribe")
	r.step(update("T1", finished, 2))
	r.event(ack("T1", 1))
	r.event(subscribedEvent())
	r.want("send UPDATE T1", "cancel subscribe", "cancel recovery", "deliver SUBSCRIBED")
}

func TestAcknowledgedTaskIsNotListedAgain(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.step(update("T1", running, 1))
	r.event(ack("T1", 1))
	r.step(PeerExited{Peer: agent})
	r.step(TimerFired{Key: timerSubscribe})
	r.want("link", "send SUBSCRIBE", "timer subscribe")
}

func TestAgentThatStaysAwayEndsTheSession(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.step(PeerExited{Peer: "somebody@else:1"})
	r.want()
	r.step(PeerExited{Peer: agent})
	if r.left[timerRecovery] != time.Minute || r.left[timerSubscribe] >= 2*time.Second {
		t.Errorf("timers %v", r.left)
	}
	r.step(PeerExited{Peer: agent})
	r.want("timer subscribe")
	r.step(TimerFired{Key: timerRecovery})
	end := r.out[len(r.out)-1].(Ended)
	if !errors.Is(end.Err, ErrAgentGone) {
		t.Errorf("ended with %v", end.Err)
	}
	r.step(Start{})
	r.want()

	r = newRig(t, 0).subscribed()
	r.step(PeerExited{Peer: agent})
	if end := r.out[len(r.out)-1].(Ended); !errors.Is(end.Err, ErrAgentGone) {
		t.Errorf("ended with %v", end.Err)
	}
}

func TestBadUpdatesAreDropped(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.step(update("T1", running, 1))
	r.want("note")
	r.event(launch("T1"))
	r.step(update("T1", mesos.TaskState_TASK_STAGING, 1))
	r.want("note")
	r.step(Update{Status: &mesos.TaskStatus{TaskId: taskID("T1"), State: running.Enum()}})
	r.want("note")
	r.step(update("T1", finished, 1))
	r.step(update("T1", running, 2))
	r.want("note")
}

func TestEvents(t *testing.T) {
	r := newRig(t, time.Minute).subscribed()
	r.event(launchGroup("T1", "T2"))
	r.want("deliver LAUNCH_GROUP")
	r.event(launchGroup("T3", "T2"))
	r.want("note")
	r.event(launchGroup("T3", "T3"))
	r.want("note")
	r.event(launch("T1"))
	r.want("note")
	r.event(launch(""))
	r.want("note")
	for _, ty := range []executor.Event_Type{executor.Event_KILL, executor.Event_MESSAGE, executor.Event_SHUTDOWN} {
		r.event(&executor.Event{Type: ty.Enum()})
		r.want("deliver " + ty.String())
	}
	r.event(&executor.Event{Type: executor.Event_HEARTBEAT.Enum()})
	r.want()
	r.event(&executor.Event{})
	r.want("note")
	r.step(Received{From: "stranger@1.2.3.4:1", Message: launch("T9")})
	r.want("note")
	r.step(Received{From: agent, Message: &mesos.TaskInfo{}})
	r.want("note")
	r.event(&executor.Event{Type: executor.Event_ERROR.Enum(), Error: &executor.Event_Error{Message: proto.String("no")}})
	if last := show(r.out[len(r.out)-1]); last != "ended agent refused the executor: no" {
		t.Errorf("last effect %q", last)
	}
}

func TestFinishWaitsForAcknowledgements(t *testing.T) {
	ended := []string{"cancel subscribe", "cancel recovery", "cancel finish", "unlink"}
	r := newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.step(update("T1", finished, 1))
	r.step(Finish{})
	r.want("timer finish")
	r.step(Finish{})
	r.want()
	r.event(ack("T1", 1))
	r.want(append(append([]string{"deliver ACKNOWLEDGED"}, ended...), "ended <nil>")...)

	r = newRig(t, time.Minute).subscribed()
	r.step(Finish{})
	r.want(append(ended, "ended <nil>")...)

	r = newRig(t, time.Minute).subscribed()
	r.event(launch("T1"))
	r.step(update("T1", finished, 1))
	r.step(Finish{})
	r.step(TimerFired{Key: timerFinish})
	r.want(append(ended, "ended 1 updates were not acknowledged within 1m0s")...)
}

// TestFinishWaitsForAnAgentThatIsAway: however a task ended meanwhile, that is
// told.
func TestFinishWaitsForAnAgentThatIsAway(t *testing.T) {
	for name, steps := range map[string][]Input{
		"which leaves": {Finish{}, PeerExited{Peer: agent}},
		"which left":   {PeerExited{Peer: agent}, Finish{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, time.Hour).subscribed()
			r.event(launch("T1"))
			r.step(update("T1", finished, 1))
			for _, in := range steps {
				r.step(in)
			}
			if wait, ok := r.left[timerFinish]; ok {
				t.Fatalf("it gives up in %s", wait)
			}
			r.step(TimerFired{Key: timerSubscribe})
			r.want("link", "send SUBSCRIBE task T1 update T1", "timer subscribe")
			r.event(subscribedEvent())
			r.want("cancel subscribe", "cancel recovery", "timer finish", "deliver SUBSCRIBED")
			r.event(ack("T1", 1))
			if last := show(r.out[len(r.out)-1]); last != "ended <nil>" {
				t.Errorf("last effect %q", last)
			}
		})
	}
}

func TestMessagesNeedASubscription(t *testing.T) {
	r := newRig(t, time.Minute)
	r.step(Start{})
	r.step(Message{Data: []byte("x")})
	r.want("note")
	r.event(subscribedEvent())
	r.step(Message{Data: []byte("x")})
	r.want("send MESSAGE")
}

// TestNothingIsLost: whatever breaks, every update reaches the agent until it
// is acknowledged, in the order of its task.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, time.Hour).subscribed()
		linked, n, next := true, 0, map[string]int{}
		acked := map[string]int{}
		reached := map[string]int{}
		step := func(in Input) {
			r.step(in)
			for _, e := range r.out {
				s, ok := e.(Send)
				if !ok {
					continue
				}
				c := s.Message.(*executor.Call)
				all := append([]*executor.Call_Update{c.GetUpdate()}, c.GetSubscribe().GetUnacknowledgedUpdates()...)
				for _, u := range all {
					if u == nil {
						continue
					}
					id, seq := u.GetStatus().GetTaskId().GetValue(), int(u.GetStatus().GetData()[0])
					if seq > reached[id]+1 {
						rt.Fatalf("%s: update %d came after %d", id, seq, reached[id])
					}
					reached[id] = max(reached[id], seq)
				}
			}
		}
		tasks := []string{}
		rt.Repeat(map[string]func(*rapid.T){
			"launch": func(*rapid.T) {
				if linked {
					tasks = append(tasks, fmt.Sprintf("T%d", len(tasks)))
					step(Received{From: agent, Message: launch(tasks[len(tasks)-1])})
				}
			},
			"update": func(*rapid.T) {
				if len(tasks) == 0 {
					return
				}
				id := rapid.SampledFrom(tasks).Draw(rt, "task")
				n, next[id] = n+1, next[id]+1
				u := update(id, running, n)
				u.Status.Data = []byte{byte(next[id])}
				step(u)
			},
			"break": func(*rapid.T) {
				if linked {
					linked = false
					step(PeerExited{Peer: agent})
				}
			},
			"return": func(*rapid.T) {
				if !linked {
					linked = true
					step(TimerFired{Key: timerSubscribe})
					step(Received{From: agent, Message: subscribedEvent()})
				}
			},
			"ack": func(*rapid.T) {
				if !linked || len(r.s.updates) == 0 {
					return
				}
				u := r.s.updates[0]
				acked[u.GetTaskId().GetValue()]++
				step(Received{From: agent, Message: &executor.Event{
					Type:         executor.Event_ACKNOWLEDGED.Enum(),
					Acknowledged: &executor.Event_Acknowledged{TaskId: u.TaskId, Uuid: u.Uuid},
				}})
			},
		})
		if !linked {
			step(TimerFired{Key: timerSubscribe})
			step(Received{From: agent, Message: subscribedEvent()})
		}
		left := 0
		for _, id := range tasks {
			if reached[id] != next[id] {
				rt.Errorf("%s: %d of %d updates reached the agent", id, reached[id], next[id])
			}
			left += next[id] - acked[id]
		}
		if left != r.s.Unacknowledged() {
			rt.Errorf("%d updates kept, want %d", r.s.Unacknowledged(), left)
		}
	})
}
