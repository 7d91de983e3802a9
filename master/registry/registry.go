package registry

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"troupe/messages/cluster"
)

// ErrConflict is wrapped by every refusal of an operation: the registry is
// unchanged and asking again cannot help.
var ErrConflict = errors.New("conflicts with the registry")

// shardCount divides the records so that a change copies few of them.
const shardCount = 1024

// Registry is an immutable set of agent records. The zero value is empty.
// Records are shared between values and must not be modified.
type Registry struct {
	shards *[shardCount]map[string]*cluster.AgentRecord
	size   int
}

// Change is one record that an operation made differ.
type Change struct {
	AgentID string
	// Nil when the record is gone.
	Record *cluster.AgentRecord
}

// New builds a registry of stored records. It fails for a record without an
// agent id, and for two with the same one.
func New(records []*cluster.AgentRecord) (Registry, error) {
	shards := new([shardCount]map[string]*cluster.AgentRecord)
	for i, r := range records {
		id := r.GetAgent().GetId().GetValue()
		if id == "" {
			return Registry{}, fmt.Errorf("registry record %d: agent.id is empty", i)
		}
		s := shardOf(id)
		if shards[s] == nil {
			shards[s] = make(map[string]*cluster.AgentRecord)
		}
		if _, twice := shards[s][id]; twice {
			return Registry{}, fmt.Errorf("registry record %d: agent.id %q occurs twice", i, id)
		}
		shards[s][id] = r
	}
	return Registry{shards: shards, size: len(records)}, nil
}

// Len is the number of records of any status.
func (r Registry) Len() int { return r.size }

// Get returns the record of an agent, nil when there is none.
func (r Registry) Get(agentID string) *cluster.AgentRecord {
	if r.shards == nil {
		return nil
	}
	return r.shards[shardOf(agentID)][agentID]
}

// All yields every record, ordered by agent id.
func (r Registry) All() iter.Seq[*cluster.AgentRecord] {
	return func(yield func(*cluster.AgentRecord) bool) {
		for _, id := range r.ids() {
			if !yield(r.Get(id)) {
				return
			}
		}
	}
}

func (r Registry) ids() []string {
	ids := make([]string, 0, r.size)
	if r.shards != nil {
		for _, shard := range r.shards {
			for id := range shard {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// with is r with the changes made.
func (r Registry) with(changes []Change) Registry {
	next := Registry{shards: new([shardCount]map[string]*cluster.AgentRecord), size: r.size}
	if r.shards != nil {
		*next.shards = *r.shards
	}
	var copied [shardCount]bool
	for _, c := range changes {
		s := shardOf(c.AgentID)
		if !copied[s] {
			next.shards[s] = copyShard(next.shards[s])
			copied[s] = true
		}
		_, had := next.shards[s][c.AgentID]
		switch {
		case c.Record == nil:
			delete(next.shards[s], c.AgentID)
			if had {
				next.size--
			}
		default:
			next.shards[s][c.AgentID] = c.Record
			if !had {
				next.size++
			}
		}
	}
	return next
}

func copyShard(m map[string]*cluster.AgentRecord) map[string]*cluster.AgentRecord {
	c := make(map[string]*cluster.AgentRecord, len(m)+1)
	for id, r := range m {
		c[id] = r
	}
	return c
}

// shardOf folds FNV-1a over the id.
func shardOf(id string) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return (h ^ h>>10 ^ h>>20) % shardCount
}
