package znodes

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/registry"
	"troupe/master/store/batches"
	"troupe/messages/cluster"
)

// ErrForeign is wrapped by the errors about znodes that hold something else
// than this cluster's registry, or a registry that is damaged.
var ErrForeign = errors.New("not a registry that can be read")

var kind = batches.Kind{
	Foreign: ErrForeign,
	Noun:    "registry",
	Owner:   "cluster",
	Self:    "this master",
	Restore: "restore ZooKeeper's data, or give another path in --zk to begin a new cluster",
	Mine:    "give that cluster's path in --zk, or this one's folder in --work_dir",
	Gone:    "restore ZooKeeper's data, or give the path in --zk that it had, or an empty --work_dir to begin a new cluster",
}

// Store is the registry of one term; see election.Registry.
type Store struct {
	log   *batches.Log
	place string
}

var _ election.Registry = (*Store)(nil)

// Open opens the registry of a term's path, and makes one where there is none.
// It fails, with an error that says what to do, for what is damaged, is of
// another cluster or was written by a later version. It is a zookeeper.Opener.
func Open(ctx context.Context, term *zookeeper.Term, o election.Opening) (election.Registry, error) {
	place := term.Place() + "/registry"
	log, err := batches.Open(ctx, term.Term, term.Path()+"/registry", kind, batches.Opening{New: o.NewCluster, Expect: o.Expect})
	if err != nil {
		return nil, fmt.Errorf("open registry %s: %w", place, err)
	}
	return &Store{log: log, place: place}, nil
}

// ClusterID is the cluster's id.
func (s *Store) ClusterID() string { return s.log.Owner() }

// Size is how many bytes the records have, in the snapshot and in the log.
func (s *Store) Size() int64 { return s.log.Size() }

// Load returns every record, ordered by key.
func (s *Store) Load(context.Context) ([]*cluster.RegistryRecord, error) {
	stored := s.log.Records()
	records := make([]*cluster.RegistryRecord, 0, len(stored))
	for _, r := range stored {
		decoded, err := record(r)
		if err != nil {
			return nil, fmt.Errorf("load registry: %w", s.log.Refused(fmt.Errorf("record %q: %w", r.Key, err)))
		}
		records = append(records, decoded)
	}
	return records, nil
}

// record reads a stored record back.
func record(stored batches.Record) (*cluster.RegistryRecord, error) {
	r := new(cluster.RegistryRecord)
	if err := proto.Unmarshal(stored.Data, r); err != nil {
		return nil, err
	}
	got, err := registry.KeyOf(r)
	if err != nil {
		return nil, err
	}
	if got != stored.Key {
		return nil, fmt.Errorf("it is %q", got)
	}
	return r, nil
}

// Write makes changes durable, all of them or none, if this term still leads.
// Once ZooKeeper has failed one, every later one fails.
func (s *Store) Write(ctx context.Context, changes []registry.Change) error {
	records := make([]batches.Record, 0, len(changes))
	for _, c := range changes {
		r := batches.Record{Key: c.Key}
		if c.Record != nil {
			data, err := proto.Marshal(c.Record)
			if err != nil {
				return fmt.Errorf("write registry %s: record %q: %w", s.place, c.Key, err)
			}
			r.Data = data
		}
		records = append(records, r)
	}
	if err := s.log.Write(ctx, records); err != nil {
		return fmt.Errorf("write registry %s: %w", s.place, err)
	}
	return nil
}

// Close ends what goes on beside writes. The term lasts.
func (s *Store) Close() error { return s.log.Close() }
