package remote

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// inbox is what a link's reader keeps between frames. It decides what frames
// mean, and refuses those that mean nothing.
type inbox struct {
	most    int // bytes of one message
	names   []knownName
	nobody  any // memo of messages without sender
	types   []knownType
	bytes   int // of all names and types
	bulk    arrival
	missing int // bytes that the bulk message still lacks
}

// knownName is the name of an actor that the peer announced.
type knownName struct {
	text string
	memo *any // what the Receiver keeps about the peer's actor of that name
}

// knownType is a message type that the peer announced; made is nil when this
// process does not know it.
type knownType struct {
	name protoreflect.FullName
	made protoreflect.MessageType
}

// arrival is a message that is complete but for decoding.
type arrival struct {
	sender, target string
	memo           *any // of the sender
	keys           frame.Keys
	typ            knownType
	body           []byte
}

// define handles a Name or a Type.
func (in *inbox) define(k frame.Kind, payload []byte) error {
	text, err := frame.ParseText(k, payload)
	if err != nil {
		return err
	}
	if err := address.ValidateName(text); err != nil {
		return fmt.Errorf("malformed %v frame: %w", k, err)
	}
	count := len(in.names)
	if k == frame.Type {
		count = len(in.types)
	}
	if in.bytes += len(text); in.bytes > frame.MaxNameBytes || count >= frame.MaxNames {
		return fmt.Errorf("malformed %v frame: entry %d, %d bytes with all others: over %d entries or %d bytes",
			k, count+1, in.bytes, frame.MaxNames, frame.MaxNameBytes)
	}
	if k == frame.Name {
		in.names = append(in.names, knownName{text: text})
		return nil
	}
	t := knownType{name: protoreflect.FullName(text)}
	if mt, err := protoregistry.GlobalTypes.FindMessageByName(t.name); err == nil {
		t.made = mt
	}
	in.types = append(in.types, t)
	return nil
}

func (in *inbox) reset(payload []byte) error {
	if err := frame.ParseReset(payload); err != nil {
		return err
	}
	in.names, in.types, in.bytes = nil, nil, 0
	return nil
}

// resolve turns numbers into names.
func (in *inbox) resolve(k frame.Kind, h frame.Head) (arrival, error) {
	if int(h.Target) > len(in.names) {
		return arrival{}, unannounced(k, "target", h.Target, len(in.names))
	}
	if int(h.Sender) > len(in.names) {
		return arrival{}, unannounced(k, "sender", h.Sender, len(in.names))
	}
	if int(h.Type) > len(in.types) {
		return arrival{}, unannounced(k, "type", h.Type, len(in.types))
	}
	a := arrival{target: in.names[h.Target-1].text, typ: in.types[h.Type-1], memo: &in.nobody}
	if h.Sender != 0 {
		n := &in.names[h.Sender-1]
		if n.memo == nil {
			n.memo = new(any)
		}
		a.sender, a.memo = n.text, n.memo
	}
	return a, nil
}

func unannounced(k frame.Kind, field string, n uint32, have int) error {
	return &frame.Error{Kind: k, Field: field, Value: uint64(n), Why: fmt.Sprintf("not announced, of %d", have)}
}

// message handles a Message or Keyed; the body is a part of the payload.
func (in *inbox) message(kind frame.Kind, payload []byte) (arrival, error) {
	h, keys, body, err := frame.ParseMessage(kind, payload)
	if err != nil {
		return arrival{}, err
	}
	a, err := in.resolve(kind, h)
	a.keys, a.body = keys, body
	return a, err
}

// firstPart is how much room a message in chunks gets before its bytes come.
const firstPart = 256 << 10

// begin handles a Begin.
func (in *inbox) begin(payload []byte) error {
	h, keys, size, err := frame.ParseBegin(payload, in.most)
	if err != nil {
		return err
	}
	if in.missing > 0 {
		return &frame.Error{Kind: frame.Begin, Field: "size", Value: uint64(size), Why: fmt.Sprintf("%d bytes are missing of the one before", in.missing)}
	}
	if in.bulk, err = in.resolve(frame.Begin, h); err != nil {
		return err
	}
	in.missing = size
	in.bulk.keys = keys
	in.bulk.body = make([]byte, 0, min(size, firstPart))
	return nil
}

// chunk handles a Chunk and tells whether the message is complete.
func (in *inbox) chunk(payload []byte) (arrival, bool, error) {
	if len(payload) == 0 || len(payload) > in.missing {
		return arrival{}, false, &frame.Error{Kind: frame.Chunk, Field: "length", Value: uint64(len(payload)), Why: fmt.Sprintf("%d bytes are missing", in.missing)}
	}
	in.bulk.body = append(in.bulk.body, payload...)
	if in.missing -= len(payload); in.missing > 0 {
		return arrival{}, false, nil
	}
	a := in.bulk
	in.bulk = arrival{}
	return a, true, nil
}

// pair gives the names in a frame about links of actors.
func (in *inbox) pair(k frame.Kind, p frame.Pair) (watcher, watched string, err error) {
	if int(p.Watcher) > len(in.names) {
		return "", "", unannounced(k, "watcher", p.Watcher, len(in.names))
	}
	if int(p.Watched) > len(in.names) {
		return "", "", unannounced(k, "watched", p.Watched, len(in.names))
	}
	return in.names[p.Watcher-1].text, in.names[p.Watched-1].text, nil
}
