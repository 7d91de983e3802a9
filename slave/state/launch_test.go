package state

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// TestSameExecutor: one that runs is found by an info that says more of what is
// known of it, and by none that says anything else.
func TestSameExecutor(t *testing.T) {
	info := func(framework, role string, cpus ...float64) *mesos.ExecutorInfo {
		e := &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}}
		if framework != "" {
			e.FrameworkId = &mesos.FrameworkID{Value: &framework}
		}
		for _, n := range cpus {
			r := scalar("cpus", n)
			if role != "" {
				r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
			}
			e.Resources = append(e.Resources, r)
		}
		return e
	}
	for name, c := range map[string]struct {
		runs, named *mesos.ExecutorInfo
		same        bool
	}{
		"equal":                {info("f", "r", 1), info("f", "r", 1), true},
		"without a framework":  {info("f", "r", 1), info("", "r", 1), true},
		"of another framework": {info("f", "r", 1), info("g", "r", 1), false},
		"from before roles":    {info("f", "", 1), info("", "r", 1), true},
		"of another role":      {info("f", "q", 1), info("f", "r", 1), false},
		"of no role":           {info("f", "q", 1), info("f", "", 1), false},
		"with more":            {info("f", "", 1), info("f", "r", 2), false},
		"with others beside":   {info("f", "", 1), info("f", "r", 1, 1), false},
	} {
		before := proto.CloneOf(c.named)
		if same := sameExecutor(c.runs, c.named); same != c.same || !proto.Equal(c.named, before) {
			t.Errorf("%s: %t, want %t; %v is now %v", name, same, c.same, before, c.named)
		}
	}
}
