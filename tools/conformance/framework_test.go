package conformance

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// framework is a subscribed scheduler whose events are collected as they come.
type framework struct {
	*mesosclient.Scheduler
	t    *testing.T
	said map[scheduler.Call_Type]bool

	mu      sync.Mutex
	seen    map[scheduler.Event_Type]bool
	waiting []*scheduler.Event // that no await has taken
	taken   map[string]bool    // offers that were taken back
	ended   error              // of the stream
	changed chan struct{}
}

// describe is a framework in one role that may be away for a minute.
func describe(name string) *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{
		User: proto.String("root"), Name: proto.String(name), FailoverTimeout: proto.Float64(60), Roles: []string{"*"},
		Capabilities: []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()},
			{Type: mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT.Enum()},
			{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
			{Type: mesos.FrameworkInfo_Capability_TASK_KILLING_STATE.Enum()},
		},
	}
}

// subscribe subscribes a framework; if it is still there at the test's end it is
// torn down.
func subscribe(t *testing.T, address string, enc mesosclient.Encoding, info *mesos.FrameworkInfo, suppressed ...string) *framework {
	t.Helper()
	return subscribeAt(t, mesosclient.Endpoint{Address: address, Path: mesosclient.SchedulerPath, Encoding: enc}, info, suppressed...)
}

func subscribeAt(t *testing.T, at mesosclient.Endpoint, info *mesos.FrameworkInfo, suppressed ...string) *framework {
	t.Helper()
	s, err := mesosclient.SubscribeAt(t.Context(), at, &scheduler.Call_Subscribe{FrameworkInfo: info, SuppressedRoles: suppressed})
	if err != nil {
		t.Fatal(err)
	}
	return collect(t, s)
}

func collect(t *testing.T, s *mesosclient.Scheduler) *framework {
	f := &framework{
		Scheduler: s, t: t, changed: make(chan struct{}),
		seen:  map[scheduler.Event_Type]bool{scheduler.Event_SUBSCRIBED: true},
		said:  map[scheduler.Call_Type]bool{scheduler.Call_SUBSCRIBE: true},
		taken: map[string]bool{},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			e, err := s.Event()
			f.take(e, err)
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = s.Close() // it may have ended
		<-done
	})
	return f
}

func (f *framework) take(e *scheduler.Event, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.ended = err
	} else {
		f.waiting = append(f.waiting, e)
		f.seen[e.GetType()] = true
		f.taken[e.GetRescind().GetOfferId().GetValue()] = true
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// saw copies what has come so far to seen.
func (f *framework) saw(seen map[scheduler.Event_Type]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.Copy(seen, f.seen)
}

// find takes the first event that is meant; without one it is nil, and changed is
// closed when there are more.
func (f *framework) find(meant func(*scheduler.Event) bool) (e *scheduler.Event, changed <-chan struct{}, ended error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.waiting, meant)
	if i < 0 {
		return nil, f.changed, f.ended
	}
	e = f.waiting[i]
	f.waiting = slices.Delete(f.waiting, i, i+1)
	return e, nil, nil
}

// await takes the first event that is meant, which may have come already.
func (f *framework) await(what string, meant func(*scheduler.Event) bool) *scheduler.Event {
	f.t.Helper()
	late := time.After(processtest.Patience)
	for {
		e, changed, ended := f.find(meant)
		if e != nil {
			return e
		}
		if ended != nil {
			f.t.Fatalf("the stream ended without %s: %v", what, ended)
		}
		select {
		case <-changed:
		case <-late:
			f.t.Fatalf("no %s among %v", what, f.unread())
		}
	}
}

// unread is what no await has taken so far.
func (f *framework) unread() []*scheduler.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.waiting)
}

// event takes the first event of a type.
func (f *framework) event(kind scheduler.Event_Type) *scheduler.Event {
	f.t.Helper()
	return f.await(kind.String(), func(e *scheduler.Event) bool { return e.GetType() == kind })
}

// end waits until the master has ended the stream in order.
func (f *framework) end() {
	f.t.Helper()
	processtest.Eventually(f.t, "the stream has ended", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.ended != nil
	})
	if !errors.Is(f.ended, io.EOF) {
		f.t.Errorf("the stream ended with %v", f.ended)
	}
}

