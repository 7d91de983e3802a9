package registry

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// ErrConflict is wrapped by every refusal of an operation: the registry is
// unchanged and asking again cannot help.
var ErrConflict = errors.New("conflicts with the registry")

// The records are divided twice, so that a change copies few of them: a
// registry has branches, and a branch has shards.
const (
	branchCount = 32
	shardCount  = 32
)

type (
	trunk  = [branchCount]*branch
	branch = [shardCount]map[string]*cluster.RegistryRecord
)

// Registry is an immutable set of records, each under its key. The zero value
// is empty. Records are shared between values and must not be modified.
type Registry struct {
	branches *trunk // nil, as a branch may be, while there are none
	size     int
}

// Change is one record that an operation made differ.
type Change struct {
	// Kind and id, as KeyOf tells.
	Key string
	// Nil when the record is gone.
	Record *cluster.RegistryRecord
}

// New builds a registry of stored records. It fails for a record without an
// id, and for two with the same one.
func New(records []*cluster.RegistryRecord) (Registry, error) {
	g := growthOf(Registry{})
	for i, r := range records {
		key, err := KeyOf(r)
		if err != nil {
			return Registry{}, fmt.Errorf("registry record %d: %w", i, err)
		}
		shard := g.shard(key)
		if _, twice := shard[key]; twice {
			return Registry{}, fmt.Errorf("registry record %d: %q occurs twice", i, key)
		}
		shard[key] = r
	}
	return Registry{branches: g.trunk, size: len(records)}, nil
}

// Len is the number of records of any kind.
func (r Registry) Len() int { return r.size }

// Get returns the record under a key, nil when there is none.
func (r Registry) Get(key string) *cluster.RegistryRecord {
	if r.branches == nil {
		return nil
	}
	b, s := placeOf(key)
	if r.branches[b] == nil {
		return nil
	}
	return r.branches[b][s][key]
}

// Agent returns the record of an agent, nil when there is none.
func (r Registry) Agent(id string) *cluster.AgentRecord { return r.Get(AgentKey(id)).GetAgent() }

// Framework returns the record of a framework, nil when there is none.
func (r Registry) Framework(id string) *cluster.FrameworkRecord {
	return r.Get(FrameworkKey(id)).GetFramework()
}

// Quota returns the quota of a role, nil when it has none.
func (r Registry) Quota(role string) *cluster.QuotaRecord { return r.Get(QuotaKey(role)).GetQuota() }

// Weight returns the weight that was set for a role, nil when none was.
func (r Registry) Weight(role string) *mesos.WeightInfo { return r.Get(WeightKey(role)).GetWeight() }

// Reservation returns a standing reservation, nil when there is none.
func (r Registry) Reservation(id string) *cluster.StandingReservation {
	return r.Get(ReservationKey(id)).GetReservation()
}

// Machine returns a machine of the schedule by its very id, nil when there is
// none.
func (r Registry) Machine(id *mesos.MachineID) *cluster.MachineRecord {
	return r.Get(machineKeyOf(id)).GetMachine()
}

// All yields every record with its key, ordered by key.
func (r Registry) All() iter.Seq2[string, *cluster.RegistryRecord] { return r.under("") }

// Agents yields the record of every agent, ordered by id.
func (r Registry) Agents() iter.Seq[*cluster.AgentRecord] {
	return each(r, agentPrefix, (*cluster.RegistryRecord).GetAgent)
}

// Frameworks yields the record of every framework, ordered by id.
func (r Registry) Frameworks() iter.Seq[*cluster.FrameworkRecord] {
	return each(r, frameworkPrefix, (*cluster.RegistryRecord).GetFramework)
}

// Quotas yields every quota, ordered by role.
func (r Registry) Quotas() iter.Seq[*cluster.QuotaRecord] {
	return each(r, quotaPrefix, (*cluster.RegistryRecord).GetQuota)
}

// Reservations yields every standing reservation, ordered by id.
func (r Registry) Reservations() iter.Seq[*cluster.StandingReservation] {
	return each(r, standingPrefix, (*cluster.RegistryRecord).GetReservation)
}

// Weights yields every weight that was set, ordered by role.
func (r Registry) Weights() iter.Seq[*mesos.WeightInfo] {
	return each(r, weightPrefix, (*cluster.RegistryRecord).GetWeight)
}

// Machines yields every machine of the schedule, ordered by key.
func (r Registry) Machines() iter.Seq[*cluster.MachineRecord] {
	return each(r, machinePrefix, (*cluster.RegistryRecord).GetMachine)
}

// each yields what get takes out of the records of one kind.
func each[T any](r Registry, prefix string, get func(*cluster.RegistryRecord) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, rec := range r.under(prefix) {
			if !yield(get(rec)) {
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
	var keys []string
	for shard := range r.shards() {
		for key := range shard {
			if strings.HasPrefix(key, prefix) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

func (r Registry) shards() iter.Seq[map[string]*cluster.RegistryRecord] {
	return func(yield func(map[string]*cluster.RegistryRecord) bool) {
		if r.branches == nil {
			return
		}
		for _, b := range r.branches {
			if b == nil {
				continue
			}
			for _, shard := range b {
				if !yield(shard) {
					return
				}
			}
		}
	}
}

// with is r with the changes made.
func (r Registry) with(changes []Change) Registry {
	g, size := growthOf(r), r.size
	for _, c := range changes {
		shard := g.shard(c.Key)
		before := len(shard)
		if c.Record == nil {
			delete(shard, c.Key)
		} else {
			shard[c.Key] = c.Record
		}
		size += len(shard) - before
	}
	return Registry{branches: g.trunk, size: size}
}

// growth is a registry that is being made: it shares with the one it began
// with what it has not changed.
type growth struct {
	trunk  *trunk
	own    uint32              // branches, a bit each, that are its own
	shards [branchCount]uint32 // of each branch, the shards that are
}

func growthOf(r Registry) growth {
	g := growth{trunk: new(trunk)}
	if r.branches != nil {
		*g.trunk = *r.branches
	}
	return g
}

// shard is where a key's record is, to be changed.
func (g *growth) shard(key string) map[string]*cluster.RegistryRecord {
	b, s := placeOf(key)
	if g.own&(1<<b) == 0 {
		g.own |= 1 << b
		fresh := new(branch)
		if g.trunk[b] != nil {
			*fresh = *g.trunk[b]
		}
		g.trunk[b] = fresh
	}
	if g.shards[b]&(1<<s) == 0 {
		g.shards[b] |= 1 << s
		g.trunk[b][s] = copyShard(g.trunk[b][s])
	}
	return g.trunk[b][s]
}

func copyShard(m map[string]*cluster.RegistryRecord) map[string]*cluster.RegistryRecord {
	c := make(map[string]*cluster.RegistryRecord, len(m)+1)
	for key, r := range m {
		c[key] = r
	}
	return c
}

// placeOf folds FNV-1a over the key.
func placeOf(key string) (branch, shard uint32) {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	h = h ^ h>>10 ^ h>>20
	return h / shardCount % branchCount, h % shardCount
}
