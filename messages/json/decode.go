package json

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/field"
)

// MaxDepth is how many objects and arrays may be nested in each other.
const MaxDepth = 100

var tooDeep = fmt.Sprintf("more than %d objects and arrays within each other", MaxDepth)

// Unmarshal replaces m by what data, one object, says. An error is a
// *field.Error; m is then in an undefined state.
func Unmarshal(data []byte, m proto.Message) error {
	proto.Reset(m)
	d := &decoder{scanner{data: data}}
	if d.peek() != '{' {
		return d.syntax("expected an object")
	}
	if err := d.message(m.ProtoReflect(), planOf(m.ProtoReflect().Descriptor()), MaxDepth); err != nil {
		return err
	}
	return d.end()
}

// Read is Unmarshal of all that in has, which must not be over limit bytes.
func Read(in io.Reader, limit int64, m proto.Message) error {
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return fmt.Errorf("json: reading: %w", err)
	}
	if int64(len(data)) > limit {
		return field.Invalid("", nil, "the document is over the limit of %d bytes", limit)
	}
	return Unmarshal(data, m)
}

// UnmarshalArray returns the messages of an array. Paths of errors start with
// the index: "[1].name".
func UnmarshalArray[M proto.Message](data []byte) ([]M, error) {
	d := &decoder{scanner{data: data}}
	if d.peek() != '[' {
		return nil, d.syntax("expected an array")
	}
	var zero M
	var list []M
	err := d.elements(']', func(i int) error {
		if d.peek() != '{' {
			return field.At("", i, d.syntax("expected an object"))
		}
		m := zero.ProtoReflect().New()
		list = append(list, m.Interface().(M))
		return field.At("", i, d.message(m, planOf(m.Descriptor()), MaxDepth-1))
	})
	if err != nil {
		return nil, err
	}
	return list, d.end()
}

// decoder fills messages as it reads. depth counts down to 0.
type decoder struct{ scanner }

func (d *decoder) end() error {
	d.peek()
	if d.pos < len(d.data) {
		return d.syntax("expected the end of the document")
	}
	return nil
}

// message reads the object that comes next into m, which is empty.
func (d *decoder) message(m protoreflect.Message, p *plan, depth int) error {
	if depth == 0 {
		return d.syntax(tooDeep)
	}
	err := d.elements('}', func(int) error {
		key, err := d.key()
		if err != nil {
			return err
		}
		f := p.byName[string(key)]
		if f == nil {
			return d.skip(depth - 1)
		}
		return field.In(f.name, d.field(m, f, depth-1))
	})
	if err != nil {
		return err
	}
	for _, f := range p.required {
		if !m.Has(f.FieldDescriptor) {
			return field.Missing(f.name)
		}
	}
	return nil
}

// field reads the value of f; an earlier one is forgotten.
func (d *decoder) field(m protoreflect.Message, f *fieldPlan, depth int) error {
	fd := f.FieldDescriptor
	m.Clear(fd)
	if d.peek() == 'n' && d.word("null") {
		return nil
	}
	switch {
	case fd.IsMap():
		return d.mapping(m.Mutable(fd).Map(), f, depth)
	case fd.IsList():
		return d.list(m.Mutable(fd).List(), f, depth)
	case fd.Message() != nil:
		return d.object(m.Mutable(fd).Message(), f, depth)
	}
	v, ok, err := d.scalar(fd)
	if err == nil && ok {
		m.Set(fd, v)
	}
	return err
}

// object reads a message of f.
func (d *decoder) object(m protoreflect.Message, f *fieldPlan, depth int) error {
	if d.peek() != '{' {
		return d.syntax("expected an object")
	}
	return d.message(m, f.message(), depth)
}

// list reads an array, or one value as a list of one.
func (d *decoder) list(list protoreflect.List, f *fieldPlan, depth int) error {
	if d.peek() != '[' {
		return d.element(list, f, depth)
	}
	if depth == 0 {
		return d.syntax(tooDeep)
	}
	return d.elements(']', func(i int) error {
		if d.peek() == 'n' && d.word("null") {
			return nil
		}
		return field.At("", i, d.element(list, f, depth-1))
	})
}

func (d *decoder) element(list protoreflect.List, f *fieldPlan, depth int) error {
	if f.Message() != nil {
		return d.object(list.AppendMutable().Message(), f, depth)
	}
	v, ok, err := d.scalar(f.FieldDescriptor)
	if err == nil && ok {
		list.Append(v)
	}
	return err
}

func (d *decoder) mapping(entries protoreflect.Map, f *fieldPlan, depth int) error {
	if d.peek() != '{' {
		return d.syntax("expected an object")
	}
	if depth == 0 {
		return d.syntax(tooDeep)
	}
	return d.elements('}', func(int) error {
		text, err := d.key()
		if err != nil {
			return err
		}
		return field.In("["+cut(string(text))+"]", d.entry(entries, f, string(text), depth-1))
	})
}

func (d *decoder) entry(entries protoreflect.Map, f *fieldPlan, text string, depth int) error {
	key, _, err := scalarOf(f.MapKey(), token{text: text, quoted: true})
	if err != nil {
		return err
	}
	if d.peek() == 'n' && d.word("null") {
		return nil
	}
	if f.MapValue().Message() != nil {
		v := entries.NewValue()
		entries.Set(key.MapKey(), v)
		return d.object(v.Message(), f, depth)
	}
	v, ok, err := d.scalar(f.MapValue())
	if err == nil && ok {
		entries.Set(key.MapKey(), v)
	}
	return err
}

// cut shortens a key for the path of an error.
func cut(key string) string {
	if len(key) > 60 {
		return key[:60] + "…"
	}
	return key
}
