package json

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/field"
)

// token is a string, a number, or true or false.
type token struct {
	text   string
	quoted bool
}

// scalar reads a value of fd, which is no message. ok is false when the value
// stands for none.
func (d *decoder) scalar(fd protoreflect.FieldDescriptor) (v protoreflect.Value, ok bool, err error) {
	var t token
	switch c := d.peek(); {
	case c == '"':
		t.quoted = true
		t.text, err = d.text()
	case c == '{' || c == '[':
		err = d.syntax("expected " + expected(fd))
	case d.word("true"):
		t.text = "true"
	case d.word("false"):
		t.text = "false"
	default:
		t.text, err = d.number()
	}
	if err != nil {
		return v, false, err
	}
	return scalarOf(fd, t)
}

// expected says in words what fd takes.
func expected(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.StringKind:
		return "a string"
	case protoreflect.BytesKind:
		return "a string in base64"
	case protoreflect.EnumKind:
		return "the name of a value"
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return "a number"
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return "a whole number that is not negative"
	}
	return "a whole number"
}

// scalarOf converts t to a value of fd.
func scalarOf(fd protoreflect.FieldDescriptor, t token) (v protoreflect.Value, ok bool, err error) {
	fits := true
	switch fd.Kind() {
	case protoreflect.StringKind:
		v, fits = protoreflect.ValueOfString(t.text), t.quoted
	case protoreflect.BytesKind:
		var data []byte
		data, fits = decodeBytes(t.text)
		v, fits = protoreflect.ValueOfBytes(data), fits && t.quoted
	case protoreflect.BoolKind:
		v, fits = protoreflect.ValueOfBool(t.text == "true"), t.text == "true" || t.text == "false"
	case protoreflect.EnumKind:
		return enumOf(fd, t)
	case protoreflect.DoubleKind:
		var f float64
		f, fits = floatOf(t, 64)
		v = protoreflect.ValueOfFloat64(f)
	case protoreflect.FloatKind:
		var f float64
		f, fits = floatOf(t, 32)
		v = protoreflect.ValueOfFloat32(float32(f))
	default:
		return wholeOf(fd, t)
	}
	if !fits {
		return v, false, field.Invalid("", shown(t), "must be %s", expected(fd))
	}
	return v, true, nil
}

// shown is the token for an error: as text with quotes if it had them.
func shown(t token) any {
	if t.quoted {
		return t.text
	}
	return bare(t.text)
}

type bare string

// enumOf takes a name or any number. An unknown name is an error for a required
// field only.
func enumOf(fd protoreflect.FieldDescriptor, t token) (protoreflect.Value, bool, error) {
	if !t.quoted {
		n, err := strconv.ParseInt(t.text, 10, 32)
		if err == nil {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), true, nil
		}
		return protoreflect.Value{}, false, field.Invalid("", shown(t), "must be %s", expected(fd))
	}
	value := fd.Enum().Values().ByName(protoreflect.Name(t.text))
	switch {
	case value != nil:
		return protoreflect.ValueOfEnum(value.Number()), true, nil
	case fd.Cardinality() == protoreflect.Required:
		return protoreflect.Value{}, false, field.Invalid("", shown(t), "is not a value of %s", fd.Enum().FullName())
	}
	return protoreflect.Value{}, false, nil
}

// floatOf also takes "Infinity", "-Infinity" and "NaN", in quotes.
func floatOf(t token, bits int) (float64, bool) {
	switch t.text {
	case "Infinity":
		return math.Inf(1), t.quoted
	case "-Infinity":
		return math.Inf(-1), t.quoted
	case "NaN":
		return math.NaN(), t.quoted
	}
	if !isNumber(t.text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(t.text, bits)
	return f, err == nil
}

// isNumber tells whether text as a whole is a JSON number.
func isNumber(text string) bool {
	s := scanner{data: []byte(text)}
	_, err := s.number()
	return err == nil && s.pos == len(text)
}

// wholeOf converts to the integer kind of fd and checks its range.
func wholeOf(fd protoreflect.FieldDescriptor, t token) (v protoreflect.Value, ok bool, err error) {
	digits, ok := wholeDigits(t.text)
	if !ok {
		return v, false, field.Invalid("", shown(t), "must be %s", expected(fd))
	}
	var n int64
	var u uint64
	switch fd.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err = strconv.ParseInt(digits, 10, 32)
		v = protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		u, err = strconv.ParseUint(digits, 10, 32)
		v = protoreflect.ValueOfUint32(uint32(u))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		u, err = strconv.ParseUint(digits, 10, 64)
		v = protoreflect.ValueOfUint64(u)
	default:
		n, err = strconv.ParseInt(digits, 10, 64)
		v = protoreflect.ValueOfInt64(n)
	}
	if errors.Is(err, strconv.ErrRange) {
		return v, false, field.Invalid("", shown(t), "is out of the range of %s", fd.Kind())
	}
	if err != nil {
		return v, false, field.Invalid("", shown(t), "must be %s", expected(fd))
	}
	return v, true, nil
}

// wholeDigits returns the plain decimal form of a number that is whole, however
// it is written, as long as it can fit in 64 bits.
func wholeDigits(text string) (string, bool) {
	if !isNumber(text) {
		return "", false
	}
	if !strings.ContainsAny(text, ".eE") {
		return text, true
	}
	digits, negative := strings.CutPrefix(text, "-")
	exponent := 0
	if at := strings.IndexAny(digits, "eE"); at >= 0 {
		var err error
		if exponent, err = strconv.Atoi(digits[at+1:]); err != nil {
			return "", false
		}
		digits = digits[:at]
	}
	if before, after, ok := strings.Cut(digits, "."); ok {
		digits, exponent = before+after, exponent-len(after)
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "0", true
	}
	plain := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(plain)
	if exponent < 0 || exponent > 20 || len(plain) > 20 {
		return "", false
	}
	plain += strings.Repeat("0", exponent)
	if negative {
		plain = "-" + plain
	}
	return plain, true
}

// decodeBytes takes standard base64 with or without padding.
func decodeBytes(text string) ([]byte, bool) {
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	return data, err == nil
}
