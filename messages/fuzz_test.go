package messages_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/cluster"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
)

// FuzzWire shows that whatever bytes decode are kept: written again and read
// again they are the same message, with what is not known of.
func FuzzWire(f *testing.F) {
	types := []protoreflect.MessageType{
		(*scheduler.Call)(nil).ProtoReflect().Type(),
		(*executor.Call)(nil).ProtoReflect().Type(),
		(*master.Call)(nil).ProtoReflect().Type(),
		(*cluster.ReregisterAgent)(nil).ProtoReflect().Type(),
	}
	for i := range types {
		f.Add([]byte{}, uint8(i))
		f.Add([]byte("\x10\x06\x82\x7d\x03abc"), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		mt := types[int(which)%len(types)]
		m, again := mt.New().Interface(), mt.New().Interface()
		if proto.Unmarshal(data, m) != nil {
			return
		}
		kept, err := proto.Marshal(m)
		if err != nil {
			t.Fatalf("%x decodes and does not encode: %v", data, err)
		}
		if err := proto.Unmarshal(kept, again); err != nil || !proto.Equal(m, again) {
			t.Fatalf("%x came out as %x: %v, %v", data, kept, again, err)
		}
	})
}
