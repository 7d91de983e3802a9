package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const master Peer = "master@10.0.0.1:5050"

// rig drives a session by hand: it keeps the clock and the pending timers,
// and says every effect in a line of text.
type rig struct {
	t      testing.TB
	s      *Session
	now    time.Time
	timers map[string]time.Time
	out    []Effect
}

func newRig(t testing.TB, edit ...func(*Config)) *rig {
	t.Helper()
	c := Config{Framework: &mesos.FrameworkInfo{User: proto.String("ann"), Name: proto.String("test")}}
	for _, f := range edit {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, s: s, now: time.Unix(1000, 0), timers: map[string]time.Time{}}
}

func withID(c *Config) { c.Framework.Id = frameworkID("F1") }

func partitionAware(c *Config) {
	c.Framework.Capabilities = append(c.Framework.Capabilities, &mesos.FrameworkInfo_Capability{
		Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum(),
	})
}

// step feeds one input and returns its effects.
func (r *rig) step(in Input) []Effect {
	r.out = r.s.Step(r.now, in)
	for _, e := range r.out {
		switch e := e.(type) {
		case SetTimer:
			if e.After < 0 {
				r.t.Fatalf("timer %s set to %s", e.Key, e.After)
			}
			r.timers[e.Key] = r.now.Add(e.After)
		case CancelTimer:
			delete(r.timers, e.Key)
		}
	}
	return r.out
}

// lapse moves the clock to the timer and fires it.
func (r *rig) lapse(key string) []Effect {
	r.t.Helper()
	at, ok := r.timers[key]
	if !ok {
		r.t.Fatalf("timer %q is not set; there are %v", key, r.timers)
	}
	if at.After(r.now) {
		r.now = at
	}
	delete(r.timers, key)
	return r.step(TimerFired{Key: key})
}

func (r *rig) event(e *scheduler.Event) []Effect {
	return r.step(Received{From: master, Message: e})
}

// connected subscribes the session as framework F1.
func (r *rig) connected() *rig {
	r.t.Helper()
	r.step(MasterDetected{Master: master})
	r.event(subscribedEvent("F1"))
	if r.s.id.storing {
		r.step(Persisted{})
	}
	if !r.s.Subscribed() {
		r.t.Fatal("not subscribed")
	}
	return r
}

// want compares the effects of the last step, one line each.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	got := strings.Join(show(r.out), "\n")
	if want := strings.Join(lines, "\n"); got != want {
		r.t.Fatalf("effects:\n%s\nwant:\n%s", got, want)
	}
}

func show(effects []Effect) []string {
	var lines []string
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			lines = append(lines, "send "+showCall(e.Call))
		case SetTimer:
			lines = append(lines, "timer "+e.Key)
		case CancelTimer:
			lines = append(lines, "cancel "+e.Key)
		case Connected:
			lines = append(lines, fmt.Sprintf("connected %s resumed=%t", e.FrameworkID.GetValue(), e.Resumed))
		case Disconnected:
			lines = append(lines, "disconnected")
		case Deliver:
			lines = append(lines, "deliver "+showEvent(e.Event))
		case Refused:
			lines = append(lines, "refused "+e.Err.Error())
		case Ended:
			lines = append(lines, fmt.Sprintf("ended %v", e.Err))
		case Persist:
			lines = append(lines, "persist "+e.FrameworkID.GetValue())
		case Link:
			lines = append(lines, "link")
		case Unlink:
			lines = append(lines, "unlink")
		case Note:
			lines = append(lines, "note")
		}
	}
	return lines
}

func showCall(c *scheduler.Call) string {
	s := c.GetType().String()
	switch c.GetType() {
	case scheduler.Call_SUBSCRIBE:
		s += fmt.Sprintf(" id=%q suppressed=%v", c.GetSubscribe().GetFrameworkInfo().GetId().GetValue(),
			c.GetSubscribe().GetSuppressedRoles())
	case scheduler.Call_RECONCILE:
		for _, t := range c.GetReconcile().GetTasks() {
			s += " " + t.GetTaskId().GetValue()
		}
	case scheduler.Call_KILL:
		s += " " + c.GetKill().GetTaskId().GetValue()
	case scheduler.Call_ACKNOWLEDGE:
		s += " " + c.GetAcknowledge().GetTaskId().GetValue()
	case scheduler.Call_DECLINE:
		for _, o := range c.GetDecline().GetOfferIds() {
			s += " " + o.GetValue()
		}
	}
	return s
}

