package carrier

import (
	"testing"

	"google.golang.org/protobuf/proto"

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
		if got := messagesIn(body, c.m.ProtoReflect().Descriptor(), maxDepth); got != c.want {
			t.Errorf("%s: %d messages, want %d", name, got, c.want)
		}
	}
	deep, err := proto.MarshalOptions{AllowPartial: true}.Marshal(&agent.Call{LaunchContainer: &agent.Call_LaunchContainer{ContainerId: nested}})
	if err != nil {
		t.Fatal(err)
	}
	if got := messagesIn(deep, new(agent.Call).ProtoReflect().Descriptor(), maxDepth); got < 200 || got > int64(len(deep)) {
		t.Errorf("%d messages in 202, in each other", got)
	}
	for i := range deep { // whatever is cut off
		if got := messagesIn(deep[:i], new(agent.Call).ProtoReflect().Descriptor(), maxDepth); got < 1 {
			t.Errorf("%d messages in the first %d bytes", got, i)
		}
	}
}
