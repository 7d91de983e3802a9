package carrier

import (
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/scheduler"
)

func TestMessagesAreCounted(t *testing.T) {
	nested := new(mesos.ContainerID)
	for range 200 {
		nested = &mesos.ContainerID{Value: proto.String("c"), Parent: nested}
	}
	for name, c := range map[string]struct {
		m    proto.Message
		want int64
	}{
		"empty": {new(scheduler.Call), 1},
		"lists": {&scheduler.Call{Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{{}, {}}, Operations: []*mesos.Offer_Operation{{Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{{}}}}},
		}}, 7},
		"maps":              {&scheduler.OfferConstraints{RoleConstraints: map[string]*scheduler.OfferConstraints_RoleConstraints{"a": {}, "b": {}}}, 5},
		"text is no number": {&mesos.Label{Key: proto.String("k"), Value: proto.String("\n\n\n\n")}, 1},
	} {
		body, err := proto.MarshalOptions{AllowPartial: true}.Marshal(c.m)
		if err != nil {
			t.Fatal(err)
		}
		if got := surveyOf(Protobuf, body, c.m.ProtoReflect().Descriptor()).messages; got != c.want {
			t.Errorf("%s: %d messages, want %d", name, got, c.want)
		}
	}
	deep, err := proto.MarshalOptions{AllowPartial: true}.Marshal(&agent.Call{LaunchContainer: &agent.Call_LaunchContainer{ContainerId: nested}})
	if err != nil {
		t.Fatal(err)
	}
	if got := surveyOf(Protobuf, deep, new(agent.Call).ProtoReflect().Descriptor()).messages; got < 200 || got > int64(len(deep)) {
		t.Errorf("%d messages in 202, in each other", got)
	}
	for i := range deep { // whatever is cut off
		if got := surveyOf(Protobuf, deep[:i], new(agent.Call).ProtoReflect().Descriptor()).messages; got < 1 {
			t.Errorf("%d messages in the first %d bytes", got, i)
		}
	}
}

// What a survey does not doubt has no text that is not UTF-8, wherever it is.
func TestDoubts(t *testing.T) {
	good, bad := "gr\u00fc\u00df", "gr\xfc\xdf"
	deep := &mesos.ContainerID{Value: &bad}
	for range 200 {
		deep = &mesos.ContainerID{Value: &good, Parent: deep}
	}
	label := func(key, value *string) *mesos.Labels {
		return &mesos.Labels{Labels: []*mesos.Label{{Key: key, Value: value}}}
	}
	for name, c := range map[string]struct {
		m    proto.Message
		want bool
	}{
		"texts":                      {label(&good, &good), false},
		"a text":                     {label(&good, &bad), true},
		"bytes":                      {&scheduler.Call{Message: &scheduler.Call_Message{Data: []byte(bad)}}, false},
		"a list of texts":            {&scheduler.Call{Revive: &scheduler.Call_Revive{Roles: []string{good, bad}}}, true},
		"the key of a map":           {&scheduler.OfferConstraints{RoleConstraints: map[string]*scheduler.OfferConstraints_RoleConstraints{bad: {}}}, true},
		"a text deeper than is seen": {&agent.Call{LaunchContainer: &agent.Call_LaunchContainer{ContainerId: deep}}, true},
	} {
		body, err := proto.MarshalOptions{AllowPartial: true}.Marshal(c.m)
		if err != nil {
			t.Fatal(err)
		}
		if got := surveyOf(Protobuf, body, c.m.ProtoReflect().Descriptor()).doubtful; got != c.want {
			t.Errorf("%s: doubtful is %v", name, got)
		}
		if text := json.Marshal(c.m); surveyOf(JSON, text, c.m.ProtoReflect().Descriptor()).doubtful == utf8.Valid(text) {
			t.Errorf("%s in JSON: %q", name, text)
		}
	}
}

// BenchmarkDecode reads the two calls that busy schedulers make.
func BenchmarkDecode(b *testing.B) {
	id := &mesos.FrameworkID{Value: proto.String("f2ec4a2c-0f2c-4c8a-8f77-5d1a1e5d6a10-0000")}
	agentID := &mesos.AgentID{Value: proto.String("f2ec4a2c-0f2c-4c8a-8f77-5d1a1e5d6a10-S17")}
	task := &mesos.TaskInfo{
		Name: proto.String("task"), TaskId: &mesos.TaskID{Value: proto.String("task-17")}, AgentId: agentID,
		Command: &mesos.CommandInfo{Value: proto.String("sleep 1000")},
		Resources: []*mesos.Resource{{
			Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(0.1)},
			AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("*")},
		}},
	}
	launch := &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{}}
	for range 10 {
		launch.Launch.TaskInfos = append(launch.Launch.TaskInfos, task)
	}
	for name, call := range map[string]*scheduler.Call{
		"acknowledge": {Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: id, Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: agentID, TaskId: task.TaskId, Uuid: []byte("0123456789abcdef"),
		}},
		"accept": {Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: id, Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{{Value: proto.String("O1")}}, Operations: []*mesos.Offer_Operation{launch},
		}},
	} {
		for _, form := range []Form{Protobuf, JSON} {
			body, err := form.Append(nil, call)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(name+"/"+form.String()[len("application/"):], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := Decode(form, body, new(scheduler.Call)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
