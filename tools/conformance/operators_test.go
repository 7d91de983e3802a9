package conformance

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/master"
	"troupe/tools/mesosclient"
)

// Every read call of the operators is answered in kind, in both encodings, or
// by 501 and its name; every other call without its part is refused.
func TestOperatorCalls(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		for _, path := range []string{"/api/v1", "/master/api/v1"} {
			e := &mesosclient.Endpoint{Address: c.master, Path: path, Encoding: enc}
			everyKind(t, e, &master.Call{}, &master.Response{}, "SUBSCRIBE")
		}
		for _, path := range []string{"/api/v1", "/slave(1)/api/v1"} {
			e := &mesosclient.Endpoint{Address: c.agent, Path: path, Encoding: enc}
			everyKind(t, e, &agent.Call{}, &agent.Response{}, "")
		}
	})
	f.unharmed(c)
	f.teardown()
}

// everyKind makes every call of an operator API with nothing but its type, and
// an empty part where a read call has one; but names one that is tested
// elsewhere.
func everyKind(t *testing.T, e *mesosclient.Endpoint, call, response proto.Message, but string) {
	t.Helper()
	field := call.ProtoReflect().Descriptor().Fields().ByName("type")
	for i := range field.Enum().Values().Len() {
		kind := field.Enum().Values().Get(i)
		name := string(kind.Name())
		if name == but {
			continue
		}
		proto.Reset(call)
		call.ProtoReflect().Set(field, protoreflect.ValueOfEnum(kind.Number()))
		part := call.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(strings.ToLower(name)))
		if part != nil && strings.HasPrefix(name, "GET_") {
			call.ProtoReflect().Mutable(part)
		}
		body, err := e.Encoding.Marshal(call)
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Post(t.Context(), body, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name == "GET_METRICS" { // the one read call that must have its part
			bare := call.ProtoReflect().New().Interface()
			bare.ProtoReflect().Set(field, protoreflect.ValueOfEnum(kind.Number()))
			says(t, e, name+" without its part", bare, http.StatusBadRequest, "get_metrics")
		}
		switch {
		case a.Status == http.StatusNotImplemented && strings.Contains(string(a.Body), name):
			// The cluster cannot do it, and says so.
		case !strings.HasPrefix(name, "GET_"):
			takesNoLess(t, e, name, a)
		default:
			answersInKind(t, e, name, a, response)
		}
	}
}

// says checks the status of the answer to a call, and what its text has.
func says(t *testing.T, e *mesosclient.Endpoint, name string, call proto.Message, status int, text string) {
	t.Helper()
	body, err := e.Encoding.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	a, err := e.Post(t.Context(), body, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != status || !strings.Contains(string(a.Body), text) {
		t.Errorf("%s%s: %s: %s, want %d and %q", e.Address, e.Path, name, a, status, text)
	}
}

// Long answers to operators are compressed for those who take that, and short ones
// for nobody.
func TestCompressedAnswers(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		for address, calls := range map[string][]proto.Message{
			c.master: {&master.Call{Type: master.Call_GET_FLAGS.Enum()}, &master.Call{Type: master.Call_GET_HEALTH.Enum()}},
			c.agent:  {&agent.Call{Type: agent.Call_GET_FLAGS.Enum()}, &agent.Call{Type: agent.Call_GET_HEALTH.Enum()}},
		} {
			for i, call := range calls {
				e := &mesosclient.Endpoint{Address: address, Path: mesosclient.OperatorPath, Encoding: enc}
				plain, err := e.Call(t.Context(), call, nil)
				if err != nil {
					t.Fatal(err)
				}
				small, err := e.Call(t.Context(), call, map[string]string{"Accept-Encoding": "gzip"})
				if err != nil {
					t.Fatal(err)
				}
				body := small.Body
				long := len(plain.Body) >= 1024
				if i == 0 && enc.MediaType() == (mesosclient.JSON{}).MediaType() && !long {
					t.Errorf("%s %v: %d bytes show nothing", address, call, len(plain.Body))
				}
				if (small.Header.Get("Content-Encoding") == "gzip") != long {
					t.Errorf("%s %v: %v of %d bytes", address, call, small.Header, len(plain.Body))
				} else if long {
					body = unzipped(t, body)
				}
				if plain.Header.Get("Content-Encoding") != "" || string(body) != string(plain.Body) {
					t.Errorf("%s %v: compressed %.100q, plain %.100q", address, call, body, plain.Body)
				}
			}
		}
	})
}

func unzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// takesNoLess checks the answer to a call that lacks its part.
func takesNoLess(t *testing.T, e *mesosclient.Endpoint, name string, a *mesosclient.Answer) {
	t.Helper()
	optional := []string{"PRUNE_IMAGES"} // whose part has nothing that is required
	for _, o := range optional {
		if name == o && a.Status == http.StatusOK {
			return
		}
	}
	if a.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(a.Body)), strings.ToLower(name)) {
		t.Errorf("%s%s: %s without its part: %s", e.Address, e.Path, name, a)
	}
}

