package containers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
	"troupe/slave/api"
)

// System is the actor system that the agent's actor lives in.
type System interface {
	Spawn(name string, a actors.Actor, o ...actors.SpawnOption) (actors.PID, error)
	Do(to actors.PID, f func(*actors.Context)) bool
}

// handler answers calls about containers.
type handler struct {
	system System
	agent  actors.PID
	beat   time.Duration
}

// Handler answers the calls about containers of an agent; see
// api.Info.Containers. Heartbeat is the time between those on a stream of output;
// 0: 30 s.
func Handler(s System, agent actors.PID, heartbeat time.Duration) func(http.ResponseWriter, *http.Request, api.Request) {
	h := &handler{system: s, agent: agent, beat: cmp.Or(heartbeat, heartbeatEvery)}
	return func(w http.ResponseWriter, r *http.Request, request api.Request) {
		err := h.serve(w, r, request)
		if request.Input != nil {
			err = errors.Join(err, stopReading(w))
		}
		if err != nil {
			carrier.Refuse(w, err)
		}
	}
}

// guest is a visit and its address.
type guest struct {
	*visit
	pid    actors.PID
	system System
	beat   time.Duration
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, request api.Request) error {
	if request.Input != nil {
		// Else nothing could be answered before the client's end.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			return err
		}
	}
	v := newVisit(h.agent, request.Call)
	pid, err := h.system.Spawn("", v)
	if err != nil {
		return err
	}
	defer h.system.Do(pid, func(c *actors.Context) { c.Stop() })
	g := guest{v, pid, h.system, h.beat}
	answer, err := g.answer(r.Context())
	if err != nil {
		return err
	}
	switch request.Call.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION, agent.Call_ATTACH_CONTAINER_OUTPUT:
		if answer.GetOutcome() == cluster.ContainerAnswer_DONE {
			g.stream(w, r, request.Media)
			return nil
		}
	case agent.Call_ATTACH_CONTAINER_INPUT:
		return g.input(w, request.Input)
	}
	if answer.GetOutcome() == cluster.ContainerAnswer_ALREADY {
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if answer.Response == nil {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if carrier.WriteMessage(w, r, request.Media.Accept, answer.Response) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// statuses are those of calls that are not done.
var statuses = map[cluster.ContainerAnswer_Outcome]int{
	cluster.ContainerAnswer_INVALID: http.StatusBadRequest,
	cluster.ContainerAnswer_UNKNOWN: http.StatusNotFound,
	cluster.ContainerAnswer_REFUSED: http.StatusInternalServerError,
	cluster.ContainerAnswer_BUSY:    http.StatusServiceUnavailable,
	cluster.ContainerAnswer_TAKEN:   http.StatusConflict,
}

// answer waits for the answer, as long as the client does. Errors are
// *carrier.Problem, or that the client is gone.
func (g guest) answer(ctx context.Context) (*cluster.ContainerAnswer, error) {
	var answer *cluster.ContainerAnswer
	select {
	case answer = <-g.answers:
	case <-g.lost:
		select {
		case answer = <-g.answers: // it was the last
		default:
			return nil, &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the host of the container is away, or has ended"}
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if status, failed := statuses[answer.GetOutcome()]; failed {
		return nil, &carrier.Problem{Status: status, Reason: answer.GetMessage()}
	}
	return answer, nil
}
