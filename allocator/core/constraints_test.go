package core

import (
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// onHost wants, in the role "*", agents of one host.
func onHost(t *testing.T, name string) *scheduler.OfferConstraints {
	t.Helper()
	c := new(scheduler.OfferConstraints)
	text := `role_constraints { key: "*" value { groups { attribute_constraints {
		selector { pseudoattribute_type: HOSTNAME } predicate { text_equals { value: "` + name + `" } } } } } }`
	if err := prototext.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOffersAreOfWantedAgents(t *testing.T) {
	r := newRig(t, Options{})
	f := addFramework("f", "*")
	f.OfferConstraints = onHost(t, "s2")
	r.send(f, addAgent("s1", whole), addAgent("s2", whole))
	r.advance(2 * settling)
	r.want("s2 to f/*: cpus:4; mem:1024")
	r.send(addFramework("f", "*")) // wants all from now on
	r.advance(2 * settling)
	r.want("s1 to f/*: cpus:4; mem:1024")
}

func TestWhatOneDoesNotWantIsForOthers(t *testing.T) {
	r := newRig(t, Options{})
	f := addFramework("f", "*")
	f.OfferConstraints = onHost(t, "elsewhere")
	r.send(f, addFramework("g", "*"), addAgent("s1", whole))
	r.advance(2 * settling)
	r.want("s1 to g/*: cpus:4; mem:1024")
}

func TestAConstraintThatCannotBeChangesNothing(t *testing.T) {
	r := newRig(t, Options{})
	f := addFramework("f", "*")
	f.OfferConstraints = &scheduler.OfferConstraints{RoleConstraints: map[string]*scheduler.OfferConstraints_RoleConstraints{"*": {}}}
	r.send(f, addAgent("s1", whole))
	r.advance(2 * settling)
	r.want()
}

func TestARoleThatIsNoLongerSuppressedHasNoFilters(t *testing.T) {
	r := declined(t, &mesos.Filters{RefuseSeconds: proto.Float64(time.Hour.Seconds())})
	suppressed := addFramework("f", "*")
	suppressed.SuppressedRoles = []string{"*"}
	for _, m := range []*cluster.AddFramework{suppressed, addFramework("f", "*")} {
		r.send(m)
		r.advance(2 * settling)
	}
	if len(r.take()) == 0 {
		t.Error("nothing is offered")
	}
}
