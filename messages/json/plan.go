package json

import (
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// plan is what reading and writing must know of a message type.
type plan struct {
	fields   []*fieldPlan // in order of declaration
	byName   map[string]*fieldPlan
	required []*fieldPlan
}

type fieldPlan struct {
	protoreflect.FieldDescriptor
	name string
	key  []byte // "name":
	// whenUnset is written for the value when the field is not set; nil when
	// the field is then left out.
	whenUnset []byte
	child     atomic.Pointer[plan] // see message
}

// message returns the plan of the messages in the field, of the values if it
// is a map. It is looked up once: types refer to each other in circles.
func (f *fieldPlan) message() *plan {
	if p := f.child.Load(); p != nil {
		return p
	}
	d := f.Message()
	if f.IsMap() {
		d = f.MapValue().Message()
	}
	p := planOf(d)
	f.child.Store(p)
	return p
}

// plans caches a *plan by protoreflect.MessageDescriptor; there are only as
// many as there are message types in the program.
var plans sync.Map

func planOf(d protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(d); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(d, newPlan(d))
	return p.(*plan)
}

func newPlan(d protoreflect.MessageDescriptor) *plan {
	p := &plan{byName: make(map[string]*fieldPlan, d.Fields().Len())}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := &fieldPlan{FieldDescriptor: fd, name: string(fd.Name())}
		f.key = append(appendString(nil, f.name), ':')
		if fd.HasDefault() && fd.Cardinality() == protoreflect.Optional && !deprecated(fd) {
			f.whenUnset = appendScalar(nil, fd, fd.Default())
		}
		if fd.Cardinality() == protoreflect.Required {
			p.required = append(p.required, f)
		}
		p.fields = append(p.fields, f)
		p.byName[f.name] = f
	}
	return p
}

func deprecated(fd protoreflect.FieldDescriptor) bool {
	options, ok := fd.Options().(*descriptorpb.FieldOptions)
	return ok && options.GetDeprecated()
}
