package registry

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// DrainAgent begins to drain an agent, which deactivates it; for one that is
// being drained, it replaces the way.
type DrainAgent struct {
	AgentID string
	Config  *mesos.DrainConfig
	At      time.Time
}

func (o DrainAgent) changes(r Registry) ([]Change, error) {
	have, err := operable(r, o.AgentID, "drain")
	if err != nil {
		return nil, err
	}
	if have.GetDrain().GetState() == mesos.DrainState_DRAINING && proto.Equal(have.GetDrain().GetConfig(), o.Config) {
		return nil, nil
	}
	next := shallow(have)
	next.Deactivated = proto.Bool(true)
	next.Drain = &mesos.DrainInfo{State: mesos.DrainState_DRAINING.Enum(), Config: o.Config}
	if have.GetDrain().GetState() != mesos.DrainState_DRAINING {
		next.DrainSince = timeInfo(o.At)
	}
	return []Change{agentChange(next)}, nil
}

// MarkDrained says that nothing runs any more on an agent that is being
// drained. For any other agent it does nothing: an operator changed its mind.
type MarkDrained struct {
	AgentID string
}

func (o MarkDrained) changes(r Registry) ([]Change, error) {
	have := r.Agent(o.AgentID)
	if have.GetDrain().GetState() != mesos.DrainState_DRAINING {
		return nil, nil
	}
	next := shallow(have)
	next.Drain = &mesos.DrainInfo{State: mesos.DrainState_DRAINED.Enum(), Config: have.GetDrain().GetConfig()}
	return []Change{agentChange(next)}, nil
}

// DeactivateAgent keeps an agent from being offered.
type DeactivateAgent struct {
	AgentID string
}

func (o DeactivateAgent) changes(r Registry) ([]Change, error) {
	have, err := operable(r, o.AgentID, "deactivate")
	if err != nil || have.GetDeactivated() {
		return nil, err
	}
	next := shallow(have)
	next.Deactivated = proto.Bool(true)
	return []Change{agentChange(next)}, nil
}

// ReactivateAgent ends that an agent is deactivated or drained. One that is
// still being drained is refused.
type ReactivateAgent struct {
	AgentID string
}

func (o ReactivateAgent) changes(r Registry) ([]Change, error) {
	have, err := operable(r, o.AgentID, "reactivate")
	switch {
	case err != nil || !have.GetDeactivated() && have.GetDrain() == nil:
		return nil, err
	case have.GetDrain().GetState() == mesos.DrainState_DRAINING:
		return nil, fmt.Errorf("reactivate agent %q: it is still being drained: %w", o.AgentID, ErrConflict)
	}
	next := shallow(have)
	next.Deactivated, next.Drain, next.DrainSince = nil, nil, nil
	return []Change{agentChange(next)}, nil
}

// operable returns the record of an agent that an operator may still change.
func operable(r Registry, id, what string) (*cluster.AgentRecord, error) {
	have := r.Agent(id)
	switch {
	case have == nil:
		return nil, fmt.Errorf("%s agent %q: it is unknown: %w", what, id, ErrConflict)
	case have.GetStatus() == cluster.AgentRecord_GONE:
		return nil, fmt.Errorf("%s agent %q: it is gone: %w", what, id, ErrConflict)
	}
	return have, nil
}
