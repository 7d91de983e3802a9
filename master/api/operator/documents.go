package operator

import (
	"io"

	"troupe/master/api/records"
	"troupe/master/api/share"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
)

// documents are the calls whose answer is a part of the state.
var documents = map[master.Call_Type]func(p *pen.Pen, s *view.Snapshot){
	master.Call_GET_STATE:      func(p *pen.Pen, s *view.Snapshot) { records.State(p, response.getState, s) },
	master.Call_GET_AGENTS:     func(p *pen.Pen, s *view.Snapshot) { records.Agents(p, response.getAgents, s) },
	master.Call_GET_FRAMEWORKS: func(p *pen.Pen, s *view.Snapshot) { records.Frameworks(p, response.getFrameworks, s) },
	master.Call_GET_EXECUTORS:  func(p *pen.Pen, s *view.Snapshot) { records.Executors(p, response.getExecutors, s) },
	master.Call_GET_TASKS:      func(p *pen.Pen, s *view.Snapshot) { records.Tasks(p, response.getTasks, s) },
	master.Call_GET_ROLES:      func(p *pen.Pen, s *view.Snapshot) { records.Roles(p, response.getRoles, s) },
	master.Call_GET_OPERATIONS: func(p *pen.Pen, s *view.Snapshot) { records.Operations(p, response.getOperations, s) },
}

// types are the types of their answers.
var types = map[master.Call_Type]master.Response_Type{
	master.Call_GET_STATE:      master.Response_GET_STATE,
	master.Call_GET_AGENTS:     master.Response_GET_AGENTS,
	master.Call_GET_FRAMEWORKS: master.Response_GET_FRAMEWORKS,
	master.Call_GET_EXECUTORS:  master.Response_GET_EXECUTORS,
	master.Call_GET_TASKS:      master.Response_GET_TASKS,
	master.Call_GET_ROLES:      master.Response_GET_ROLES,
	master.Call_GET_OPERATIONS: master.Response_GET_OPERATIONS,
}

var responseForm = pen.Of[*master.Response]()

var response = struct{ kind, getState, getAgents, getFrameworks, getExecutors, getTasks, getRoles, getOperations *pen.Field }{
	responseForm.Field("type"), responseForm.Field("get_state"), responseForm.Field("get_agents"),
	responseForm.Field("get_frameworks"), responseForm.Field("get_executors"), responseForm.Field("get_tasks"),
	responseForm.Field("get_roles"), responseForm.Field("get_operations"),
}

// source gives the answer to a call in a form.
type source struct {
	view View
	call master.Call_Type
	form carrier.Form
}

// Revision implements share.Source.
func (s source) Revision() uint64 { return s.view.Revision() }

// Now implements share.Source.
func (s source) Now() share.Document {
	snapshot := s.view.Snapshot()
	return share.Document{Revision: snapshot.Revision, Encode: func(out io.Writer) error {
		p := NewPen(out, s.form)
		p.Enum(response.kind, int32(types[s.call]))
		documents[s.call](p, snapshot)
		return p.Finish()
	}}
}

// NewPen returns a pen of a form.
func NewPen(out io.Writer, form carrier.Form) *pen.Pen {
	if form == carrier.Protobuf {
		return pen.Protobuf(out)
	}
	return pen.JSON(out)
}
