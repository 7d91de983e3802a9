package operator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/share"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/carrier/files"
	"troupe/messages/carrier/guard"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// Asker asks the master's actor: a request of an operator, which is answered
// by a *cluster.OperatorReply.
type Asker func(ctx context.Context, request proto.Message) (proto.Message, error)

// View is what the master shows.
type View interface {
	Snapshot() *view.Snapshot
	// Revision is that of Snapshot, without the work of making one.
	Revision() uint64
}

// Logging is the log's level: 0 as configured, higher ones log more.
type Logging interface {
	Verbosity() uint32
	SetVerbosity(level uint32, span time.Duration) error
}

// Options are what the calls are answered from.
type Options struct {
	View View
	Ask  Asker
	// Board is where encoded answers are shared.
	Board *share.Board
	// Subscribe serves SUBSCRIBE.
	Subscribe func(http.ResponseWriter, *http.Request, carrier.Form) error
	Files     *files.Attached
	Logging   Logging
	Flags     []*mesos.Flag
	Version   *mesos.VersionInfo
	Master    *master.Response_GetMaster
	// Metrics are the figures of now; those that take longer than timeout, if it
	// is not 0, may be missing.
	Metrics func(timeout time.Duration) []*mesos.Metric
}

const callTimeout = 30 * time.Second

// Handler answers calls.
type Handler struct {
	o      Options
	intake carrier.Intake
}

// New returns a handler.
func New(o Options) *Handler { return &Handler{o: o} }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := new(master.Call)
	if err := h.intake.Read(w, r, call); err != nil {
		carrier.Refuse(w, err)
		return
	}
	if call.Type == nil {
		carrier.Refuse(w, carrier.BadRequest("call.type: is absent"))
		return
	}
	form, err := carrier.Negotiate(r)
	if err == nil {
		err = h.answer(w, r, call, form)
	}
	if err != nil {
		carrier.Refuse(w, err)
	}
}

// answer answers a call. An error says that nothing is answered yet; when the
// client is gone it panics with http.ErrAbortHandler.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, call *master.Call, form carrier.Form) error {
	if call.GetType() == master.Call_SUBSCRIBE && h.o.Subscribe != nil {
		return h.o.Subscribe(w, r, form)
	}
	if documents[call.GetType()] != nil {
		h.document(w, r, call.GetType(), form)
		return nil
	}
	response, err := h.tell(call)
	switch {
	case err != nil:
		return err
	case response == done:
		return nil
	case response != nil:
		if carrier.WriteMessage(w, r, form, response) != nil {
			panic(http.ErrAbortHandler)
		}
		return nil
	}
	request, err := Request(call)
	if err != nil {
		return err
	}
	return h.change(w, r, request)
}

// document answers with a part of the state.
func (h *Handler) document(w http.ResponseWriter, r *http.Request, call master.Call_Type, form carrier.Form) {
	w.Header().Set("Content-Type", form.String())
	body := carrier.NewBody(w, r)
	err := h.o.Board.Copy(form.String()+" "+call.String(), source{h.o.View, call, form}, body)
	if err != nil || body.Close() != nil {
		panic(http.ErrAbortHandler) // the client is gone, or must see that it lacks the end
	}
}

// ReadText reads a body that is no call, within the bounds of those that are; it
// is as that of carrier.Intake.
func (h *Handler) ReadText(w http.ResponseWriter, r *http.Request, use func(body []byte) error) error {
	return h.intake.ReadText(w, r, use)
}

// Change has the master's actor do what an operator asks for, and answers.
func (h *Handler) Change(w http.ResponseWriter, r *http.Request, request proto.Message) {
	if err := h.change(w, r, request); err != nil {
		carrier.Refuse(w, err)
	}
}

// change has the master's actor do what a call asks for. Of operations on
// resources clients expect 202, though they are done by then.
func (h *Handler) change(w http.ResponseWriter, r *http.Request, request proto.Message) error {
	if q, ok := request.(*cluster.QuotaRequest); ok {
		if who, known := guard.PrincipalOf(r.Context()); known {
			q.Principal = proto.String(who.String())
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	answer, err := h.o.Ask(ctx, request)
	if err != nil {
		return &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the master did not answer: " + err.Error()}
	}
	switch reply := answer.(type) {
	case *cluster.OperatorReply:
		if reply.GetError() != "" {
			return &carrier.Problem{Status: int(max(reply.GetStatusCode(), http.StatusBadRequest)), Reason: reply.GetError()}
		}
		if _, operation := request.(*cluster.OperationRequest); operation {
			w.WriteHeader(http.StatusAccepted)
		}
		return nil
	case *cluster.NotLeading:
		return &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "No leader elected"}
	}
	return fmt.Errorf("the master answered what was not asked: %s", answer.ProtoReflect().Descriptor().FullName())
}