// answersInKind checks the answer to a read call.
func answersInKind(t *testing.T, e *mesosclient.Endpoint, name string, a *mesosclient.Answer, response proto.Message) {
	t.Helper()
	proto.Reset(response)
	if err := e.Encoding.Unmarshal(a.Body, response); err != nil || a.Status != http.StatusOK {
		t.Errorf("%s%s: %s: %v, %s", e.Address, e.Path, name, err, a)
		return
	}
	if got := a.Header.Get("Content-Type"); got != e.Encoding.MediaType() {
		t.Errorf("%s: answered as %q", name, got)
	}
	r := response.ProtoReflect()
	kind := r.Descriptor().Fields().ByName("type")
	if got := kind.Enum().Values().ByNumber(r.Get(kind).Enum()); got == nil || string(got.Name()) != name {
		t.Errorf("%s: the answer is of type %v", name, got)
	}
	if part := r.Descriptor().Fields().ByName(protoreflect.Name(strings.ToLower(name))); !r.Has(part) && name != "GET_WEIGHTS" { // a Mesos master's has none either
		t.Errorf("%s: the answer has no %s", name, part.Name())
	}
}

// The rows of the error tables that both operator APIs share, and calls about
// what does not exist.
func TestRefusedOperatorCalls(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		for _, prefix := range []string{"", "/master"} {
			refuse(t, c.master, prefix+mesosclient.OperatorPath, enc, malformed(t, enc, &master.Call{Type: master.Call_GET_HEALTH.Enum()}))
		}
		for _, prefix := range []string{"", "/slave(1)"} {
			reading := &agent.Call{Type: agent.Call_GET_HEALTH.Enum()}
			refuse(t, c.agent, prefix+mesosclient.OperatorPath, enc, malformed(t, enc, reading))
			refuse(t, c.agent, prefix+mesosclient.OperatorPath, enc, streaming(t, enc, reading))
		}
		nobody := &mesos.AgentID{Value: proto.String("S99")}
		body := func(call *master.Call) string { return encoded(t, enc, call) }
		refuse(t, c.master, mesosclient.OperatorPath, enc, []request{
			{name: "UNKNOWN", body: body(&master.Call{Type: master.Call_UNKNOWN.Enum()}), status: 501, says: "UNKNOWN"},
			{name: "a framework that is not there", body: body(&master.Call{
				Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{FrameworkId: &mesos.FrameworkID{Value: proto.String("nobody")}},
			}), status: 400, says: "nobody"},
			{name: "an agent that is not there, gone", body: body(&master.Call{
				Type: master.Call_MARK_AGENT_GONE.Enum(), MarkAgentGone: &master.Call_MarkAgentGone{AgentId: nobody},
			}), status: 404, says: "S99"},
			{name: "… deactivated", body: body(&master.Call{
				Type: master.Call_DEACTIVATE_AGENT.Enum(), DeactivateAgent: &master.Call_DeactivateAgent{AgentId: nobody},
			}), status: 400, says: "S99"},
			{name: "… drained", body: body(&master.Call{
				Type: master.Call_DRAIN_AGENT.Enum(), DrainAgent: &master.Call_DrainAgent{AgentId: nobody},
			}), status: 400, says: "S99"},
			{name: "a file that is not there", body: body(&master.Call{
				Type: master.Call_LIST_FILES.Enum(), ListFiles: &master.Call_ListFiles{Path: proto.String("/nowhere")},
			}), status: 404, says: "/nowhere"},
			{name: "… read", body: body(&master.Call{
				Type: master.Call_READ_FILE.Enum(), ReadFile: &master.Call_ReadFile{Path: proto.String("/nowhere"), Offset: proto.Uint64(0)},
			}), status: 404, says: "/nowhere"},
		})
	})
	f.unharmed(c)
	f.teardown()
}

// streaming are headers of calls that are sequences of records, or answered by
// such, with a call that is neither; and the other way around.
func streaming(t *testing.T, enc mesosclient.Encoding, reading *agent.Call) []request {
	body, media := encoded(t, enc, reading), enc.MediaType()
	attach := encoded(t, enc, &agent.Call{
		Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
			Type:        agent.Call_AttachContainerInput_CONTAINER_ID.Enum(),
			ContainerId: &mesos.ContainerID{Value: proto.String("c")},
		},
	})
	record := string(mesosclient.Record([]byte(body)))
	const records = "application/recordio"
	return []request{
		{name: "records of no type", body: record, headers: map[string]string{"Content-Type": records}, status: 400, says: "Message-Content-Type"},
		{name: "records of text", body: record, headers: map[string]string{"Content-Type": records, "Message-Content-Type": "text/plain"}, status: 415, says: "Message-Content-Type"},
		{name: "one message with records' header", body: body, headers: map[string]string{"Message-Content-Type": media}, status: 415, says: "Message-Content-Type"},
		{name: "one message as records", body: record, headers: map[string]string{"Content-Type": records, "Message-Content-Type": media}, status: 415, says: "GET_HEALTH"},
		{name: "records as one message", body: attach, status: 415, says: "ATTACH_CONTAINER_INPUT"},
		{name: "an answer in records of no type that suits", body: body, headers: map[string]string{"Accept": records, "Message-Accept": "text/plain"}, status: 406, says: "Message-Accept"},
		{name: "one answer with records' header", body: body, headers: map[string]string{"Message-Accept": media}, status: 406, says: "Message-Accept"},
		{name: "one answer as records", body: body, headers: map[string]string{"Accept": records, "Message-Accept": media}, status: 406, says: "GET_HEALTH"},
		{
			name: "too long a record", body: "99999999999999999999\n", status: 400, says: "record",
			headers: map[string]string{"Content-Type": records, "Message-Content-Type": media},
		},
		{
			name: "no record", body: "x", status: 400, says: "record",
			headers: map[string]string{"Content-Type": records, "Message-Content-Type": media},
		},
		{
			name: "half a record", body: "100\nx", status: 400, says: "record|unexpected EOF",
			headers: map[string]string{"Content-Type": records, "Message-Content-Type": media},
		},
	}
}