func showEvent(e *scheduler.Event) string {
	if e.GetType() != scheduler.Event_UPDATE {
		return e.GetType().String()
	}
	st := e.GetUpdate().GetStatus()
	return st.GetTaskId().GetValue() + " " + strings.TrimPrefix(st.GetState().String(), "TASK_")
}

func frameworkID(v string) *mesos.FrameworkID { return &mesos.FrameworkID{Value: &v} }
func taskID(v string) *mesos.TaskID           { return &mesos.TaskID{Value: &v} }
func agentID(v string) *mesos.AgentID         { return &mesos.AgentID{Value: &v} }

func subscribedEvent(id string) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_SUBSCRIBED.Enum(), Subscribed: &scheduler.Event_Subscribed{
		FrameworkId: frameworkID(id), HeartbeatIntervalSeconds: proto.Float64(15),
	}}
}

func offersEvent(ids ...string) *scheduler.Event {
	e := &scheduler.Event{Type: scheduler.Event_OFFERS.Enum(), Offers: &scheduler.Event_Offers{}}
	for _, id := range ids {
		e.Offers.Offers = append(e.Offers.Offers, &mesos.Offer{
			Id: &mesos.OfferID{Value: proto.String(id)}, FrameworkId: frameworkID("F1"),
			AgentId: agentID("S1"), Hostname: proto.String("h"),
		})
	}
	return e
}

func rescindEvent(id string) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_RESCIND.Enum(), Rescind: &scheduler.Event_Rescind{
		OfferId: &mesos.OfferID{Value: proto.String(id)},
	}}
}

// update makes an UPDATE event; n numbers its uuid, 0 leaves it out.
func update(task string, state mesos.TaskState, n int) *scheduler.Event {
	st := &mesos.TaskStatus{TaskId: taskID(task), State: state.Enum(), AgentId: agentID("S1")}
	if n > 0 {
		st.Uuid = []byte(fmt.Sprintf("%016d", n))
	} else {
		st.Reason = mesos.TaskStatus_REASON_RECONCILIATION.Enum()
	}
	return &scheduler.Event{Type: scheduler.Event_UPDATE.Enum(), Update: &scheduler.Event_Update{Status: st}}
}

func launch(offer string, tasks ...string) Submit {
	op := &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{},
	}
	for _, id := range tasks {
		op.Launch.TaskInfos = append(op.Launch.TaskInfos, &mesos.TaskInfo{
			Name: proto.String(id), TaskId: taskID(id), AgentId: agentID("S1"),
		})
	}
	return Submit{Call: &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{{Value: proto.String(offer)}}, Operations: []*mesos.Offer_Operation{op},
	}}}
}

func killCall(id string) Submit {
	return Submit{Call: &scheduler.Call{
		Type: scheduler.Call_KILL.Enum(),
		Kill: &scheduler.Call_Kill{TaskId: taskID(id)},
	}}
}

func handled(e *scheduler.Event) Handled { return Handled{Status: e.GetUpdate().GetStatus()} }

