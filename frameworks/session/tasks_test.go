package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	killed   = mesos.TaskState_TASK_KILLED
	unknown  = mesos.TaskState_TASK_UNKNOWN
)

func TestUpdateIsAcknowledgedOnlyOnceHandled(t *testing.T) {
	r := newRig(t).connected()
	e := update("T1", running, 1)
	r.event(e)
	r.want("deliver T1 RUNNING")
	r.event(e)
	r.want()
	r.step(handled(e))
	r.want("send ACKNOWLEDGE T1")
	r.event(e)
	r.want("send ACKNOWLEDGE T1")
}

func TestUpdateHandledWhileDisconnectedIsAcknowledgedLater(t *testing.T) {
	r := newRig(t).connected()
	e := update("T1", finished, 1)
	r.event(e)
	r.step(PeerExited{Peer: master})
	r.step(handled(e))
	r.want()
	r.lapse("subscribe")
	r.event(subscribedEvent("F1"))
	r.event(e)
	r.want("send ACKNOWLEDGE T1")
}

func TestTerminalUpdateEndsTheAccount(t *testing.T) {
	r := newRig(t).connected()
	r.event(offersEvent("O1"))
	r.step(launch("O1", "T1"))
	e := update("T1", finished, 1)
	r.event(e)
	if r.s.Tasks() != 1 {
		t.Fatalf("%d tasks before the update is handled, want 1", r.s.Tasks())
	}
	// Nor does a master's guess come after the end that the author has in hand.
	r.event(update("T1", mesos.TaskState_TASK_LOST, 0))
	r.want()
	r.step(handled(e))
	if r.s.Tasks() != 0 {
		t.Fatalf("%d tasks after, want 0", r.s.Tasks())
	}
	// What a reconciliation under way still says of it is no news.
	r.event(update("T1", finished, 0))
	r.want()
	// Nor what an agent says that a master failover made ignorant of it: it is
	// acknowledged, so that it ends, and the author hears of one fate.
	r.event(update("T1", mesos.TaskState_TASK_DROPPED, 2))
	r.want("send ACKNOWLEDGE T1")
	r.event(update("T1", mesos.TaskState_TASK_RUNNING, 0))
	r.want()
}

func TestUpdatesThatCannotBeAcknowledged(t *testing.T) {
	r := newRig(t).connected()
	short := update("T1", running, 1)
	short.Update.Status.Uuid = []byte("short")
	r.event(short)
	r.want("note")
	r.event(&scheduler.Event{Type: scheduler.Event_UPDATE.Enum()})
	r.want("note")
	homeless := update("T1", running, 1)
	homeless.Update.Status.AgentId = nil
	r.event(homeless)
	r.step(handled(homeless))
	r.want("note")
	bare := update("T1", killed, 0)
	r.event(bare)
	r.want("deliver T1 KILLED")
	r.step(handled(bare))
	r.want()
}

func TestReconciliationRepeatsUntilAnswered(t *testing.T) {
	r := newRig(t, withID)
	r.step(Watch{TaskID: taskID("T1"), AgentID: agentID("S1")})
	r.step(Watch{TaskID: taskID("T2")})
	r.connected()
	r.want("cancel subscribe", "timer heartbeat", "connected F1 resumed=true", "send RECONCILE",
		"send RECONCILE T1 T2", "timer reconcile", "timer reconcile-all")
	r.event(update("T2", running, 0))
	r.want("deliver T2 RUNNING")
	for _, limit := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		before := r.now
		r.lapse("reconcile")
		r.want("send RECONCILE T1", "timer reconcile")
		limit *= time.Second
		if w := r.now.Sub(before); w < limit/2 || w > limit {
			t.Errorf("waited %s, want between %s and %s", w, limit/2, limit)
		}
	}
	r.event(update("T1", unknown, 0))
	r.want("deliver T1 UNKNOWN")
	r.lapse("reconcile")
	r.want()
	if r.s.Tasks() != 1 {
		t.Errorf("%d tasks followed, want T2 alone", r.s.Tasks())
	}
}

func TestKnownStateIsNoNews(t *testing.T) {
	r := newRig(t).connected()
	e := update("T1", running, 1)
	r.event(e)
	r.step(handled(e))
	r.event(update("T1", running, 0))
	r.want()
	r.event(update("T1", mesos.TaskState_TASK_UNREACHABLE, 0))
	r.want("deliver T1 UNREACHABLE", "timer reconcile")
}

func TestEverythingIsReconciledNowAndThen(t *testing.T) {
	r := newRig(t).connected()
	r.event(update("T1", running, 0))
	before := r.now
	r.lapse("reconcile-all")
	r.want("send RECONCILE", "send RECONCILE T1", "timer reconcile", "timer reconcile-all")
	if w := r.now.Sub(before); w < 13*time.Minute || w > 17*time.Minute {
		t.Errorf("after %s", w)
	}
}

