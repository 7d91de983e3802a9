package registry

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// AdmitAgent adds an agent that was unknown. Admitting the same agent again
// replaces its info; one that is unreachable or gone is refused.
type AdmitAgent struct {
	Agent *mesos.AgentInfo
	At    time.Time
}

func (o AdmitAgent) changes(r Registry) ([]Change, error) {
	return admit(r, o.Agent, o.At, cluster.AgentRecord_UNREACHABLE, cluster.AgentRecord_GONE)
}

// MarkUnreachable moves an admitted agent to the unreachable ones.
type MarkUnreachable struct {
	AgentID string
	At      time.Time
}

func (o MarkUnreachable) changes(r Registry) ([]Change, error) {
	have := r.Agent(o.AgentID)
	switch {
	case have == nil:
		return nil, fmt.Errorf("mark agent %q unreachable: it is not admitted: %w", o.AgentID, ErrConflict)
	case have.GetStatus() == cluster.AgentRecord_GONE:
		return nil, fmt.Errorf("mark agent %q unreachable: it is gone: %w", o.AgentID, ErrConflict)
	case have.GetStatus() == cluster.AgentRecord_UNREACHABLE:
		return nil, nil
	}
	return turned(have, cluster.AgentRecord_UNREACHABLE, o.At), nil
}

// MarkReachable admits an agent that came back, also one that the registry no
// longer knows. One that is gone is refused.
type MarkReachable struct {
	Agent *mesos.AgentInfo
	At    time.Time
}

func (o MarkReachable) changes(r Registry) ([]Change, error) {
	return admit(r, o.Agent, o.At, cluster.AgentRecord_GONE)
}

// MarkGone ends an agent for good: nothing with its id is admitted again.
type MarkGone struct {
	AgentID string
	At      time.Time
}

func (o MarkGone) changes(r Registry) ([]Change, error) {
	have := r.Agent(o.AgentID)
	if have == nil {
		return nil, fmt.Errorf("mark agent %q gone: it is unknown: %w", o.AgentID, ErrConflict)
	}
	if have.GetStatus() == cluster.AgentRecord_GONE {
		return nil, nil
	}
	return []Change{agentChange(&cluster.AgentRecord{
		Agent: have.GetAgent(), Status: cluster.AgentRecord_GONE.Enum(), Since: timeInfo(o.At),
	})}, nil
}

// RemoveAgent forgets an admitted agent that left in order. Records of the
// unreachable and the gone stay until Prune.
type RemoveAgent struct {
	AgentID string
}

func (o RemoveAgent) changes(r Registry) ([]Change, error) {
	have := r.Agent(o.AgentID)
	if have == nil || have.GetStatus() != cluster.AgentRecord_ADMITTED {
		return nil, nil
	}
	return []Change{{Key: AgentKey(o.AgentID)}}, nil
}

// admit makes an agent admitted as info says, unless it is known as one of the
// barred. What an operator wants of it stays.
func admit(r Registry, info *mesos.AgentInfo, at time.Time, barred ...cluster.AgentRecord_Status) ([]Change, error) {
	id := info.GetId().GetValue()
	if id == "" {
		return nil, fmt.Errorf("admit agent: agent.id is empty: %w", ErrConflict)
	}
	have := r.Agent(id)
	if have == nil {
		return []Change{{Key: AgentKey(id), Record: AgentRecord(&cluster.AgentRecord{
			Agent: info, Status: cluster.AgentRecord_ADMITTED.Enum(), Since: timeInfo(at),
		})}}, nil
	}
	if slices.Contains(barred, have.GetStatus()) {
		return nil, fmt.Errorf("admit agent %q: it is %s: %w", id, have.GetStatus(), ErrConflict)
	}
	if have.GetStatus() == cluster.AgentRecord_ADMITTED && proto.Equal(have.GetAgent(), info) {
		return nil, nil
	}
	next := shallow(have)
	next.Agent, next.Status, next.Since = info, cluster.AgentRecord_ADMITTED.Enum(), timeInfo(at)
	return []Change{agentChange(next)}, nil
}

func turned(have *cluster.AgentRecord, s cluster.AgentRecord_Status, at time.Time) []Change {
	next := shallow(have)
	next.Status, next.Since = s.Enum(), timeInfo(at)
	return []Change{agentChange(next)}
}

// shallow is a record of its own that shares the parts of have.
func shallow(have *cluster.AgentRecord) *cluster.AgentRecord {
	return &cluster.AgentRecord{
		Agent: have.Agent, Status: have.Status, Since: have.Since,
		Deactivated: have.Deactivated, Drain: have.Drain, DrainSince: have.DrainSince,
	}
}

func agentChange(r *cluster.AgentRecord) Change {
	return Change{Key: AgentKey(r.GetAgent().GetId().GetValue()), Record: AgentRecord(r)}
}

func timeInfo(at time.Time) *mesos.TimeInfo {
	return &mesos.TimeInfo{Nanoseconds: proto.Int64(at.UnixNano())}
}