func TestNewRefusesWhatCannotSubscribe(t *testing.T) {
	for name, f := range map[string]*mesos.FrameworkInfo{
		"framework name is empty":           {User: proto.String("ann")},
		`user of framework "test" is empty`: {Name: proto.String("test")},
	} {
		if _, err := New(Config{Framework: f}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

func TestFirstSubscription(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.want("link", `send SUBSCRIBE id="" suppressed=[]`, "timer subscribe")
	r.event(subscribedEvent("F1"))
	r.want("cancel subscribe", "timer heartbeat", "persist F1")
	r.event(offersEvent("O1"))
	r.want()
	r.step(Persisted{})
	r.want("connected F1 resumed=false", "timer reconcile-all", "deliver OFFERS")
	if r.s.Offers() != 1 {
		t.Errorf("%d offers held, want 1", r.s.Offers())
	}
}

func TestFrameworkIDThatCannotBeStoredEndsTheSession(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.event(subscribedEvent("F1"))
	out := r.step(Persisted{Err: errors.New("disk full")})
	e, ok := out[len(out)-1].(Ended)
	if !ok || !strings.Contains(e.Err.Error(), `store framework id "F1": disk full`) {
		t.Fatalf("effects %v", show(out))
	}
	if out := r.step(MasterDetected{Master: "master@other:1"}); out != nil {
		t.Errorf("an ended session still says %v", show(out))
	}
}

func TestLinkLossWhileStoringStillStoresBeforeItTells(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.event(subscribedEvent("F1"))
	r.step(PeerExited{Peer: master})
	r.lapse("subscribe")
	r.event(subscribedEvent("F1"))
	r.want("cancel subscribe", "timer heartbeat")
	r.step(Persisted{})
	r.want("connected F1 resumed=true", "send RECONCILE", "timer reconcile-all")
}

func TestSubscribeIsRepeatedWithGrowingWaits(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	for _, limit := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		before := r.now
		r.lapse("subscribe")
		limit *= time.Second
		if w := r.now.Sub(before); w < limit/2 || w > limit {
			t.Errorf("waited %s, want between %s and %s", w, limit/2, limit)
		}
	}
}

func TestLinkLossSubscribesAgainWithTheStoredID(t *testing.T) {
	r := newRig(t).connected()
	r.event(offersEvent("O1"))
	r.step(launch("O1", "T1"))
	r.step(PeerExited{Peer: master + "#abc"})
	r.want("cancel heartbeat", "cancel reconcile", "cancel reconcile-all", "disconnected", "timer subscribe")
	r.lapse("subscribe")
	r.want("link", `send SUBSCRIBE id="F1" suppressed=[]`, "timer subscribe")
	r.event(subscribedEvent("F1"))
	r.want("cancel subscribe", "timer heartbeat", "connected F1 resumed=true",
		"send RECONCILE", "send RECONCILE T1", "timer reconcile", "timer reconcile-all")
}

func TestMissedHeartbeatsBreakTheSubscription(t *testing.T) {
	r := newRig(t).connected()
	r.now = r.now.Add(70 * time.Second)
	r.event(&scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
	r.want()
	r.lapse("heartbeat")
	r.want("timer heartbeat")
	r.lapse("heartbeat")
	r.want("unlink", "cancel heartbeat", "cancel reconcile", "cancel reconcile-all", "disconnected", "timer subscribe")
}

func TestNewMasterIsApproachedWithJitter(t *testing.T) {
	r := newRig(t).connected()
	r.step(MasterDetected{Master: "master@10.0.0.2:5050"})
	r.want("unlink", "cancel heartbeat", "cancel reconcile", "cancel reconcile-all", "disconnected", "timer subscribe")
	r.event(offersEvent("O1"))
	r.want("note")
	r.step(MasterDetected{})
	r.want("unlink", "cancel subscribe")
	r.step(MasterDetected{Master: master})
	r.want("timer subscribe")
	r.lapse("subscribe")
	r.want("link", `send SUBSCRIBE id="F1" suppressed=[]`, "timer subscribe")
}

func TestErrorEventEndsTheSession(t *testing.T) {
	r := newRig(t).connected()
	r.event(&scheduler.Event{
		Type:  scheduler.Event_ERROR.Enum(),
		Error: &scheduler.Event_Error{Message: proto.String("Framework has been removed")},
	})
	if last := show(r.out)[len(r.out)-1]; last != "ended master ended the subscription: Framework has been removed" {
		t.Errorf("last effect %q", last)
	}
}

// Whoever starts a scheduler again must know why the last one ended.
func TestLastWordsOfTheMaster(t *testing.T) {
	for message, is := range map[string][2]bool{
		"Framework failed over":                                       {true, false},
		"Framework has been removed":                                  {false, true},
		"Framework was torn down by an operator":                      {false, true},
		`framework_info.id: "F1": Framework has been removed`:         {false, true},
		`framework_info.principal: "x": is not "y", who is connected`: {false, false},
	} {
		r := newRig(t).connected()
		out := r.event(&scheduler.Event{
			Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &message},
		})
		e, ok := out[len(out)-1].(Ended)
		if !ok || e.TornDown {
			t.Fatalf("last effect %+v", out[len(out)-1])
		}
		var said *MasterError
		if !errors.As(e.Err, &said) || said.Message != message ||
			errors.Is(e.Err, ErrReplaced) != is[0] || errors.Is(e.Err, ErrRemoved) != is[1] {
			t.Errorf("%q ends with %v", message, e.Err)
		}
	}
}

// A master that is found again, leading anew or still, is turned to soon,
// however long the waits have grown; a subscription that stands is left alone.
func TestMasterFoundAgainIsTurnedToSoon(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	for range 10 {
		r.lapse("subscribe")
	}
	if wait := r.timers["subscribe"].Sub(r.now); wait < subscribeWaitMax/2 {
		t.Fatalf("the wait is only %s", wait)
	}
	r.step(MasterDetected{Master: master})
	r.want("timer subscribe")
	if wait := r.timers["subscribe"].Sub(r.now); wait > detectedWait {
		t.Errorf("the wait is %s", wait)
	}
	r.lapse("subscribe")
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.step(MasterDetected{Master: master})
	r.want()
	r.step(MasterDetected{})
	r.step(MasterDetected{})
	r.want()
}

// Whoever keeps the framework's id must know whether it is of use any more.
func TestTeardownIsTold(t *testing.T) {
	r := newRig(t).connected()
	r.step(teardown)
	out := r.event(removedEvent)
	if e, ok := out[len(out)-1].(Ended); !ok || e.Err != nil || !e.TornDown {
		t.Errorf("after a teardown: last effect %+v", out[len(out)-1])
	}
	r = newRig(t).connected()
	r.step(teardown)
	out = r.step(Leave{})
	if e, ok := out[len(out)-1].(Ended); !ok || e.Err != nil || e.TornDown {
		t.Errorf("after leaving before the teardown was answered: last effect %+v", out[len(out)-1])
	}
	r = newRig(t).connected()
	r.step(teardown)
	out = r.event(&scheduler.Event{
		Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("Framework failed over")},
	})
	if e, ok := out[len(out)-1].(Ended); !ok || !errors.Is(e.Err, ErrReplaced) || e.TornDown {
		t.Errorf("of a framework that is another's: last effect %+v", out[len(out)-1])
	}
}

var (
	teardown     = Submit{Call: &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()}}
	removedEvent = &scheduler.Event{
		Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("Framework has been removed")},
	}
)

