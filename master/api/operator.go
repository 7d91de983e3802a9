package api

import (
	"context"
	"mime"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos/master"
)

// Asker asks the master's actor: a request of an operator, which is answered
// by a *cluster.OperatorReply.
type Asker func(ctx context.Context, request proto.Message) (proto.Message, error)

const (
	maxCall     = 1 << 20 // bytes of a call
	callTimeout = 30 * time.Second
)

// carried are the calls of the operator API that MountOperator serves.
var carried = map[master.Call_Type]bool{
	master.Call_TEARDOWN:         true,
	master.Call_MARK_AGENT_GONE:  true,
	master.Call_DRAIN_AGENT:      true,
	master.Call_DEACTIVATE_AGENT: true,
	master.Call_REACTIVATE_AGENT: true,
}

// MountOperator mounts the operator API: calls in JSON that change something,
// each answered with an empty body once it is durable.
func MountOperator(r Router, ask Asker) {
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { serveCall(rw, r, ask) })
	for _, path := range []string{"/api/v1", "/master/api/v1"} {
		r.Route(path, "calls of operators: TEARDOWN, MARK_AGENT_GONE, DRAIN_AGENT, DEACTIVATE_AGENT, REACTIVATE_AGENT", h)
	}
}

func serveCall(rw http.ResponseWriter, r *http.Request, ask Asker) {
	call, status, why := readCall(rw, r)
	if why != "" {
		http.Error(rw, why, status)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	answer, err := ask(ctx, call)
	if err != nil {
		http.Error(rw, "the master did not answer: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	switch reply := answer.(type) {
	case *cluster.OperatorReply:
		if reply.GetError() != "" {
			http.Error(rw, reply.GetError(), int(max(reply.GetStatusCode(), http.StatusBadRequest)))
		}
	case *cluster.NotLeading:
		http.Error(rw, "this master does not lead", http.StatusServiceUnavailable)
	default:
		http.Error(rw, "the master answered what was not asked", http.StatusInternalServerError)
	}
}

// readCall reads a call, or tells what to answer to what is none.
func readCall(rw http.ResponseWriter, r *http.Request) (call *master.Call, status int, why string) {
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed, "method " + r.Method + ": expecting POST"
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, http.StatusBadRequest, "Content-Type: " + r.Header.Get("Content-Type") + ": expecting application/json"
	}
	if kind != "application/json" {
		return nil, http.StatusUnsupportedMediaType, "Content-Type: " + kind + ": expecting application/json"
	}
	call = new(master.Call)
	if err := json.Read(r.Body, maxCall, call); err != nil {
		return nil, http.StatusBadRequest, "call: " + err.Error()
	}
	if err := proto.CheckInitialized(call); err != nil {
		return nil, http.StatusBadRequest, "call: " + err.Error()
	}
	switch {
	case call.Type == nil:
		return nil, http.StatusBadRequest, "call.type: is absent"
	case !carried[call.GetType()]:
		return nil, http.StatusNotImplemented, "call.type: " + call.GetType().String() + ": is not served"
	}
	return call, http.StatusOK, ""
}
