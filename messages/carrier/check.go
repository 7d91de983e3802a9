package carrier

import (
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/field"
)

// checkUTF8 is an error that names a string which is not UTF-8, if there is
// one in m: nobody could write it as it was read.
func checkUTF8(m protoreflect.Message) error {
	return eachField(m, func(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
		if fd.Kind() == protoreflect.StringKind && !utf8.ValidString(v.String()) {
			return field.Invalid("", v.String(), "is not UTF-8")
		}
		return nil
	}, func(protoreflect.Message) error { return nil })
}

// missing is an error that names a required field which is not set, if there is
// one in m.
func missing(m protoreflect.Message) error {
	return eachField(m, func(protoreflect.FieldDescriptor, protoreflect.Value) error { return nil }, unset)
}

// unset looks at m alone.
func unset(m protoreflect.Message) error {
	required := m.Descriptor().RequiredNumbers()
	for i := range required.Len() {
		if fd := m.Descriptor().Fields().ByNumber(required.Get(i)); !m.Has(fd) {
			return field.Missing(string(fd.Name()))
		}
	}
	return nil
}

// eachField calls message for m and every message in it, and single for every
// value that is none. An error ends it, with the path of where it arose.
func eachField(m protoreflect.Message, single func(protoreflect.FieldDescriptor, protoreflect.Value) error, message func(protoreflect.Message) error) error {
	if err := message(m); err != nil {
		return err
	}
	var err error
	each := func(fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
		if fd.Message() != nil {
			return eachField(v.Message(), single, message)
		}
		return single(fd, v)
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(fd.Name())
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				if err = each(fd.MapKey(), k.Value()); err == nil {
					err = each(fd.MapValue(), v)
				}
				err = field.In(name+"["+shortened(k.String())+"]", err)
				return err == nil
			})
		case fd.IsList():
			for i := 0; i < v.List().Len() && err == nil; i++ {
				err = field.At(name, i, each(fd, v.List().Get(i)))
			}
		default:
			err = field.In(name, each(fd, v))
		}
		return err == nil
	})
	return err
}
