package registry

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"troupe/messages/cluster"
)

// ErrConflict is wrapped by every refusal of an operation: the registry is
// unchanged and asking again cannot help.
var ErrConflict = errors.New("conflicts with the registry")

// shardCount divides the records so that a change copies few of them.
const shardCount = 1024

// Registry is an immutable set of records, each under its key. The zero value
// is empty. Records are shared between values and must not be modified.
type Registry struct {
	shards *[shardCount]map[string]*cluster.RegistryRecord
	size   int
}

// Change is one record that an operation made differ.
type Change struct {
	// Kind and id: agent/ID, framework/ID.
	Key string
	// Nil when the record is gone.
	Record *cluster.RegistryRecord
}

// New builds a registry of stored records. It fails for a record without an
// id, and for two with the same one.
func New(records []*cluster.RegistryRecord) (Registry, error) {
	shards := new([shardCount]map[string]*cluster.RegistryRecord)
	for i, r := range records {
		key, err := KeyOf(r)
		if err != nil {
			return Registry{}, fmt.Errorf("registry record %d: %w", i, err)
		}
		s := shardOf(key)
		if shards[s] == nil {
			shards[s] = make(map[string]*cluster.RegistryRecord)
		}
		if _, twice := shards[s][key]; twice {
			return Registry{}, fmt.Errorf("registry record %d: %q occurs twice", i, key)
		}
		shards[s][key] = r
	}
	return Registry{shards: shards, size: len(records)}, nil
}

// Len is the number of records of any kind.
func (r Registry) Len() int { return r.size }

// Get returns the record under a key, nil when there is none.
func (r Registry) Get(key string) *cluster.RegistryRecord {
	if r.shards == nil {
		return nil
	}
	return r.shards[shardOf(key)][key]
}

// Agent returns the record of an agent, nil when there is none.
func (r Registry) Agent(id string) *cluster.AgentRecord { return r.Get(AgentKey(id)).GetAgent() }

// Framework returns the record of a framework, nil when there is none.
func (r Registry) Framework(id string) *cluster.FrameworkRecord {
	return r.Get(FrameworkKey(id)).GetFramework()
}

// All yields every record with its key, ordered by key.
func (r Registry) All() iter.Seq2[string, *cluster.RegistryRecord] { return r.under("") }

// Agents yields the record of every agent, ordered by id.
func (r Registry) Agents() iter.Seq[*cluster.AgentRecord] {
	return func(yield func(*cluster.AgentRecord) bool) {
		for _, rec := range r.under(agentPrefix) {
			if !yield(rec.GetAgent()) {
				return
			}
		}
	}
}

// Frameworks yields the record of every framework, ordered by id.
func (r Registry) Frameworks() iter.Seq[*cluster.FrameworkRecord] {
	return func(yield func(*cluster.FrameworkRecord) bool) {
		for _, rec := range r.under(frameworkPrefix) {
			if !yield(rec.GetFramework()) {
				return
			}
		}
	}
}

func (r Registry) under(prefix string) iter.Seq2[string, *cluster.RegistryRecord] {
	return func(yield func(string, *cluster.RegistryRecord) bool) {
		for _, key := range r.keys(prefix) {
			if !yield(key, r.Get(key)) {
				return
			}
		}
	}
}

func (r Registry) keys(prefix string) []string {
	keys := make([]string, 0, r.size)
	if r.shards != nil {
		for _, shard := range r.shards {
			for key := range shard {
				if strings.HasPrefix(key, prefix) {
					keys = append(keys, key)
				}
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// with is r with the changes made.
func (r Registry) with(changes []Change) Registry {
	next := Registry{shards: new([shardCount]map[string]*cluster.RegistryRecord), size: r.size}
	if r.shards != nil {
		*next.shards = *r.shards
	}
	var copied [shardCount]bool
	for _, c := range changes {
		s := shardOf(c.Key)
		if !copied[s] {
			next.shards[s] = copyShard(next.shards[s])
			copied[s] = true
		}
		_, had := next.shards[s][c.Key]
		switch {
		case c.Record == nil:
			delete(next.shards[s], c.Key)
			if had {
				next.size--
			}
		default:
			next.shards[s][c.Key] = c.Record
			if !had {
				next.size++
			}
		}
	}
	return next
}

func copyShard(m map[string]*cluster.RegistryRecord) map[string]*cluster.RegistryRecord {
	c := make(map[string]*cluster.RegistryRecord, len(m)+1)
	for key, r := range m {
		c[key] = r
	}
	return c
}

// shardOf folds FNV-1a over the key.
func shardOf(key string) uint32 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return (h ^ h>>10 ^ h>>20) % shardCount
}