func TestReconciliationIsSentInBatches(t *testing.T) {
	r := newRig(t)
	for i := range 2*reconcileBatch + 1 {
		r.step(Watch{TaskID: taskID(string(rune('a'+i%26)) + time.Duration(i).String())})
	}
	r.connected()
	var sizes []int
	for _, e := range r.out {
		if s, ok := e.(Send); ok {
			sizes = append(sizes, len(s.Call.GetReconcile().GetTasks()))
		}
	}
	if len(sizes) != 3 || sizes[0] != reconcileBatch || sizes[2] != 1 {
		t.Errorf("batches of %v", sizes)
	}
}

func TestKillIsRepeatedUntilTheTaskHasEnded(t *testing.T) {
	r := newRig(t).connected()
	r.step(killCall("T1"))
	r.want("send KILL T1", "timer kill/T1")
	before := r.now
	r.lapse("kill/T1")
	r.want("send KILL T1", "timer kill/T1")
	if w := r.now.Sub(before); w < killWait || w > killWait*5/4 {
		t.Errorf("repeated after %s", w)
	}
	r.step(PeerExited{Peer: master})
	r.lapse("kill/T1")
	r.want()
	r.lapse("subscribe")
	r.event(subscribedEvent("F1"))
	r.want("cancel subscribe", "timer heartbeat", "connected F1 resumed=true", "send KILL T1", "timer kill/T1",
		"send RECONCILE", "send RECONCILE T1", "timer reconcile", "timer reconcile-all")
	e := update("T1", killed, 1)
	r.event(e)
	r.step(handled(e))
	r.want("send ACKNOWLEDGE T1", "cancel kill/T1")
	r.step(killCall("T1"))
	r.want("note")
}

func TestPatientKillIsNotRepeatedWithinItsGrace(t *testing.T) {
	r := newRig(t).connected()
	c := killCall("T1")
	c.Call.Kill.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{
		Nanoseconds: proto.Int64(int64(time.Minute)),
	}}
	r.step(c)
	if w := r.timers["kill/T1"].Sub(r.now); w < time.Minute {
		t.Errorf("repeated after %s", w)
	}
}

func TestKillOfATaskThatNobodyKnowsEnds(t *testing.T) {
	r := newRig(t).connected()
	r.step(killCall("T1"))
	r.event(update("T1", unknown, 0))
	r.want("deliver T1 UNKNOWN", "cancel kill/T1")
}

func TestLaunchWithoutMasterIsDropped(t *testing.T) {
	r := newRig(t)
	r.step(launch("O1", "T1", "T2"))
	r.want("deliver T1 LOST", "deliver T2 LOST")
	r = newRig(t, partitionAware)
	r.step(launch("O1", "T1"))
	r.want("deliver T1 DROPPED")
	r.step(launch("O1"))
	r.want("refused call ACCEPT: not subscribed to a master")
}

func TestTaskIDInUseIsRefused(t *testing.T) {
	r := newRig(t).connected()
	r.event(offersEvent("O1", "O2"))
	r.step(launch("O1", "T1"))
	r.step(launch("O2", "T1"))
	r.want(`refused call ACCEPT: task_id "T1" is in use`)
	r.step(launch("O2", "T2", "T2"))
	r.want(`refused call ACCEPT: task_id "T2" is in use`)
	if r.s.Offers() != 1 {
		t.Errorf("%d offers held, want O2 still", r.s.Offers())
	}
}

func TestEndedTaskIDMayBeUsedAgain(t *testing.T) {
	r := newRig(t).connected()
	r.event(update("T1", finished, 0))
	r.event(offersEvent("O1"))
	r.step(launch("O1", "T1"))
	r.want("send ACCEPT")
	r.event(update("T1", mesos.TaskState_TASK_GONE, 0))
	r.want("deliver T1 GONE")
}

func TestOffersAreAccountedFor(t *testing.T) {
	r := newRig(t).connected()
	decline := func(ids ...string) {
		c := &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{}}
		for _, id := range ids {
			c.Decline.OfferIds = append(c.Decline.OfferIds, &mesos.OfferID{Value: proto.String(id)})
		}
		r.step(Submit{Call: c})
	}
	r.event(offersEvent("O1", "O2", "O3"))
	r.event(rescindEvent("O2"))
	r.want("deliver RESCIND")
	r.event(rescindEvent("O2"))
	r.want()
	decline("O1", "O2")
	r.want("send DECLINE O1")
	decline("O1")
	r.want()
	r.step(PeerExited{Peer: master})
	decline("O3")
	r.want()
	if r.s.Offers() != 0 {
		t.Errorf("%d offers held after the link broke", r.s.Offers())
	}
}

func TestSuppressionOutlivesTheConnection(t *testing.T) {
	suppress := Submit{Call: &scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()}}
	revive := Submit{Call: &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}}
	r := newRig(t)
	r.step(suppress)
	r.want()
	r.step(MasterDetected{Master: master})
	r.want("link", `send SUBSCRIBE id="" suppressed=[*]`, "timer subscribe")
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.step(revive)
	r.want("send REVIVE")
	r.step(suppress)
	r.want("send SUPPRESS")
	r.step(revive)
	r.step(PeerExited{Peer: master})
	r.lapse("subscribe")
	r.want("link", `send SUBSCRIBE id="F1" suppressed=[]`, "timer subscribe")
}

