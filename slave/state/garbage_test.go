package state

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	executorapi "troupe/messages/mesos/executor"
)

// vocabulary is all that an agent may be sent.
var vocabulary = []proto.Message{
	&cluster.AgentRegistered{}, &cluster.AgentReregistered{}, &cluster.RegistrationRefused{},
	&cluster.Ping{}, &cluster.RunTask{}, &cluster.RunTaskGroup{}, &cluster.KillTask{}, &cluster.StatusUpdateAck{},
	&cluster.ShutdownExecutor{}, &cluster.ShutdownFramework{}, &cluster.UpdateFramework{}, &cluster.FrameworkMessage{},
	&cluster.DrainAgent{}, &cluster.ResendUpdates{}, &cluster.HostReady{}, &cluster.ContainerLaunched{}, &cluster.ContainerEnded{}, &executorapi.Call{},
	&cluster.Pong{}, // and what it may not
}

var (
	garbageWords = []string{"F", "G", "T1", "T2", "E", "H1", "S0", "", "..", "a/b", "with\x00zero", "cpus", "mem", "*"}
	garbagePeers = []Peer{"", "nonsense", "master@m:1#a", "master@m:1#b", "observer/S0@m:1#a", "host@h:0#1", "executor/E@h:0#1", "x@y:1#2"}
	timerKeys    = []string{
		timerRegistration, timerPing, timerLeaving, "update-retry/F/T1", "update-retry/F", "executor-registration/C", "host-patience/H1",
		"host-patience/unclaimed", "shutdown-grace/C", "destroy-retry/C", "nobody's", "",
	}
)

// TestGarbage: messages that make no sense, from anybody and at any moment, do
// not end the agent, and do not make it say what cannot be encoded.
func TestGarbage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New(testConfig(1))
		var inputs []Input
		step := func(in Input) {
			for _, e := range m.Step(time.Unix(1000, 0), in) {
				switch e := e.(type) {
				case Send:
					if err := proto.CheckInitialized(e.Message); err != nil {
						t.Fatalf("%v leads to %T: %v", in, e.Message, err)
					}
				case Checkpoint:
					for _, r := range e.Records {
						if err := proto.CheckInitialized(r); err != nil {
							t.Fatalf("%v leads to a record: %v", in, err)
						}
					}
					inputs = append(inputs, Checkpointed{Key: e.Key})
				case MakeSandbox:
					inputs = append(inputs, SandboxMade{Container: e.Container})
				case MakeVolumes:
					inputs = append(inputs, VolumesChanged{Operation: e.Operation})
				case RemoveVolumes:
					inputs = append(inputs, VolumesChanged{Operation: e.Operation})
				case LinkVolumes:
					inputs = append(inputs, VolumesLinked{Container: e.Container, Launch: e.Launch})
				case Sweep:
					inputs = append(inputs, Swept{Host: e.Host})
				case Exit:
					t.Fatalf("the agent exits: %s, %v", e.Reason, e.Err)
				}
			}
		}
		step(Started{})
		step(MasterDetected{"master@m:1"})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(inputs) > 0 && rapid.Bool().Draw(t, "answer") {
				in := inputs[0]
				inputs = inputs[1:]
				step(in)
				continue
			}
			step(garbage(t))
		}
		if fresh := New(testConfig(3)); len(fresh.Step(time.Unix(2000, 0), Started{Records: m.Snapshot()})) == 0 {
			t.Fatal("a machine that starts has nothing to say")
		}
	})
}

func garbage(t *rapid.T) Input {
	peer := rapid.SampledFrom(garbagePeers).Draw(t, "peer")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return PeerExited{peer}
	case 1:
		return TimerFired{rapid.SampledFrom(timerKeys).Draw(t, "key")}
	case 2:
		return HostEnded{Host: HostID(rapid.SampledFrom(garbageWords).Draw(t, "host"))}
	case 3:
		return SandboxMade{Container: ContainerID(rapid.SampledFrom(garbageWords).Draw(t, "container"))}
	case 4:
		return Received{From: "master@m:1#a", Message: &cluster.AgentRegistered{AgentId: s0(), MasterId: proto.String("M")}}
	case 5:
		return Received{From: "master@m:1#a", Message: &cluster.RunTask{Framework: simFramework(), Task: simTaskInfo("T1")}}
	}
	msg := proto.Clone(rapid.SampledFrom(vocabulary).Draw(t, "type"))
	fill(t, msg.ProtoReflect(), 0)
	if refused, ok := msg.(*cluster.RegistrationRefused); ok {
		refused.Fatal, refused.Foreign = nil, nil // those are orders
	}
	return Received{From: peer, Message: msg}
}

// fill sets all required and some other fields, as a decoder would.
func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Cardinality() != protoreflect.Required && (depth > 3 || rapid.IntRange(0, 2).Draw(t, "skip") > 0) {
			continue
		}
		switch {
		case f.IsMap():
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(0, 2).Draw(t, "length") {
				if f.Message() != nil {
					fill(t, list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(leaf(t, f))
				}
			}
		case f.Message() != nil:
			fill(t, m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, leaf(t, f))
		}
	}
}

func leaf(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.SampledFrom(garbageWords).Draw(t, "word"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 0, 17).Draw(t, "bytes"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Draw(t, "double"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32().Draw(t, "float"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	default:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	}
}
