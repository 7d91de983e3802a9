package state

import (
	"cmp"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// shownAgent steps a machine and returns the last picture that it published of
// the agent, nil when there was none.
func shownAgent(m *Machine, in Input) *view.Agent {
	var last *view.Agent
	for _, e := range m.Step(time.Unix(1000, 0), in) {
		if p, ok := e.(Publish); ok {
			if changed, ok := p.Event.(view.AgentChanged); ok {
				last = changed.Agent
			}
		}
	}
	return last
}

func TestDrainIsShown(t *testing.T) {
	m := New(testConfig(1))
	shownAgent(m, Started{})
	shownAgent(m, MasterDetected{"master@m:1"})
	shownAgent(m, Received{From: "master@m:1#a", Message: &cluster.AgentRegistered{AgentId: &mesos.AgentID{Value: proto.String("S0")}}})
	config := &mesos.DrainConfig{MarkGone: proto.Bool(true)}
	a := shownAgent(m, Received{From: "master@m:1#a", Message: &cluster.DrainAgent{Config: config}})
	if a == nil || !proto.Equal(a.Drain, config) {
		t.Errorf("while it is drained: %+v", a)
	}
	for key := range m.journal.last {
		a = cmp.Or(shownAgent(m, Checkpointed{Key: key + 1}), a)
	}
	if a.Drain != nil {
		t.Errorf("once nothing is left: %+v", a)
	}
}
