package records

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/pen"
	"troupe/messages/resources"
)

var resourceForm = pen.Of[*mesos.Resource]()

var (
	resourceName       = resourceForm.Field("name")
	resourceType       = resourceForm.Field("type")
	resourceScalar     = resourceForm.Field("scalar")
	resourceRole       = resourceForm.Field("role")
	resourceAllocation = resourceForm.Field("allocation_info")
	scalarValue        = pen.Of[*mesos.Value_Scalar]().Field("value")
	allocationRole     = pen.Of[*mesos.Resource_AllocationInfo]().Field("role")
)

// writeAllocated writes resources of a task or executor, allocated to a role.
func writeAllocated(p *pen.Pen, f *pen.Field, r resources.Resources, role string) {
	p.List(f)
	for e := range r.All() {
		if e.Plain() {
			writePlain(p, f, e, "", role)
			continue
		}
		for range e.Copies() {
			p.Message(f, allocated(e.Proto(), role))
		}
	}
	p.EndList()
}

// writeEndpoint writes resources of agents and frameworks: they also show role
// and reservation, where these can say what the stack does. An empty role
// leaves them allocated to nobody.
func writeEndpoint(p *pen.Pen, f *pen.Field, r resources.Resources, role string) {
	for e := range r.All() {
		if e.Plain() {
			writePlain(p, f, e, names.AnyRole, role)
		}
	}
	rest := r.Filter(func(e resources.Entry) bool { return !e.Plain() })
	if rest.IsEmpty() {
		return
	}
	for _, m := range rest.ProtoEndpoint() {
		if role != "" {
			m = allocated(m, role)
		}
		p.Message(f, m)
	}
}

func allocated(m *mesos.Resource, role string) *mesos.Resource {
	given := proto.CloneOf(m)
	given.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
	return given
}

// writePlain writes a plain resource, of a role and given to one, unless these
// are empty.
func writePlain(p *pen.Pen, f *pen.Field, e resources.Entry, of, to string) {
	p.Begin(f)
	p.String(resourceName, e.Name())
	p.Enum(resourceType, int32(mesos.Value_SCALAR))
	p.Begin(resourceScalar)
	p.Thousandths(scalarValue, int64(e.Amount()))
	p.End()
	if of != "" {
		p.String(resourceRole, of)
	}
	if to != "" {
		p.Begin(resourceAllocation)
		p.String(allocationRole, to)
		p.End()
	}
	p.End()
}

// shown are the resources that are shown of roles, in order.
var shown = [...]string{"cpus", "disk", "gpus", "mem"}

// writeQuantities writes those of q that are shown of roles, as scalars.
func writeQuantities(p *pen.Pen, f *pen.Field, q view.Quantities) {
	if !slices.ContainsFunc(shown[:], func(name string) bool { return q[name] != 0 }) {
		return
	}
	p.List(f)
	for _, name := range shown {
		if q[name] == 0 {
			continue
		}
		p.Begin(f)
		p.String(resourceName, name)
		p.Enum(resourceType, int32(mesos.Value_SCALAR))
		p.Begin(resourceScalar)
		p.Thousandths(scalarValue, int64(q[name]))
		p.End()
		p.End()
	}
	p.EndList()
}
