package api

import (
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/carrier"
	"troupe/messages/carrier/guard"
	"troupe/messages/mesos/agent"
	"troupe/messages/recordio"
	"troupe/messages/validate"
)

// Request is a call of an operator, or of an executor for its containers.
type Request struct {
	Call  *agent.Call
	Media Media
	// Input gives the records that follow the call, of a request that streams;
	// nil of others. Its errors are *carrier.Problem; ErrInputEnded is the body's end.
	Input func() (*agent.Call, error)
}

// operator answers POST /api/v1.
type operator struct {
	server *server
	intake carrier.Intake
}

// ServeHTTP implements http.Handler. The checks are made in the order that
// clients of Mesos can observe.
func (o *operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := o.read(w, r)
	if err == nil {
		err = o.answer(w, r, request)
	}
	if err != nil {
		if request.Media.Streams {
			w.Header().Set("Connection", "close") // else the client's end would be waited for
		}
		carrier.Refuse(w, err)
	}
}

func (o *operator) read(w http.ResponseWriter, r *http.Request) (Request, error) {
	if !recovered(o.server.view.Agent()) {
		return Request{}, &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "Agent has not finished recovery"}
	}
	if err := carrier.RequirePost(r); err != nil {
		return Request{}, err
	}
	media, err := mediaOf(r)
	request := Request{Call: new(agent.Call), Media: media}
	if err != nil {
		return request, err
	}
	if media.Streams {
		request.Input = records(r.Body, media.Content)
		request.Call, err = request.Input()
	} else {
		err = o.intake.ReadBody(w, r, media.Content, request.Call)
	}
	if err != nil {
		return request, err
	}
	if err := complete(request.Call); err != nil {
		return request, err
	}
	return request, media.suits(request.Call.GetType())
}

// maxRecord bounds a record of a request that streams, in bytes.
const maxRecord = 1 << 20

// ErrInputEnded is what Request.Input returns where the body ends in order.
var ErrInputEnded error = carrier.BadRequest("the body ends where a record is expected")

// records reads calls from a body that streams.
func records(body io.Reader, form carrier.Form) func() (*agent.Call, error) {
	in := recordio.NewReader(body, maxRecord)
	return func() (*agent.Call, error) {
		record, err := in.Next()
		if err == io.EOF { //nolint:errorlint // as the contract of Reader has it
			return nil, ErrInputEnded
		}
		if err != nil {
			return nil, carrier.BadRequest(err.Error())
		}
		call := new(agent.Call)
		return call, carrier.Decode(form, record, call)
	}
}

// lenient are the calls whose part may be left out.
var lenient = map[agent.Call_Type]bool{agent.Call_GET_CONTAINERS: true, agent.Call_PRUNE_IMAGES: true}

// complete is an error for a call without a type, or without the part that its
// type needs.
func complete(call *agent.Call) error {
	if call.Type == nil {
		return carrier.BadRequest("mesos.v1.agent.Call: Expecting 'type' to be present")
	}
	name := strings.ToLower(call.GetType().String())
	m := call.ProtoReflect()
	part := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if part != nil && !m.Has(part) && !lenient[call.GetType()] {
		return carrier.BadRequest("mesos.v1.agent.Call: Expecting '" + name + "' to be present")
	}
	return nil
}

// forExecutors are the calls that an executor may make by its token.
var forExecutors = map[agent.Call_Type]bool{
	agent.Call_LAUNCH_NESTED_CONTAINER: true, agent.Call_LAUNCH_CONTAINER: true, agent.Call_LAUNCH_NESTED_CONTAINER_SESSION: true,
	agent.Call_WAIT_NESTED_CONTAINER: true, agent.Call_WAIT_CONTAINER: true,
	agent.Call_KILL_NESTED_CONTAINER: true, agent.Call_KILL_CONTAINER: true,
	agent.Call_REMOVE_NESTED_CONTAINER: true, agent.Call_REMOVE_CONTAINER: true,
	agent.Call_ATTACH_CONTAINER_OUTPUT: true,
}

// allowed is a *carrier.Problem, 403, for what an executor wants to do to
// anything but containers below its own.
func allowed(p guard.Principal, call *agent.Call) error {
	if p.Name != "" {
		return nil
	}
	forbidden := &carrier.Problem{
		Status: http.StatusForbidden,
		Reason: call.GetType().String() + ": principal '" + p.String() + "' is an executor, which may act on containers below its own alone",
	}
	if !forExecutors[call.GetType()] {
		return forbidden
	}
	id, err := validate.ContainerCall(call)
	if err != nil {
		return carrier.BadRequest("mesos.v1.agent.Call: " + err.Error())
	}
	if id.GetParent() == nil {
		return forbidden
	}
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	if own := p.Claims["cid"]; own == "" || id.GetValue() != own {
		return forbidden
	}
	return nil
}

// answer performs a call.
func (o *operator) answer(w http.ResponseWriter, r *http.Request, request Request) error {
	call := request.Call
	if p, proved := guard.PrincipalOf(r.Context()); proved {
		if err := allowed(p, call); err != nil {
			return err
		}
	}
	switch find, known := finders[call.GetType()]; {
	case known:
		response, err := find(o.server, call)
		if err != nil {
			return err
		}
		return writeResponse(w, r, request.Media.Accept, call.GetType(), response)
	case call.GetType() == agent.Call_GET_CONTAINERS:
		response, err := o.server.getContainers(r.Context(), call)
		if err != nil {
			return err
		}
		return writeResponse(w, r, request.Media.Accept, call.GetType(), response)
	case call.GetType() == agent.Call_SET_LOGGING_LEVEL:
		return o.server.setLoggingLevel(call.GetSetLoggingLevel())
	case o.server.info.Containers != nil && validate.AboutContainer(call.GetType()):
		o.server.info.Containers(w, r, request)
		return nil
	}
	return &carrier.Problem{
		Status: http.StatusNotImplemented, Reason: "Call " + call.GetType().String() + " is not implemented: this agent has nothing of the kind",
	}
}