func TestChangeDuringSubscriptionReachesTheMaster(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.step(Submit{Call: &scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()}})
	r.want()
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.want("connected F1 resumed=false", "send UPDATE_FRAMEWORK", "timer reconcile-all")
	u := r.out[1].(Send).Call.GetUpdateFramework()
	if len(u.GetSuppressedRoles()) != 1 || u.GetFrameworkInfo().GetId().GetValue() != "F1" {
		t.Errorf("%v", u)
	}
}

func TestUpdatedFrameworkIsWhatSubscribesNext(t *testing.T) {
	multi := func(c *Config) {
		c.Framework.Capabilities = []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()},
		}
		c.Framework.Roles = []string{"b", "a"}
		c.SuppressedRoles = []string{"a"}
	}
	r := newRig(t, multi)
	r.step(MasterDetected{Master: master})
	r.want("link", `send SUBSCRIBE id="" suppressed=[a]`, "timer subscribe")
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	info := proto.Clone(r.s.framework).(*mesos.FrameworkInfo)
	info.Id, info.Roles = nil, []string{"c"}
	r.step(Submit{Call: &scheduler.Call{
		Type:            scheduler.Call_UPDATE_FRAMEWORK.Enum(),
		UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: info, SuppressedRoles: []string{"c"}},
	}})
	r.want("send UPDATE_FRAMEWORK")
	r.step(PeerExited{Peer: master})
	r.lapse("subscribe")
	r.want("link", `send SUBSCRIBE id="F1" suppressed=[c]`, "timer subscribe")
}

func TestRolesChange(t *testing.T) {
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.event(subscribedEvent("F1"))
	r.step(Persisted{})
	r.out = nil
	roles := func(roles ...string) string {
		r.out = nil
		r.step(SetRoles{Roles: roles})
		if len(r.out) == 0 {
			return ""
		}
		u := r.out[0].(Send).Call.GetUpdateFramework()
		return fmt.Sprint(u.GetFrameworkInfo().GetRoles(), u.GetSuppressedRoles(), u.GetFrameworkInfo().GetId().GetValue())
	}
	if got := roles("b", "a", "b"); got != "[a b] []F1" {
		t.Error(got)
	}
	r.step(Submit{Call: &scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()}})
	if got := roles("b", "c"); got != "[b c] [b]F1" {
		t.Error(got)
	}
	for _, none := range [][]string{{"c", "b"}, nil} {
		if got := roles(none...); got != "" {
			t.Errorf("%v: %s", none, got)
		}
	}
}

func TestMalformedCallsAreRefused(t *testing.T) {
	for want, c := range map[string]*scheduler.Call{
		"refused call: type is 0, which is no call":                                {},
		"refused call: type SUBSCRIBE is the session's own":                        {Type: scheduler.Call_SUBSCRIBE.Enum()},
		"refused call: type ACKNOWLEDGE is the session's own":                      {Type: scheduler.Call_ACKNOWLEDGE.Enum()},
		"refused call KILL: kill.task_id is empty":                                 {Type: scheduler.Call_KILL.Enum()},
		"refused call ACCEPT: accept.offer_ids is empty":                           {Type: scheduler.Call_ACCEPT.Enum()},
		"refused call UPDATE_FRAMEWORK: update_framework.framework_info is absent": {Type: scheduler.Call_UPDATE_FRAMEWORK.Enum()},
	} {
		r := newRig(t).connected()
		r.step(Submit{Call: c})
		r.want(want)
	}
	r := newRig(t)
	incomplete := launch("O1", "T1")
	incomplete.Call.Accept.Operations[0].Launch.TaskInfos[0].Name = nil
	r.step(incomplete)
	if got := show(r.out)[0]; !strings.Contains(got, "mesos.v1.TaskInfo.name") {
		t.Errorf("effect %q", got)
	}
	r.step(Submit{Call: &scheduler.Call{Type: scheduler.Call_MESSAGE.Enum()}})
	r.want("refused call MESSAGE: not subscribed to a master")
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent(2)
	r.add("a")
	r.add("b")
	r.add("b")
	r.add("c")
	if r.has("a") || !r.has("b") || !r.has("c") {
		t.Errorf("remembers %v", r.set)
	}
	r.remove("b")
	if r.has("b") {
		t.Error("remembers b")
	}
}

// An unreachable task is asked for until more is known: its agent may come
// back without it, to a master that never heard of it.
func TestUnreachableTaskIsAskedFor(t *testing.T) {
	r := newRig(t).connected()
	r.event(update("T1", mesos.TaskState_TASK_UNREACHABLE, 0))
	r.want("deliver T1 UNREACHABLE", "timer reconcile")
	for range 3 {
		r.lapse("reconcile")
		r.want("send RECONCILE T1", "timer reconcile")
		r.event(update("T1", mesos.TaskState_TASK_UNREACHABLE, 0))
		r.want()
	}
	r.event(update("T1", running, 0))
	r.want("deliver T1 RUNNING")
	r.lapse("reconcile")
	r.want()
}
