package overhttp

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// gate holds a call that comes alone until it is opened, so that others queue.
type gate struct{ arrived, opened chan struct{} }

func newGate() gate { return gate{make(chan struct{}, 99), make(chan struct{})} }

// close sends a call that is held.
func (g gate) close(n *Connection) {
	n.Send(call(scheduler.Call_REVIVE))
	<-g.arrived
}

// batches answers calls that come together by what answer says.
func batches(t *testing.T, g gate, answer func(w http.ResponseWriter, r *http.Request, calls []*scheduler.Call)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") == "application/x-protobuf" {
			body, err := io.ReadAll(r.Body)
			c := new(scheduler.Call)
			if err != nil || proto.Unmarshal(body, c) != nil {
				t.Error("unreadable")
			}
			if c.GetType() == scheduler.Call_SUBSCRIBE {
				stream(t, w, r, "s", scheduler.Event_SUBSCRIBED)
				<-r.Context().Done()
				return
			}
			g.arrived <- struct{}{}
			<-g.opened
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if r.Header.Get("Message-Content-Type") != "application/x-protobuf" || r.Header.Get("Mesos-Stream-Id") != "s" {
			t.Errorf("headers %v", r.Header)
		}
		var calls []*scheduler.Call
		for in := recordio.NewReader(r.Body, 1<<20); ; {
			record, err := in.Next()
			if err != nil {
				break
			}
			c := new(scheduler.Call)
			if err := proto.Unmarshal(record, c); err != nil {
				t.Error(err)
			}
			calls = append(calls, c)
		}
		answer(w, r, calls)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// results answers every call by a status.
func results(t *testing.T, w http.ResponseWriter, status ...uint32) {
	t.Helper()
	w.Header().Set("Content-Type", "application/recordio")
	for _, code := range status {
		r := &scheduler.APIResult{StatusCode: proto.Uint32(code)}
		if code >= 400 {
			r.Error = proto.String("no")
		}
		record, err := proto.Marshal(r)
		if err != nil {
			t.Error(err)
		}
		if _, err := w.Write(recordio.Append(nil, record)); err != nil {
			t.Error(err)
		}
	}
}

// What waits goes together, in order, and each is answered.
func TestCallsTogether(t *testing.T) {
	g := newGate()
	var got []string
	address := batches(t, g, func(w http.ResponseWriter, _ *http.Request, calls []*scheduler.Call) {
		status := make([]uint32, len(calls))
		for i, c := range calls {
			got = append(got, c.GetType().String()+c.GetAcknowledge().GetTaskId().GetValue())
			status[i] = http.StatusAccepted
			if c.GetType() == scheduler.Call_DECLINE {
				status[i] = http.StatusBadRequest
			}
		}
		results(t, w, status...)
	})
	n, ear := subscribed(t, Options{}, address)
	g.close(n)
	var want []string
	for i := range maxBatch + 10 {
		task := fmt.Sprint(i % 7)
		n.Send(acknowledge(task, i))
		want = append(want, "ACKNOWLEDGE"+task)
	}
	n.Send(call(scheduler.Call_DECLINE))
	n.Send(call(scheduler.Call_TEARDOWN))
	close(g.opened)
	ear.want("refused DECLINE 400 no", "removed")
	if !slices.Equal(got, append(want, "DECLINE", "TEARDOWN")) {
		t.Errorf("%d calls, want %d", len(got), len(want)+2)
	}
}

func TestBatchesThatFail(t *testing.T) {
	for want, answer := range map[string]func(w http.ResponseWriter){
		"lost answer 2 of 3: EOF":                func(w http.ResponseWriter) { results(t, w, 202, 202) },
		"lost more answers than the 3 calls":     func(w http.ResponseWriter) { results(t, w, 202, 202, 202, 202) },
		"lost answer 0 of 3: recordio":           func(w http.ResponseWriter) { w.Header().Set("Content-Type", records); fmt.Fprint(w, "x\n") },
		"lost answer to 3 calls: status 503":     func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"lost EOF":                               func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"not leading 127.0.0.1:7":                func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1:7/x"); w.WriteHeader(307) },
		"lost answer 0 of 3: proto: cannot pars": func(w http.ResponseWriter) { w.Header().Set("Content-Type", records); fmt.Fprint(w, "1\n\xff") },
	} {
		g := newGate()
		address := batches(t, g, func(w http.ResponseWriter, _ *http.Request, _ []*scheduler.Call) { answer(w) })
		n, ear := subscribed(t, Options{}, address)
		g.close(n)
		for range 3 {
			n.Send(call(scheduler.Call_REVIVE))
		}
		close(g.opened)
		got := <-ear.lines
		if want, got = strings.ReplaceAll(want, "\u00a0", " "), strings.ReplaceAll(got, "\u00a0", " "); !strings.HasPrefix(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

// A call that may not be among others is sent alone, and so are those with it.
func TestBatchesThatAreRefused(t *testing.T) {
	g := newGate()
	address := batches(t, g, func(w http.ResponseWriter, _ *http.Request, _ []*scheduler.Call) {
		http.Error(w, "comes alone", http.StatusBadRequest)
	})
	n, ear := subscribed(t, Options{}, address)
	g.close(n)
	n.Send(call(scheduler.Call_REVIVE))
	n.Send(call(scheduler.Call_TEARDOWN))
	close(g.opened)
	ear.want("removed")
	if n.client.singly.Load() {
		t.Error("no call is sent with others any more")
	}
}
