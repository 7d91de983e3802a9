package session

import (
	"errors"
	"strings"
	"testing"

	"troupe/messages/mesos/scheduler"
)

// A carrier that knows which call was refused has the author told of that one.
func TestCallRefused(t *testing.T) {
	r := newRig(t).connected()
	decline := &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{}}
	out := r.step(CallRefused{From: master, Call: decline, Status: 403, Said: "Framework is not subscribed"})
	if e := out[0].(Refused); e.Call != decline || e.Err.Error() != "master refused DECLINE with status 403: Framework is not subscribed" {
		t.Errorf("%+v", e)
	}
	if out := r.step(CallRefused{From: "master@elsewhere:1", Call: decline, Status: 403}); len(out) != 1 || out[0].(Note).Level != Debug {
		t.Errorf("of another master: %v", out)
	}
}

// A subscription that is refused for good ends the session; one that is refused for
// now is tried again. A refusal that comes too late means nothing.
func TestSubscriptionRefusedByItsAnswer(t *testing.T) {
	subscribe := &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum()}
	r := newRig(t)
	r.step(MasterDetected{Master: master})
	r.step(CallRefused{From: master, Call: subscribe, Status: 503, Said: "No leader elected"})
	r.want("note")
	out := r.step(CallRefused{From: master, Call: subscribe, Status: 401, Said: "Unauthorized"})
	if e, ok := out[len(out)-1].(Ended); !ok || e.Err == nil || !strings.Contains(e.Err.Error(), "SUBSCRIBE with status 401: Unauthorized") {
		t.Errorf("%+v", out)
	}
	r = newRig(t).connected()
	if out := r.step(CallRefused{From: master, Call: subscribe, Status: 401}); len(out) != 0 {
		t.Errorf("after the subscription: %v", out)
	}
}

// The answer to a teardown is its end; without one that was wanted it means nothing.
func TestRemovedByItsAnswer(t *testing.T) {
	r := newRig(t).connected()
	if out := r.step(Removed{From: master}); len(out) != 0 {
		t.Errorf("unasked: %v", out)
	}
	r.step(teardown)
	if out := r.step(Removed{From: "master@elsewhere:1"}); len(out) != 0 {
		t.Errorf("of another master: %v", out)
	}
	out := r.step(Removed{From: master})
	if e, ok := out[len(out)-1].(Ended); !ok || !e.TornDown || !errors.Is(e.Err, nil) {
		t.Errorf("%+v", out)
	}
}
