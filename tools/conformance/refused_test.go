package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// request is one that must not be taken, and what must be answered.
type request struct {
	name, method string // POST, if it is not said
	body         string
	headers      map[string]string // in place of those of the encoding; "" leaves one out
	status       int
	says         string // a pattern for the answer's body
	allow        string // the header
}

// refuse sends requests to a path of a process, each alone on a connection, and
// again where /master or /slave(1) goes before the path.
func refuse(t *testing.T, address, path string, enc mesosclient.Encoding, all []request) {
	t.Helper()
	for _, r := range all {
		headers := map[string]string{"Content-Type": enc.MediaType(), "Accept": enc.MediaType(), "Content-Length": fmt.Sprint(len(r.body))}
		for name, value := range r.headers {
			headers[name] = value
		}
		var lines []string
		for name, value := range headers {
			if value != "" {
				lines = append(lines, name+": "+value)
			}
		}
		method := r.method
		if method == "" {
			method = http.MethodPost
		}
		a := raw(t, address, mesosclient.Head(method, path, lines...)+r.body)
		if a.Status != r.status || !regexp.MustCompile(r.says).Match(a.Body) || a.Header.Get("Allow") != r.allow {
			t.Errorf("%s: %s, Allow %q; want %d %q", r.name, a, a.Header.Get("Allow"), r.status, r.says)
		}
	}
}

// raw sends bytes on a connection of their own and reads the answer.
func raw(t *testing.T, address, bytes string) *mesosclient.Answer {
	t.Helper()
	conn, err := mesosclient.Dial(t.Context(), address, 0)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan error, 1)
	go func() { said <- conn.Say(bytes) }()
	a, err := conn.Answer() // which may come before all is said, and be the end
	if err != nil {
		t.Fatalf("%.200q: %v", bytes, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	<-said
	return a
}

// encoded is a call as a body.
func encoded(t *testing.T, enc mesosclient.Encoding, m proto.Message) string {
	t.Helper()
	body, err := enc.Marshal(m)
	if _, inProtobuf := enc.(mesosclient.Protobuf); inProtobuf {
		body, err = proto.MarshalOptions{AllowPartial: true}.Marshal(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// malformed are the requests that no API takes, whatever it does; reading is a
// call that is answered with a message, and so looks at Accept.
func malformed(t *testing.T, enc mesosclient.Encoding, reading proto.Message) []request {
	whole := encoded(t, enc, reading)
	all := []request{
		{name: "GET", method: http.MethodGet, status: 405, allow: "POST"},
		{name: "PUT", method: http.MethodPut, body: whole, status: 405, allow: "POST"},
		{name: "DELETE", method: http.MethodDelete, status: 405, allow: "POST"},
		{name: "no Content-Type", body: whole, headers: map[string]string{"Content-Type": ""}, status: 400, says: "Content-Type"},
		{name: "text", body: whole, headers: map[string]string{"Content-Type": "text/plain"}, status: 415, says: "text/plain"},
		{name: "a form", body: whole, headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, status: 415, says: "x-protobuf"},
		{name: "proto3's name", body: whole, headers: map[string]string{"Content-Type": "application/protobuf"}, status: 415, says: "x-protobuf"},
		{name: "a parameter", body: whole, headers: map[string]string{"Content-Type": enc.MediaType() + "; charset=utf-8"}, status: 415, says: "charset"},
		{name: "capitals", body: whole, headers: map[string]string{"Content-Type": strings.ToUpper(enc.MediaType())}, status: 415, says: "APPLICATION"},
		{name: "text accepted", body: whole, headers: map[string]string{"Accept": "text/html"}, status: 406, says: "Accept.*text/html"},
		{name: "both refused", body: whole, headers: map[string]string{"Accept": "application/json;q=0, application/x-protobuf;q=0"}, status: 406, says: "Accept"},
		{name: "over the limit", headers: map[string]string{"Content-Length": "1000000000"}, status: 413, says: "limit"},
		{name: "a chunk over the limit", headers: map[string]string{"Content-Length": "", "Transfer-Encoding": "chunked"}, body: mesosclient.Chunk(strings.Repeat(" ", 20<<20)), status: 413, says: "limit"},
		{name: "no chunk at all", headers: map[string]string{"Content-Length": "", "Transfer-Encoding": "chunked"}, body: "not a number\r\n", status: 400, says: "chunk"},
		{name: "nothing", body: encoded(t, enc, &scheduler.Call{}), status: 400, says: "type|executor_id"},
	}
	if _, inJSON := enc.(mesosclient.JSON); inJSON {
		return append(all,
			request{name: "half an object", body: `{"type":`, status: 400, says: "JSON|unexpected|end"},
			request{name: "a list", body: `[]`, status: 400, says: "object"},
			request{name: "two objects", body: whole + whole, status: 400, says: "after|trailing|end"},
			request{name: "a number for the type", body: `{"type":{}}`, status: 400, says: "type"},
			request{name: "a deep nest", body: `{"type":` + strings.Repeat(`[`, 100000), status: 400, says: "type|deep|nest"},
		)
	}
	return append(all, request{name: "no protobuf", body: "\xff\xff\xff", status: 400, says: "protobuf"})
}

// Every row of the error table of the scheduler API.
func TestRefusedCalls(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("bystander"))
		offer := f.offer()
		for _, prefix := range []string{"", "/master"} {
			refuse(t, c.master, prefix+mesosclient.SchedulerPath, enc, malformed(t, enc, subscription(describe("x"))))
			refuse(t, c.master, prefix+mesosclient.SchedulerPath, enc, calls(t, f))
		}
		refuse(t, c.master, mesosclient.SchedulerPath, mesosclient.JSON{}, jsonCalls(f))
		refuse(t, c.master, mesosclient.SchedulerPath, mesosclient.Protobuf{}, protobufCalls(f))
		// After all that it goes on as before.
		f.accept(offer, launch(shell(offer, "unharmed", "true")))
		f.update("unharmed", mesos.TaskState_TASK_FINISHED)
		f.teardown()
		refuse(t, c.master, mesosclient.SchedulerPath, enc, []request{{
			name: "a framework that is gone", body: encoded(t, enc, f.withID(revive())),
			headers: map[string]string{mesosclient.StreamID: f.ID}, status: 400, says: "Framework cannot be found|has been removed",
		}})
	})
}

func subscription(info *mesos.FrameworkInfo) *scheduler.Call {
	return &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE.Enum(), FrameworkId: info.GetId(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info},
	}
}