// A teardown is repeated until the master says that it is done, at whichever
// master leads; the author hears of nothing else any more.
func TestTeardownIsRepeated(t *testing.T) {
	r := newRig(t).connected()
	r.step(killCall("T1"))
	r.step(teardown)
	r.want("cancel reconcile", "cancel reconcile-all", "cancel kill/T1", "send TEARDOWN", "timer teardown")
	for _, wait := range []time.Duration{teardownWait, 2 * teardownWait, 4 * teardownWait, 8 * teardownWait, teardownWaitMax} {
		if got := r.timers["teardown"].Sub(r.now); got != wait {
			t.Errorf("the next comes after %s, want %s", got, wait)
		}
		r.lapse("teardown")
		r.want("send TEARDOWN", "timer teardown")
	}
	r.event(offersEvent("O1"))
	r.event(update("T1", finished, 1))
	r.step(killCall("T2"))
	r.step(teardown)
	r.step(Watch{TaskID: &mesos.TaskID{Value: proto.String("T3")}})
	r.want()
	r.step(PeerExited{Peer: master})
	r.want("cancel heartbeat", "cancel reconcile", "cancel reconcile-all", "cancel teardown", "disconnected", "timer subscribe")
	r.lapse("subscribe")
	r.event(subscribedEvent("F1"))
	r.want("cancel subscribe", "timer heartbeat", "connected F1 resumed=true", "send TEARDOWN", "timer teardown")
	r.event(removedEvent)
	r.want("unlink", "cancel subscribe", "cancel heartbeat", "cancel reconcile", "cancel reconcile-all", "cancel teardown", "ended <nil>")
}

func TestRefusalsOfTheMaster(t *testing.T) {
	refusal := func(code uint32) Received {
		return Received{From: master, Message: &scheduler.APIResult{StatusCode: &code, Error: proto.String("no")}}
	}
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.step(refusal(503))
	r.want("note")
	r.step(refusal(202))
	r.want()
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.step(refusal(400))
	r.want("refused master refused a call with status 400: no")

	r = newRig(t)
	r.step(MasterDetected{Master: master})
	r.step(refusal(403))
	if last := show(r.out)[len(r.out)-1]; last != "ended master refused a call with status 403: no" {
		t.Errorf("last effect %q", last)
	}
}

func TestLeaveAndTeardown(t *testing.T) {
	r := newRig(t).connected()
	r.step(killCall("T1"))
	r.step(Leave{})
	r.want("unlink", "cancel subscribe", "cancel heartbeat", "cancel reconcile", "cancel reconcile-all",
		"cancel kill/T1", "ended <nil>")

	r = newRig(t)
	r.step(teardown)
	r.want()
	r.step(MasterDetected{Master: master})
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.want("connected F1 resumed=false", "send TEARDOWN", "timer teardown")

	r = newRig(t, withID)
	r.step(teardown)
	r.step(MasterDetected{Master: master})
	r.event(&scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("Framework has been removed")}})
	if last := show(r.out)[len(r.out)-1]; last != "ended <nil>" {
		t.Errorf("last effect %q", last)
	}
}
