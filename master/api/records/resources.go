package records

import (
	"google.golang.org/protobuf/proto"

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

// writeScalars writes the scalars of r, each name summed up whatever its
// reservations.
func writeScalars(p *pen.Pen, f *pen.Field, r resources.Resources) {
	p.List(f)
	last := ""
	for e := range r.All() { // by name
		if e.Kind() != mesos.Value_SCALAR || e.Name() == last {
			continue
		}
		last = e.Name()
		p.Begin(f)
		p.String(resourceName, last)
		p.Enum(resourceType, int32(mesos.Value_SCALAR))
		p.Begin(resourceScalar)
		p.Thousandths(scalarValue, int64(r.Scalar(last)))
		p.End()
		p.End()
	}
	p.EndList()
}
