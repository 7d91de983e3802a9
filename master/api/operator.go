package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// Asker asks the master's actor: a request of an operator, which is answered
// by a *cluster.OperatorReply.
type Asker func(ctx context.Context, request proto.Message) (proto.Message, error)

const (
	maxCall     = 1 << 20 // bytes of a call
	callTimeout = 30 * time.Second
)

// errNotServed is the error of calls that are none of Request's.
var errNotServed = errors.New("is not served")

// Request is what the master's actor is asked for a call of the operator API
// that changes something: TEARDOWN, MARK_AGENT_GONE, DRAIN_AGENT,
// DEACTIVATE_AGENT or REACTIVATE_AGENT. The call has all its required fields.
func Request(call *master.Call) (proto.Message, error) {
	switch call.GetType() {
	case master.Call_TEARDOWN:
		return &cluster.TeardownRequest{FrameworkId: call.GetTeardown().GetFrameworkId()}, wanted(call.Teardown, "teardown")
	case master.Call_MARK_AGENT_GONE:
		return agentRequest(call.GetMarkAgentGone().GetAgentId(), cluster.AgentRequest_MARK_GONE), wanted(call.MarkAgentGone, "mark_agent_gone")
	case master.Call_DEACTIVATE_AGENT:
		return agentRequest(call.GetDeactivateAgent().GetAgentId(), cluster.AgentRequest_DEACTIVATE), wanted(call.DeactivateAgent, "deactivate_agent")
	case master.Call_REACTIVATE_AGENT:
		return agentRequest(call.GetReactivateAgent().GetAgentId(), cluster.AgentRequest_REACTIVATE), wanted(call.ReactivateAgent, "reactivate_agent")
	case master.Call_DRAIN_AGENT:
		return drainRequest(call.DrainAgent)
	}
	return nil, fmt.Errorf("call.type: %s: %w", call.GetType(), errNotServed)
}

// wanted is the error of a call without the part that its type names.
func wanted[M any](part *M, name string) error {
	if part == nil {
		return field.Missing("call." + name)
	}
	return nil
}

func agentRequest(id *mesos.AgentID, action cluster.AgentRequest_Action) *cluster.AgentRequest {
	return &cluster.AgentRequest{AgentId: id, Action: &action}
}

func drainRequest(call *master.Call_DrainAgent) (proto.Message, error) {
	r := agentRequest(call.GetAgentId(), cluster.AgentRequest_DRAIN)
	r.Drain = &mesos.DrainConfig{MarkGone: proto.Bool(call.GetMarkGone())}
	if d := call.GetMaxGracePeriod(); d != nil {
		grace, err := durationOf(d)
		if err != nil {
			return nil, field.In("call.drain_agent.max_grace_period", err)
		}
		r.Drain.MaxGracePeriod = &mesos.DurationInfo{Nanoseconds: proto.Int64(grace.Nanoseconds())}
	}
	return r, wanted(call, "drain_agent")
}

// durationOf refuses what is negative, or more than a time.Duration holds.
func durationOf(d *durationpb.Duration) (time.Duration, error) {
	if err := d.CheckValid(); err != nil {
		return 0, err
	}
	if d.GetSeconds() < 0 || d.GetNanos() < 0 {
		return 0, field.Invalid("seconds", d.AsDuration().String(), "must not be negative")
	}
	if d.GetSeconds() > math.MaxInt64/int64(time.Second)-1 {
		return 0, field.Invalid("seconds", strconv.FormatInt(d.GetSeconds(), 10), "is too long")
	}
	return d.AsDuration(), nil
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
	request, status, why := readCall(rw, r)
	if why != "" {
		http.Error(rw, why, status)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	answer, err := ask(ctx, request)
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

// readCall reads a call and returns what it asks of the master, or tells what to
// answer to what is none.
func readCall(rw http.ResponseWriter, r *http.Request) (request proto.Message, status int, why string) {
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
	call := new(master.Call)
	if err := json.Read(r.Body, maxCall, call); err != nil {
		return nil, http.StatusBadRequest, "call: " + err.Error()
	}
	if err := proto.CheckInitialized(call); err != nil {
		return nil, http.StatusBadRequest, "call: " + err.Error()
	}
	if call.Type == nil {
		return nil, http.StatusBadRequest, "call.type: is absent"
	}
	request, err = Request(call)
	switch {
	case errors.Is(err, errNotServed):
		return nil, http.StatusNotImplemented, err.Error()
	case err != nil:
		return nil, http.StatusBadRequest, err.Error()
	}
	return request, http.StatusOK, ""
}
