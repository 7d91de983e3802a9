package carrier

import (
	"bytes"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// perMessage is about what a message costs in memory that hardly costs any
	// byte of a body, in bytes.
	perMessage = 256
	// maxDepth is how deep messages are looked for.
	maxDepth = 100
)

// survey is what a body's bytes tell before it is read.
type survey struct {
	// Messages that it has, itself included; of one that cannot be read, those up
	// to there.
	messages int64
	// doubtful: some text in it may not be UTF-8, or lies too deep to be seen.
	doubtful bool
}

// surveyOf looks through a body of type d.
func surveyOf(form Form, body []byte, d protoreflect.MessageDescriptor) survey {
	if form == JSON {
		// What escapes stand for is always UTF-8.
		return survey{messages: int64(bytes.Count(body, []byte("{"))), doubtful: !utf8.Valid(body)}
	}
	var s survey
	s.look(body, d, maxDepth)
	return s
}

// cost is about what reading a body takes of memory beside the body: two bytes
// may be a whole message.
func (s survey) cost() int64 { return perMessage * s.messages }

func (s *survey) look(body []byte, d protoreflect.MessageDescriptor, depth int) {
	if depth == 0 {
		s.messages += int64(len(body)) // at the most
		s.doubtful = true
		return
	}
	s.messages++
	fields := d.Fields()
	for len(body) > 0 {
		number, typ, size := protowire.ConsumeTag(body)
		if size < 0 {
			return
		}
		body = body[size:]
		if typ != protowire.BytesType {
			if size = protowire.ConsumeFieldValue(number, typ, body); size < 0 {
				return
			}
			body = body[size:]
			continue
		}
		inner, size := protowire.ConsumeBytes(body)
		if size < 0 {
			return
		}
		body = body[size:]
		switch fd := fields.ByNumber(number); {
		case fd == nil:
		case fd.Message() != nil:
			s.look(inner, fd.Message(), depth-1)
		case fd.Kind() == protoreflect.StringKind && !utf8.Valid(inner):
			s.doubtful = true
		}
	}
}
