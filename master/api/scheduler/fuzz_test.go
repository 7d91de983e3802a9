package scheduler_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	api "troupe/master/api/scheduler"
	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// once is a client that leaves when it has the first bytes of a stream.
type once struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (o once) Flush() { o.leave() }

// FuzzCall: whatever is posted, as it is and as the call of a framework that is
// subscribed, has an answer of its own.
func FuzzCall(f *testing.F) {
	for _, c := range []*scheduler.Call{
		{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info("")}},
		{Type: scheduler.Call_REVIVE.Enum(), Revive: &scheduler.Call_Revive{Roles: []string{"*"}}},
		{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: proto.String("t")}}},
		{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}},
		{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: info("f")}},
		accept(&mesos.Offer{Id: &mesos.OfferID{Value: proto.String("M-O0")}, AgentId: &mesos.AgentID{Value: proto.String("M-S0")}}, "t"),
	} {
		if c.GetType() != scheduler.Call_SUBSCRIBE {
			c.FrameworkId = &mesos.FrameworkID{Value: proto.String("f")}
		}
		f.Add(true, json.Marshal(c))
		binary, err := proto.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(false, binary)
	}
	b := newBench(f, api.Options{})
	h := b.handler
	f.Fuzz(func(t *testing.T, text bool, body []byte) {
		form := carrier.Protobuf
		if text {
			form = carrier.JSON
		}
		check(t, answer(t, h, form, body, ""))
		call := new(scheduler.Call)
		if carrier.Decode(form, body, call) != nil || call.GetType() == scheduler.Call_SUBSCRIBE {
			return
		}
		short := info("")
		short.FailoverTimeout = nil // over with its subscription
		s := (&bench{t, b.sys, h}).subscribe(mesosclient.JSON{}, short)
		defer s.Close()
		call.FrameworkId = &mesos.FrameworkID{Value: &s.FrameworkID}
		check(t, answer(t, h, carrier.JSON, json.Marshal(call), s.ID))
	})
}

func check(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented {
		t.Fatalf("answered %d %q", w.Code, w.Body)
	}
}

// answer gives a request to the handler; of a stream it takes only the head.
func answer(t *testing.T, h http.Handler, form carrier.Form, body []byte, stream string) (answered *httptest.ResponseRecorder) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, mesosclient.SchedulerPath, bytes.NewReader(body))
	r.Header.Set("Content-Type", form.String())
	if stream != "" {
		r.Header.Set(mesosclient.StreamID, stream)
	}
	w := once{httptest.NewRecorder(), leave}
	answered = w.ResponseRecorder
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return answered
}