func revive() *scheduler.Call { return &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()} }

func (f *framework) withID(call *scheduler.Call) *scheduler.Call {
	call.FrameworkId = f.Subscribed.GetFrameworkId()
	return call
}

// calls are those that are well written and not to be taken.
func calls(t *testing.T, f *framework) []request {
	own := map[string]string{mesosclient.StreamID: f.ID}
	body := func(call *scheduler.Call) string { return encoded(t, f.Encoding, call) }
	stranger := revive()
	stranger.FrameworkId = &mesos.FrameworkID{Value: proto.String("nobody")}
	other := subscription(describe("x"))
	other.FrameworkId = &mesos.FrameworkID{Value: proto.String("other")}
	changed := describe("x")
	changed.Id, changed.User = f.Subscribed.GetFrameworkId(), proto.String("nobody")
	all := []request{
		{name: "SUBSCRIBE with a stream's id", body: body(subscription(describe("x"))), headers: own, status: 400, says: "Mesos-Stream-Id"},
		{name: "SUBSCRIBE with two ids", body: body(other), status: 400, says: "framework_id"},
		{name: "no framework", body: body(revive()), headers: own, status: 400, says: "framework_id"},
		{name: "an unknown framework", body: body(stranger), headers: own, status: 400, says: "Framework cannot be found"},
		{name: "no stream id", body: body(f.withID(revive())), status: 400, says: "Mesos-Stream-Id"},
		{
			name: "another stream id", body: body(f.withID(revive())), headers: map[string]string{mesosclient.StreamID: "of-another"},
			status: 400, says: "of-another.*" + f.FrameworkID + "|" + f.FrameworkID + ".*of-another",
		},
		{name: "UNKNOWN", body: body(f.withID(&scheduler.Call{Type: scheduler.Call_UNKNOWN.Enum()})), headers: own, status: 501, says: "UNKNOWN"},
		{
			name: "what is not accepted", body: body(f.withID(&scheduler.Call{
				Type: scheduler.Call_RECONCILE_OPERATIONS.Enum(), ReconcileOperations: &scheduler.Call_ReconcileOperations{},
			})),
			headers: map[string]string{mesosclient.StreamID: f.ID, "Accept": "text/html"}, status: 406, says: "Accept",
		},
		{
			name: "an acknowledgement of no UUID", body: body(f.withID(&scheduler.Call{
				Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
					AgentId: &mesos.AgentID{Value: proto.String("S0")}, TaskId: &mesos.TaskID{Value: proto.String("t")}, Uuid: []byte("short"),
				},
			})), headers: own, status: 400, says: "acknowledge.uuid",
		},
		{
			name: "a change of the user", body: body(f.withID(&scheduler.Call{
				Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: changed},
			})), headers: own, status: 400, says: "user",
		},
	}
	for kind, name := range scheduler.Call_Type_name {
		switch scheduler.Call_Type(kind) {
		case scheduler.Call_UNKNOWN, scheduler.Call_TEARDOWN, scheduler.Call_REVIVE, scheduler.Call_SUPPRESS:
		default:
			all = append(all, request{
				name: name + " without its part", body: body(f.withID(&scheduler.Call{Type: scheduler.Call_Type(kind).Enum()})),
				headers: own, status: 400, says: strings.ToLower(name) + "|" + name,
			})
		}
	}
	return all
}

