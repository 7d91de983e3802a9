package carrier_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		accept []string
		want   carrier.Form
		status int // 0: accepted
	}{
		{nil, carrier.JSON, 0},
		{[]string{""}, carrier.JSON, 0},
		{[]string{"*/*"}, carrier.JSON, 0},
		{[]string{"application/*"}, carrier.JSON, 0},
		{[]string{"application/json"}, carrier.JSON, 0},
		{[]string{"Application/JSON"}, carrier.JSON, 0},
		{[]string{"application/x-protobuf"}, carrier.Protobuf, 0},
		{[]string{"application/x-protobuf, application/json"}, carrier.JSON, 0},
		{[]string{"application/x-protobuf", "application/json"}, carrier.JSON, 0},
		{[]string{"application/json", "application/x-protobuf"}, carrier.Protobuf, 0},
		{[]string{"application/json;q=0, */*"}, carrier.Protobuf, 0},
		{[]string{"application/json; q=0.0, application/x-protobuf;q=0.1"}, carrier.Protobuf, 0},
		{[]string{"application/json;q=nonsense"}, carrier.JSON, http.StatusNotAcceptable},
		{[]string{"text/html"}, carrier.JSON, http.StatusNotAcceptable},
		{[]string{"application"}, carrier.JSON, http.StatusNotAcceptable},
		{[]string{"*/*;q=0"}, carrier.JSON, http.StatusNotAcceptable},
		{[]string{",;,"}, carrier.JSON, http.StatusNotAcceptable},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		for _, a := range c.accept {
			r.Header.Add("Accept", a)
		}
		got, err := carrier.Negotiate(r)
		var p *carrier.Problem
		switch {
		case c.status != 0 && (!errors.As(err, &p) || p.Status != c.status):
			t.Errorf("Accept %q: %v, want a problem with status %d", c.accept, err, c.status)
		case c.status == 0 && (err != nil || got != c.want):
			t.Errorf("Accept %q: %v, %v; want %v", c.accept, got, err, c.want)
		}
	}
}

func TestParseForm(t *testing.T) {
	for _, f := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		if got, known := carrier.ParseForm(f.String()); !known || got != f {
			t.Errorf("%q is %v, %v", f, got, known)
		}
	}
	for _, media := range []string{"", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain"} {
		if _, known := carrier.ParseForm(media); known {
			t.Errorf("%q is the media type of a form", media)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	m := &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()}
	for form, want := range map[carrier.Form]string{carrier.JSON: `>{"type":"HEARTBEAT"}`, carrier.Protobuf: ">\x08\x08"} {
		got, err := form.Append([]byte(">"), m)
		if err != nil || string(got) != want {
			t.Errorf("%v: %q, %v; want %q", form, got, err, want)
		}
	}
}

func TestIncompleteMessageHasNoProtobuf(t *testing.T) {
	if _, err := carrier.Protobuf.Frame(new(mesos.TaskID)); err == nil {
		t.Error("a message without its required field was encoded")
	}
}

func TestWriteMessage(t *testing.T) {
	m := &mesos.TaskID{Value: proto.String("t")}
	for form, want := range map[carrier.Form]string{carrier.JSON: `{"value":"t"}`, carrier.Protobuf: "\n\x01t"} {
		w := httptest.NewRecorder()
		if err := carrier.WriteMessage(w, httptest.NewRequest(http.MethodPost, "/", nil), form, m); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != form.String() || w.Body.String() != want {
			t.Errorf("%v: %d %q %q; want %q", form, w.Code, w.Header(), w.Body, want)
		}
	}
}
