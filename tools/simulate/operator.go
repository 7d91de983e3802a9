package simulate

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/state"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// wishes is what the registry says that operators want of agents.
type wishes struct {
	unwanted map[string]bool // ids of agents that are drained, or deactivated
	ending   map[string]bool // ids of agents whose tasks may be ended
}

// agentWritten tells of an agent's record that is durable.
func (w wishes) agentWritten(r *cluster.AgentRecord) {
	id := r.GetAgent().GetId().GetValue()
	if r.GetDrain() != nil || r.GetDeactivated() {
		w.unwanted[id] = true
	} else {
		delete(w.unwanted, id)
	}
	if r.GetDrain() != nil || r.GetStatus() == cluster.AgentRecord_GONE {
		w.ending[id] = true
	}
}

// order sends a request of an operator to the master that leads.
func (c *simulation) order(id string, action cluster.AgentRequest_Action, drain *mesos.DrainConfig) {
	if m := c.leader(); m != nil && !m.paused {
		m.step(state.Received{From: "operator@console:0", Message: &cluster.AgentRequest{
			AgentId: &mesos.AgentID{Value: &id}, Action: &action, Drain: drain,
		}})
	}
}

// faultOperator lets an operator want something of an agent.
func (c *simulation) faultOperator(words []string) error {
	a, err := c.agentNamed(words[1])
	if err != nil {
		return err
	}
	switch id := a.identity(); words[0] {
	case "gone":
		c.order(id, cluster.AgentRequest_MARK_GONE, nil)
	case "drain", "drain-away":
		c.order(id, cluster.AgentRequest_DRAIN, &mesos.DrainConfig{
			MaxGracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(5 * time.Second))}, MarkGone: proto.Bool(words[0] == "drain-away"),
		})
	case "deactivate":
		c.order(id, cluster.AgentRequest_DEACTIVATE, nil)
	case "reactivate":
		c.reactivate(id)
	case "reserve":
		c.reserve(a)
	default:
		return fmt.Errorf("%q is none of gone, drain, drain-away, deactivate, reactivate and reserve", words[0])
	}
	return nil
}

func (c *simulation) reactivate(id string) {
	c.order(id, cluster.AgentRequest_REACTIVATE, nil)
}

// reactivateAll lets operators want all agents back, until they are, and nothing
// else any more.
func (c *simulation) reactivateAll() {
	c.net.after(20*time.Second, func() {
		for _, a := range c.agents {
			if id := a.identity(); c.oracle.wishes.unwanted[id] {
				c.reactivate(id)
			}
		}
		c.relent()
		c.reactivateAll()
	})
}

// faultDisk lets an agent's disk be full, or fail, for a time.
func (c *simulation) faultDisk(words []string) error {
	a, err := c.agentNamed(words[0])
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"full", "fails"}, words[1]) {
		return fmt.Errorf("%q is none of full and fails", words[1])
	}
	d, err := time.ParseDuration(words[2])
	if err == nil {
		a.ails(words[1], d)
	}
	return err
}
