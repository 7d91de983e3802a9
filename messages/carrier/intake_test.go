package carrier_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// kill is a call that has everything.
func kill(task string) *scheduler.Call {
	return &scheduler.Call{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("f")},
		Type:        scheduler.Call_KILL.Enum(),
		Kill:        &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: proto.String(task)}},
	}
}

func TestReadAnswersEachDefect(t *testing.T) {
	const media, binary = "application/json", "application/x-protobuf"
	notUTF8, err := proto.Marshal(kill("\xff"))
	if err != nil {
		t.Fatal(err)
	}
	incomplete, err := proto.MarshalOptions{AllowPartial: true}.Marshal(&scheduler.Call{
		Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{TaskId: new(mesos.TaskID)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, media, body string
		status              int
		says                string
	}{
		"method":                   {"GET", media, `{}`, 405, "GET"},
		"method before media type": {"PUT", "", `{}`, 405, "PUT"},
		"no content type":          {"POST", "", `{}`, 400, "Content-Type"},
		"empty content type":       {"POST", "empty", `{}`, 415, "Content-Type"},
		"content type":             {"POST", "text/plain", `{}`, 415, "text/plain"},
		"content type parameters":  {"POST", media + "; charset=utf-8", `{}`, 415, "charset"},
		"content type case":        {"POST", "Application/json", `{}`, 415, "Application/json"},
		"type before size":         {"POST", "text/plain", strings.Repeat("x", 2000), 415, ""},
		"too large":                {"POST", media, strings.Repeat(" ", 2000), 413, "1000"},
		"one too large":            {"POST", media, `{}` + strings.Repeat(" ", 999), 413, "1000"},
		"no JSON":                  {"POST", media, `]`, 400, "object"},
		"empty":                    {"POST", media, ``, 400, "object"},
		"wrong type":               {"POST", media, `{"kill":{"task_id":{"value":7}}}`, 400, "kill.task_id.value"},
		"required":                 {"POST", media, `{"kill":{"task_id":{}}}`, 400, "kill.task_id.value"},
		"no UTF-8 in JSON":         {"POST", media, "{\"kill\":{\"task_id\":{\"value\":\"\xff\"}}}", 400, "kill.task_id.value"},
		"no protobuf":              {"POST", binary, "\xff", 400, "protobuf"},
		"required in protobuf":     {"POST", binary, string(incomplete), 400, "kill.task_id.value"},
		"no UTF-8 in protobuf":     {"POST", binary, string(notUTF8), 400, "kill.task_id.value"},
		"nested too deep":          {"POST", media, strings.Repeat(`{"kill":`, 110), 400, ""},
	} {
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		switch c.media {
		case "":
		case "empty":
			r.Header.Set("Content-Type", "")
		default:
			r.Header.Set("Content-Type", c.media)
		}
		w := httptest.NewRecorder()
		in := carrier.Intake{MaxBody: 1000}
		err := in.Read(w, r, new(scheduler.Call))
		if err == nil {
			t.Errorf("%s: was read", name)
			continue
		}
		carrier.Refuse(w, err)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %q, want %d with %q", name, w.Code, w.Body, c.status, c.says)
		}
		if (w.Code == http.StatusMethodNotAllowed) != (w.Header().Get("Allow") == "POST") {
			t.Errorf("%s: Allow is %q", name, w.Header().Get("Allow"))
		}
	}
}

func TestReadReadsBothForms(t *testing.T) {
	want := kill(strings.Repeat("t", 10_000))
	for _, form := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		body, err := form.Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int64{int64(len(body)), -1} { // -1: in chunks
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.ContentLength = size
			r.Header.Set("Content-Type", form.String())
			got := new(scheduler.Call)
			in := carrier.Intake{MaxBody: int64(len(body))}
			if err := in.Read(httptest.NewRecorder(), r, got); err != nil || !proto.Equal(got, want) {
				t.Errorf("%v, %d bytes: %v", form, size, err)
			}
		}
	}
}