// jsonCalls are wrong in ways that only JSON can be: the answer names the path.
func jsonCalls(f *framework) []request {
	own := map[string]string{mesosclient.StreamID: f.ID}
	var all []request
	for _, c := range []struct{ name, part, says string }{
		{"a number for a text", `"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":7,"name":"n"}}`, `subscribe\.framework_info\.user`},
		{"a text for a number", `"type":"DECLINE","decline":{"offer_ids":[],"filters":{"refuse_seconds":"soon"}}`, `decline\.filters\.refuse_seconds`},
		{"a list for an object", `"type":"KILL","kill":{"task_id":[1]}`, `kill\.task_id`},
		{"a text in a list of objects", `"type":"DECLINE","decline":{"offer_ids":[{"value":"a"},"b"]}`, `decline\.offer_ids\[1\]`},
		{"a fraction for a whole number", `"type":"KILL","kill":{"task_id":{"value":"t"},"kill_policy":{"grace_period":{"nanoseconds":1.5}}}`, `kill\.kill_policy\.grace_period\.nanoseconds`},
		{"too large a number", `"type":"KILL","kill":{"task_id":{"value":"t"},"kill_policy":{"grace_period":{"nanoseconds":1e30}}}`, `kill\.kill_policy\.grace_period\.nanoseconds`},
		{"bytes that are no base64", `"type":"MESSAGE","message":{"agent_id":{"value":"a"},"executor_id":{"value":"e"},"data":"%"}`, `message\.data`},
		{"a required field that is absent", `"type":"KILL","kill":{}`, `kill\.task_id`},
		{"a required enumeration of no such name", `"type":"ACCEPT","accept":{"operations":[{"type":"RESERVE","reserve":{"resources":[{"name":"cpus","type":"HEAP"}]}}]}`, `accept\.operations\[0\]\.reserve\.resources\[0\]\.type`},
		{"a type of no such name", `"type":"DANCE"`, `type`},
		{"no UTF-8", "\"type\":\"KILL\",\"kill\":{\"task_id\":{\"value\":\"a\xff\"}}", `kill\.task_id\.value.*UTF-8|UTF-8.*kill\.task_id\.value`},
	} {
		all = append(all, request{
			name: c.name, body: fmt.Sprintf(`{"framework_id":{"value":%q},%s}`, f.FrameworkID, c.part), headers: own, status: 400, says: c.says,
		})
	}
	return all
}

