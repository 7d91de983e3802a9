package registry

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Operation is one of the named changes below; the list is closed.
type Operation interface {
	// changes says what the operation makes differ in r: nothing when r
	// already is as wanted, an error that wraps ErrConflict when r forbids it.
	changes(r Registry) ([]Change, error)
}

// Apply performs one operation. On an error the registry is returned as it
// was. An operation that finds its work done returns no changes.
func Apply(r Registry, op Operation) (Registry, []Change, error) {
	changes, err := op.changes(r)
	if err != nil || len(changes) == 0 {
		return r, nil, err
	}
	return r.with(changes), changes, nil
}

// AdmitAgent adds an agent that was unknown. Admitting the same agent again
// replaces its info; one that is unreachable or gone is refused.
type AdmitAgent struct {
	Agent *mesos.AgentInfo
	At    time.Time
}

func (o AdmitAgent) changes(r Registry) ([]Change, error) {
	id := o.Agent.GetId().GetValue()
	if id == "" {
		return nil, fmt.Errorf("admit agent: agent.id is empty: %w", ErrConflict)
	}
	have := r.Get(id)
	if have != nil && have.GetStatus() != cluster.AgentRecord_ADMITTED {
		return nil, fmt.Errorf("admit agent %q: it is %s: %w", id, have.GetStatus(), ErrConflict)
	}
	return admitted(have, id, o.Agent, o.At), nil
}

// MarkUnreachable moves an admitted agent to the unreachable ones.
type MarkUnreachable struct {
	AgentID string
	At      time.Time
}

func (o MarkUnreachable) changes(r Registry) ([]Change, error) {
	have := r.Get(o.AgentID)
	switch {
	case have == nil:
		return nil, fmt.Errorf("mark agent %q unreachable: it is not admitted: %w", o.AgentID, ErrConflict)
	case have.GetStatus() == cluster.AgentRecord_GONE:
		return nil, fmt.Errorf("mark agent %q unreachable: it is gone: %w", o.AgentID, ErrConflict)
	case have.GetStatus() == cluster.AgentRecord_UNREACHABLE:
		return nil, nil
	}
	return one(o.AgentID, have.GetAgent(), cluster.AgentRecord_UNREACHABLE, o.At), nil
}

// MarkReachable admits an agent that came back, also one that the registry no
// longer knows. One that is gone is refused.
type MarkReachable struct {
	Agent *mesos.AgentInfo
	At    time.Time
}

func (o MarkReachable) changes(r Registry) ([]Change, error) {
	id := o.Agent.GetId().GetValue()
	if id == "" {
		return nil, fmt.Errorf("mark agent reachable: agent.id is empty: %w", ErrConflict)
	}
	have := r.Get(id)
	if have != nil && have.GetStatus() == cluster.AgentRecord_GONE {
		return nil, fmt.Errorf("mark agent %q reachable: it is gone: %w", id, ErrConflict)
	}
	return admitted(have, id, o.Agent, o.At), nil
}

// MarkGone ends an agent for good: nothing with its id is admitted again.
type MarkGone struct {
	AgentID string
	At      time.Time
}

func (o MarkGone) changes(r Registry) ([]Change, error) {
	have := r.Get(o.AgentID)
	if have == nil {
		return nil, fmt.Errorf("mark agent %q gone: it is unknown: %w", o.AgentID, ErrConflict)
	}
	if have.GetStatus() == cluster.AgentRecord_GONE {
		return nil, nil
	}
	return one(o.AgentID, have.GetAgent(), cluster.AgentRecord_GONE, o.At), nil
}

// RemoveAgent forgets an admitted agent that left in order. Records of the
// unreachable and the gone stay until Prune.
type RemoveAgent struct {
	AgentID string
}

func (o RemoveAgent) changes(r Registry) ([]Change, error) {
	have := r.Get(o.AgentID)
	if have == nil || have.GetStatus() != cluster.AgentRecord_ADMITTED {
		return nil, nil
	}
	return []Change{{AgentID: o.AgentID}}, nil
}

// Prune forgets unreachable and gone agents: those older than Before, and the
// oldest of each status beyond Keep.
type Prune struct {
	Before time.Time
	// Per status; negative is taken for 0.
	Keep int
}

func (o Prune) changes(r Registry) ([]Change, error) {
	var changes []Change
	for _, status := range []cluster.AgentRecord_Status{cluster.AgentRecord_UNREACHABLE, cluster.AgentRecord_GONE} {
		var records []*cluster.AgentRecord
		for rec := range r.All() {
			if rec.GetStatus() == status {
				records = append(records, rec)
			}
		}
		slices.SortStableFunc(records, func(a, b *cluster.AgentRecord) int {
			return cmp.Compare(a.GetSince().GetNanoseconds(), b.GetSince().GetNanoseconds())
		})
		surplus := len(records) - max(o.Keep, 0)
		for i, rec := range records {
			if i < surplus || rec.GetSince().GetNanoseconds() < o.Before.UnixNano() {
				changes = append(changes, Change{AgentID: rec.GetAgent().GetId().GetValue()})
			}
		}
	}
	return changes, nil
}

func admitted(have *cluster.AgentRecord, id string, agent *mesos.AgentInfo, at time.Time) []Change {
	if have != nil && have.GetStatus() == cluster.AgentRecord_ADMITTED && proto.Equal(have.GetAgent(), agent) {
		return nil
	}
	return one(id, agent, cluster.AgentRecord_ADMITTED, at)
}

func one(id string, agent *mesos.AgentInfo, s cluster.AgentRecord_Status, at time.Time) []Change {
	return []Change{{AgentID: id, Record: &cluster.AgentRecord{
		Agent:  agent,
		Status: s.Enum(),
		Since:  &mesos.TimeInfo{Nanoseconds: proto.Int64(at.UnixNano())},
	}}}
}