func compressed(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEncodedBodies(t *testing.T) {
	whole := compressed(t, `{"type":"REVIVE"}`)
	for name, c := range map[string]struct {
		encoding, body string
		status         int
	}{
		"none":         {"identity", `{"type":"REVIVE"}`, 200},
		"gzip":         {"gzip", whole, 200},
		"no gzip":      {"gzip", `{"type":"REVIVE"}`, 400},
		"cut short":    {"gzip", whole[:len(whole)-9], 400},
		"a bomb":       {"gzip", compressed(t, strings.Repeat(" ", 100_000)), 413},
		"just too big": {"gzip", compressed(t, strings.Repeat(" ", 1001)), 413},
		"another":      {"br", whole, 415},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", c.encoding)
		w := httptest.NewRecorder()
		in := carrier.Intake{MaxBody: 1000}
		call := new(scheduler.Call)
		if err := in.Read(w, r, call); err != nil {
			carrier.Refuse(w, err)
		} else if call.GetType() != scheduler.Call_REVIVE {
			t.Errorf("%s: read %v", name, call)
		}
		if w.Code != c.status {
			t.Errorf("%s: %d %q, want %d", name, w.Code, w.Body, c.status)
		}
	}
}

// intakeServer answers 200 to what can be read.
func intakeServer(t *testing.T, in *carrier.Intake) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := in.Read(w, r, new(scheduler.Call)); err != nil {
			carrier.Refuse(w, err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		t.Fatalf("answered %q", raw)
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func dialBody(t *testing.T, s *httptest.Server, header, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"+header+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestSlowBodyIsGivenUp(t *testing.T) {
	s := intakeServer(t, &carrier.Intake{Patience: 20 * time.Millisecond})
	if got := statusOf(t, dialBody(t, s, "Content-Length: 10", "{")); got != http.StatusRequestTimeout {
		t.Errorf("answered %d, want 408", got)
	}
}

func TestTruncatedBody(t *testing.T) {
	s := intakeServer(t, new(carrier.Intake))
	conn := dialBody(t, s, "Transfer-Encoding: chunked", "5\r\n{}")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := statusOf(t, conn); got != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", got)
	}
}

func TestBodiesAtOnceAreBounded(t *testing.T) {
	in := &carrier.Intake{MaxAll: 150_000}
	read := func(body io.Reader) error {
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("Content-Type", "application/json")
		return in.Read(httptest.NewRecorder(), r, new(scheduler.Call))
	}
	large := `{"type":"SUBSCRIBE"` + strings.Repeat(" ", 60_000) + "}"
	out, body := io.Pipe()
	first := make(chan error, 1)
	go func() { first <- read(out) }()
	if _, err := io.WriteString(body, large+strings.Repeat(" ", 10_000)); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	carrier.Refuse(w, read(strings.NewReader(large)))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a second large body: %d, %v", w.Code, w.Header())
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := read(strings.NewReader(large)); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

func TestBodiesOfManySmallMessagesAreBounded(t *testing.T) {
	many := &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{}}
	for range 10_000 {
		many.Accept.Operations = append(many.Accept.Operations, new(mesos.Offer_Operation))
	}
	for _, form := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		body, err := form.Append(nil, many)
		if err != nil {
			t.Fatal(err)
		}
		for room, status := range map[int64]int{100_000: 413, 2_570_000: 503, 3_000_000: 200} {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.Header.Set("Content-Type", form.String())
			w := httptest.NewRecorder()
			in := carrier.Intake{MaxAll: room}
			if err := in.Read(w, r, new(scheduler.Call)); err != nil {
				carrier.Refuse(w, err)
			}
			if w.Code != status {
				t.Errorf("%v of %d bytes with room for %d: %d, want %d", form, len(body), room, w.Code, status)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, form := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		body, err := form.Append(nil, kill("t"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(form == carrier.Protobuf, body)
	}
	f.Add(false, []byte(`{"type":"ACCEPT","accept":{"operations":[{"type":"LAUNCH"}]}}`))
	f.Add(true, []byte("\x12\x03\x0a\x01\xff"))
	in := new(carrier.Intake)
	f.Fuzz(func(t *testing.T, binary bool, body []byte) {
		form := carrier.JSON
		if binary {
			form = carrier.Protobuf
		}
		call := new(scheduler.Call)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		if in.ReadBody(httptest.NewRecorder(), r, form, call) != nil {
			return
		}
		if err := proto.CheckInitialized(call); err != nil {
			t.Fatalf("was read, but %v", err)
		}
		for _, other := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
			written, err := other.Append(nil, call)
			if err != nil {
				t.Fatalf("was read, but cannot be written: %v", err)
			}
			if err := carrier.Decode(other, written, new(scheduler.Call)); err != nil {
				t.Fatalf("%v: was written as %q, which cannot be read: %v", other, written, err)
			}
		}
	})
}