// protobufCalls are wrong in ways that only protobuf can be.
func protobufCalls(f *framework) []request {
	own := map[string]string{mesosclient.StreamID: f.ID}
	id := protowire.AppendTag(nil, 1, protowire.BytesType)
	id = protowire.AppendBytes(id, append([]byte{10, byte(len(f.FrameworkID))}, f.FrameworkID...))
	body := func(more ...byte) string { return string(id) + string(more) }
	return []request{
		{name: "a length that leads outside", body: body(0x32, 0x7f), headers: own, status: 400, says: "protobuf"},
		{name: "a type of no such number", body: body(0x10, 0x63), headers: own, status: 400, says: "type"},
		{name: "a required field that is absent", body: body(0x10, 6, 0x32, 0), headers: own, status: 400, says: "kill.task_id"},
		{name: "a text of no UTF-8", body: body(0x10, 6, 0x32, 5, 0x0a, 3, 0x0a, 1, 0xff), headers: own, status: 400, says: `kill\.task_id\.value.*UTF-8`},
	}
}

// A framework that is away is known and not subscribed; nothing is taken of it.
func TestCallsOfAFrameworkThatIsAway(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("away"))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f.disconnected()
		info := describe("away")
		info.Id = f.Subscribed.GetFrameworkId()
		subscribe(t, c.master, enc, info).teardown()
	})
}

// A subscription that cannot be is answered by a stream: ERROR, and its end.
func TestSubscriptionsThatCannotBe(t *testing.T) {
	c := newCluster(t)
	with := func(change func(*mesos.FrameworkInfo)) *mesos.FrameworkInfo {
		info := describe("wrong")
		change(info)
		return info
	}
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		gone := subscribe(t, c.master, enc, describe("gone"))
		gone.teardown()
		for _, r := range []struct {
			name, says string
			info       *mesos.FrameworkInfo
		}{
			{"role beside roles", "role", with(func(i *mesos.FrameworkInfo) { i.Role = proto.String("a") })},
			{"roles twice", "roles", with(func(i *mesos.FrameworkInfo) { i.Roles = []string{"a", "a"} })},
			{"a role that cannot be", "roles", with(func(i *mesos.FrameworkInfo) { i.Roles = []string{"a b"} })},
			{"roles without MULTI_ROLE", "roles", with(func(i *mesos.FrameworkInfo) { i.Capabilities = nil })},
			{"an id that cannot be", "id", with(func(i *mesos.FrameworkInfo) { i.Id = &mesos.FrameworkID{Value: proto.String("a/b")} })},
			{"away for longer than time lasts", "failover_timeout", with(func(i *mesos.FrameworkInfo) { i.FailoverTimeout = proto.Float64(1e300) })},
			{"away for less than no time", "failover_timeout", with(func(i *mesos.FrameworkInfo) { i.FailoverTimeout = proto.Float64(-1) })},
			{"removed", "Framework has been removed", with(func(i *mesos.FrameworkInfo) { i.Id = gone.Subscribed.GetFrameworkId() })},
		} {
			e := mesosclient.Endpoint{Address: c.master, Path: mesosclient.SchedulerPath, Encoding: enc}
			s, err := e.Open(t.Context(), subscription(r.info), nil)
			if err != nil {
				t.Errorf("%s: %v", r.name, err)
				continue
			}
			f := collect(t, &mesosclient.Scheduler{Stream: s})
			if message := f.event(scheduler.Event_ERROR).GetError().GetMessage(); !strings.Contains(message, r.says) {
				t.Errorf("%s: ERROR %q, want %q", r.name, message, r.says)
			}
			f.end()
		}
	})
}
