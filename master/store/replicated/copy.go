package replicated

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// registryCopy is this master's copy of the registry: Raft gives it every
// committed entry, in order. It is the same on all masters after the same entry.
// What Load reads is complete once the reader's own takeover is in it.
type registryCopy struct {
	// changed is told, with no lock held, of what others wait for.
	changed func()
	// founded is told, with the lock held, which cluster this is.
	founded func(clusterID string)
	// broken is told of an entry that cannot be applied: this copy is no good.
	broken func(error)

	mu      sync.Mutex
	cluster string
	term    uint64 // of the last takeover
	replica string // that took over
	leader  *mesos.MasterInfo
	records map[string][]byte // in their stored form, never modified
	bytes   int64             // of keys and records
	waiting []byte            // the parts of a batch whose last part is not there yet
	parts   uint32            // of waiting
}

// applied is what Raft's Apply gives the writer of an entry.
type applied struct {
	term uint64 // of the entry
	err  error
}

// Apply implements raft.FSM.
func (r *registryCopy) Apply(l *raft.Log) any {
	e, err := decodeEntry(l.Data)
	if err != nil {
		err = fmt.Errorf("entry %d of the log: %w", l.Index, err)
		r.broken(err)
		return applied{l.Term, err}
	}
	err = r.apply(l.Term, e)
	r.changed()
	return applied{l.Term, err}
}

// apply makes what an entry says. It refuses, on every master alike, what was
// not written by the leader of the entry's term.
func (r *registryCopy) apply(term uint64, e *cluster.RegistryEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := e.GetTakeover(); t != nil {
		r.term, r.replica, r.leader = term, t.GetReplica(), t.GetLeader()
		r.waiting, r.parts = nil, 0
		return nil
	}
	if e.GetTerm() != term || r.term != term {
		return fmt.Errorf("%w: it led term %d, and this is term %d", ErrLost, e.GetTerm(), term)
	}
	if f := e.GetFounding(); f != nil {
		if r.cluster == "" {
			r.cluster = f.GetClusterId()
			r.founded(r.cluster)
		}
		return nil
	}
	return r.change(e.GetPart())
}

// change takes one part of a batch, and makes the batch with its last.
func (r *registryCopy) change(part *cluster.RegistryEntry_Part) error {
	waiting, parts := r.waiting, r.parts
	r.waiting, r.parts = nil, 0
	if part.GetBefore() != parts {
		return fmt.Errorf("part %d of a batch came where part %d belongs", part.GetBefore(), parts)
	}
	waiting = append(waiting, part.GetData()...)
	if len(waiting) > maxBatch {
		return fmt.Errorf("a batch has over %d bytes", maxBatch)
	}
	if !part.GetLast() {
		r.waiting, r.parts = waiting, parts+1
		return nil
	}
	records, err := decodeBatch(waiting)
	for _, c := range records {
		r.set(c)
	}
	return err
}

func (r *registryCopy) set(c *cluster.StoredRecord) {
	key := c.GetKey()
	if had, ok := r.records[key]; ok {
		r.bytes -= int64(len(key) + len(had))
		delete(r.records, key)
	}
	if c.Record != nil {
		if r.records == nil {
			r.records = make(map[string][]byte)
		}
		r.records[key] = c.GetRecord()
		r.bytes += int64(len(key) + len(c.GetRecord()))
	}
}

// clusterID is empty until the first leader founded the cluster.
func (r *registryCopy) clusterID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cluster
}

// leadership is the last takeover: the term, who, and what is told of it.
func (r *registryCopy) leadership() (term uint64, replica string, leader *mesos.MasterInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.term, r.replica, r.leader
}

func (r *registryCopy) size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// stored returns every record, ordered by key.
func (r *registryCopy) stored() []*cluster.StoredRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sortedRecords(r.records)
}

func sortedRecords(records map[string][]byte) []*cluster.StoredRecord {
	all := make([]*cluster.StoredRecord, 0, len(records))
	for _, key := range slices.Sorted(maps.Keys(records)) {
		all = append(all, &cluster.StoredRecord{Key: proto.String(key), Record: records[key]})
	}
	return all
}

// Snapshot implements raft.FSM: the records are shared, the map is copied.
func (r *registryCopy) Snapshot() (raft.FSMSnapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &snapshot{head: r.head(), records: maps.Clone(r.records)}, nil
}

func (r *registryCopy) head() *cluster.RegistrySnapshot {
	return &cluster.RegistrySnapshot{
		Format: proto.Uint32(format), Records: proto.Uint64(uint64(len(r.records))),
		ClusterId: proto.String(r.cluster), Term: proto.Uint64(r.term), Replica: proto.String(r.replica),
		Leader: r.leader, WaitingParts: proto.Uint32(r.parts), Waiting: slices.Clone(r.waiting),
	}
}

// Restore implements raft.FSM: the copy becomes what the snapshot has.
func (r *registryCopy) Restore(from io.ReadCloser) error {
	s, err := readSnapshot(from)
	if err := errors.Join(err, from.Close()); err != nil {
		return err
	}
	r.mu.Lock()
	r.cluster, r.term, r.replica = s.head.GetClusterId(), s.head.GetTerm(), s.head.GetReplica()
	r.leader, r.waiting, r.parts = s.head.GetLeader(), s.head.GetWaiting(), s.head.GetWaitingParts()
	r.records, r.bytes = s.records, 0
	for key, record := range s.records {
		r.bytes += int64(len(key) + len(record))
	}
	if r.cluster != "" {
		r.founded(r.cluster)
	}
	r.mu.Unlock()
	r.changed()
	return nil
}
