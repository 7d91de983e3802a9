package scheduler

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/carrier/guard"
	calls "troupe/messages/mesos/scheduler"
	"troupe/messages/validate"
)

// maxBatch is how many calls one request may bring.
const maxBatch = 1024

// batch serves a request that brings many calls of one subscription, which costs
// less than a request for each. They are carried out in order, and answered by one
// APIResult each, with the status that the call alone would have had. What cannot
// be read is refused as a whole, and nothing of it happens.
func (s *server) batch(w http.ResponseWriter, r *http.Request) {
	var list []*calls.Call
	form, err := s.options.Intake.ReadBatch(w, r, maxBatch, func() proto.Message {
		list = append(list, new(calls.Call))
		return list[len(list)-1]
	})
	if err == nil {
		err = checkBatch(list)
	}
	if err != nil {
		carrier.Refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.Timeout)
	defer cancel()
	stream := r.Header.Get(streamHeader)
	outcomes, err := s.askAll(ctx, stream, list)
	if err != nil {
		carrier.Refuse(w, err)
		return
	}
	results := make([]*calls.APIResult, len(list))
	for i, o := range outcomes {
		results[i] = s.resultOf(stream, list[i], o)
	}
	if carrier.WriteBatch(w, form, results) != nil {
		panic(http.ErrAbortHandler) // so that the client sees that it lacks the end
	}
}

// checkBatch is a *Problem unless all calls are such as come after SUBSCRIBE.
func checkBatch(list []*calls.Call) error {
	for i, call := range list {
		if err := validate.SchedulerCall(call); err != nil {
			return carrier.BadRequest(fmt.Sprintf("records[%d]: Failed to validate scheduler::Call: %v", i, err))
		}
		switch call.GetType() {
		case calls.Call_SUBSCRIBE, calls.Call_RECONCILE_OPERATIONS:
			return carrier.BadRequest(fmt.Sprintf("records[%d]: call.type: %s: is answered by more than a status, and comes alone", i, call.GetType()))
		}
	}
	return nil
}

// askAll asks the master for all calls at once, in the name of a subscription.
func (s *server) askAll(ctx context.Context, stream string, list []*calls.Call) ([]outcome, error) {
	principal, _ := guard.PrincipalOf(ctx)
	sub := s.subscriptions.find(stream)
	if sub == nil || sub.principal != principal.Name {
		return nil, carrier.BadRequest(fmt.Sprintf("%s: %q: is no subscription of yours", streamHeader, stream))
	}
	type answer struct {
		outcome
		of int
	}
	answers := make(chan answer, len(list))
	there := s.sys.Do(sub.gateway, func(c *actors.Context) {
		for i, call := range list {
			c.Ask(s.options.Master, call, s.options.Timeout, func(m proto.Message, err error) {
				answers <- answer{outcome{m, err}, i}
				stopAfter(c, call, m)
			})
		}
	})
	ended := &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the subscription has ended"}
	if !there {
		return nil, ended
	}
	outcomes := make([]outcome, len(list))
	for range list {
		select {
		case a := <-answers:
			outcomes[a.of] = a.outcome
		case <-ctx.Done():
			return nil, &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the master did not answer: " + context.Cause(ctx).Error()}
		case <-sub.over:
			select { // the last it did may have been to answer
			case a := <-answers:
				outcomes[a.of] = a.outcome
			default:
				return nil, ended
			}
		}
	}
	return outcomes, nil
}

// stopAfter ends the gateway after a TEARDOWN.
func stopAfter(c *actors.Context, call *calls.Call, answer proto.Message) {
	if r, _ := answer.(*calls.APIResult); r != nil && r.Error == nil && call.GetType() == calls.Call_TEARDOWN {
		c.Stop()
	}
}
