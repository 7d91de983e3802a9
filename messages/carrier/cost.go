package carrier

import (
	"bytes"

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

// cost is about what reading a body takes of memory beside the body: two bytes
// may be a whole message.
func cost(form Form, body []byte, d protoreflect.MessageDescriptor) int64 {
	if form == JSON {
		return perMessage * int64(bytes.Count(body, []byte("{")))
	}
	return perMessage * messagesIn(body, d, maxDepth)
}

// messagesIn counts the messages that a body of type d has, itself included. Of
// one that cannot be read it counts those up to there.
func messagesIn(body []byte, d protoreflect.MessageDescriptor, depth int) int64 {
	if depth == 0 {
		return int64(len(body)) // at the most
	}
	n := int64(1)
	for len(body) > 0 {
		number, typ, size := protowire.ConsumeTag(body)
		if size < 0 {
			return n
		}
		body = body[size:]
		if fd := d.Fields().ByNumber(number); fd != nil && fd.Message() != nil && typ == protowire.BytesType {
			inner, size := protowire.ConsumeBytes(body)
			if size < 0 {
				return n
			}
			n += messagesIn(inner, fd.Message(), depth-1)
			body = body[size:]
			continue
		}
		if size = protowire.ConsumeFieldValue(number, typ, body); size < 0 {
			return n
		}
		body = body[size:]
	}
	return n
}
