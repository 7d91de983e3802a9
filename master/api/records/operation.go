package records

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
)

var operationsAll = pen.Of[*master.Response_GetOperations]().Field("operations")

// Operations writes a Response.GetOperations in f.
func Operations(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	p.Section(f)
	p.List(operationsAll)
	for i, o := range s.SortedOperations() {
		p.Message(operationsAll, Operation(o))
		yield(i)
	}
	p.EndList()
	p.EndSection()
}

// Operation is an operation as the API shows it.
func Operation(o *view.Operation) *mesos.Operation {
	m := &mesos.Operation{
		AgentId: &mesos.AgentID{Value: proto.String(string(o.Agent))}, Info: o.Info, LatestStatus: o.Status,
		Uuid: &mesos.UUID{Value: o.UUID[:]},
	}
	if o.Framework != "" {
		m.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(o.Framework))}
	}
	if view.EndedOperation(o.Status.GetState()) {
		m.Statuses = []*mesos.OperationStatus{o.Status}
	}
	return m
}
