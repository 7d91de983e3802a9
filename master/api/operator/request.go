package operator

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// Request is what the master's actor is asked for a call that changes
// something: TEARDOWN, MARK_AGENT_GONE, DRAIN_AGENT, DEACTIVATE_AGENT or
// REACTIVATE_AGENT, what is set for roles and machines, or an operation on an
// agent's resources. The call has all its required fields. The error is a
// *carrier.Problem: 501 for any other call.
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
	if request, err := settingRequest(call); request != nil || err != nil {
		return request, err
	}
	if request, err := operationRequest(call); request != nil || err != nil {
		return request, err
	}
	return nil, &carrier.Problem{
		Status: http.StatusNotImplemented, Reason: fmt.Sprintf("call.type: %s: is not served", call.GetType()),
	}
}

// wanted is the error of a call without the part that its type names.
func wanted[M any](part *M, name string) error {
	if part == nil {
		return carrier.BadRequest(field.Missing("call." + name).Error())
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
			return nil, carrier.BadRequest(field.In("call.drain_agent.max_grace_period", err).Error())
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