// offer takes the next offer that has room for what tests launch, and has not
// been taken back. Smaller ones are given back, to come with more; those beside
// it are for the next who asks.
func (f *framework) offer() *mesos.Offer {
	f.t.Helper()
	return f.offerThat(roomy)
}

func (f *framework) offerThat(fits func(*mesos.Offer) bool) *mesos.Offer {
	f.t.Helper()
	for {
		list := f.event(scheduler.Event_OFFERS).GetOffers().GetOffers()
		for i, offer := range list {
			if f.gone(offer) {
				continue
			}
			if fits(offer) {
				f.putBack(list[i+1:])
				return offer
			}
			f.say(decline(offer, 0))
		}
	}
}

func (f *framework) gone(offer *mesos.Offer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken[offer.GetId().GetValue()]
}

// putBack has offers come again, before all others.
func (f *framework) putBack(offers []*mesos.Offer) {
	if len(offers) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := &scheduler.Event{Type: scheduler.Event_OFFERS.Enum(), Offers: &scheduler.Event_Offers{Offers: offers}}
	f.waiting = slices.Insert(f.waiting, 0, e)
}

func roomy(offer *mesos.Offer) bool {
	has := map[string]float64{}
	for _, r := range offer.GetResources() {
		has[r.GetName()] += r.GetScalar().GetValue()
	}
	return has["cpus"] >= 1 && has["mem"] >= 256 && has["disk"] >= 16
}

// update takes the updates of a task, and acknowledges them, to the next one
// that says a state.
func (f *framework) update(task string, state mesos.TaskState) *mesos.TaskStatus {
	f.t.Helper()
	for {
		status := f.await(fmt.Sprintf("update %s of %s", state, task), func(e *scheduler.Event) bool {
			return e.GetType() == scheduler.Event_UPDATE && e.GetUpdate().GetStatus().GetTaskId().GetValue() == task
		}).GetUpdate().GetStatus()
		f.acknowledge(status)
		switch {
		case status.GetState() == state:
			return status
		case over(status.GetState()):
			f.t.Fatalf("%s is not %s: %v", task, state, status)
		}
	}
}

// over tells whether a state is a task's last.
func over(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_UNREACHABLE:
		return false
	}
	return true
}

// acknowledge does what ends the repetition of an update, if it is repeated.
func (f *framework) acknowledge(status *mesos.TaskStatus) {
	f.t.Helper()
	if status.Uuid == nil {
		return
	}
	f.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: status.GetAgentId(), TaskId: status.GetTaskId(), Uuid: status.GetUuid(),
	}})
}

// say sends a call, which must be taken.
func (f *framework) say(call *scheduler.Call) {
	f.t.Helper()
	f.said[call.GetType()] = true
	a, err := f.Say(f.t.Context(), call)
	if err != nil {
		f.t.Fatalf("%s: %v", call.GetType(), err)
	}
	if want := 202; a.Status != want && call.GetType() != scheduler.Call_UPDATE_FRAMEWORK {
		f.t.Errorf("%s: %s, want %d", call.GetType(), a, want)
	}
	if len(a.Body) > 0 {
		f.t.Errorf("%s: a body: %s", call.GetType(), a)
	}
}

// accept uses an offer.
func (f *framework) accept(offer *mesos.Offer, operations ...*mesos.Offer_Operation) {
	f.t.Helper()
	f.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{offer.GetId()}, Operations: operations, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(0)},
	}})
}

func launch(tasks ...*mesos.TaskInfo) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: tasks}}
}

func decline(offer *mesos.Offer, seconds float64) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{
		OfferIds: []*mesos.OfferID{offer.GetId()}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(seconds)},
	}}
}

// teardown ends the framework, and with it the stream.
func (f *framework) teardown() {
	f.t.Helper()
	f.say(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
	f.end()
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: proto.String(name), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(value)}}
}

// shell is a task of one command line, on the agent of an offer.
func shell(offer *mesos.Offer, id, line string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: proto.String(id), TaskId: &mesos.TaskID{Value: proto.String(id)}, AgentId: offer.GetAgentId(),
		Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)},
		Command:   &mesos.CommandInfo{Value: proto.String(line)},
	}
}

func kill(task string) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: proto.String(task)}}}
}
