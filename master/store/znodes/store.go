package znodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/registry"
	"troupe/messages/cluster"
)

// Store is the registry of one term; see election.Registry.
type Store struct {
	places
	term   *zookeeper.Term
	size   atomic.Int64
	cancel context.CancelFunc
	work   sync.WaitGroup // what goes on beside writes
	ctx    context.Context

	mu      sync.Mutex
	root    *cluster.RegistryRoot
	version int32 // of the root
	state   state
	next    uint64 // segment of the log
	logged  int64  // bytes in the log
	tidying bool
	failed  error
}

var _ election.Registry = (*Store)(nil)

// ClusterID is the cluster's id.
func (s *Store) ClusterID() string { return s.clusterID }

// Size is how many bytes the records have, in the snapshot and in the log.
func (s *Store) Size() int64 { return s.size.Load() }

// Load returns every record, ordered by key.
func (s *Store) Load(context.Context) ([]*cluster.RegistryRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := make([]*cluster.RegistryRecord, 0, len(s.state.records))
	for _, r := range s.state.all() {
		decoded, err := record(r.GetKey(), r.GetRecord())
		if err != nil {
			return nil, fmt.Errorf("load registry: %w", refused(s.places.root, err))
		}
		records = append(records, decoded)
	}
	return records, nil
}

// Write makes changes durable, all of them or none, if this term still leads.
// After an error every later Write fails.
func (s *Store) Write(ctx context.Context, changes []registry.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = s.write(ctx, changes)
	}
	if s.failed != nil {
		return fmt.Errorf("write registry %s: %w", s.term.Place()+"/registry", s.failed)
	}
	return nil
}

func (s *Store) write(ctx context.Context, changes []registry.Change) error {
	records, err := stored(changes)
	if err != nil {
		return err
	}
	segments, err := split(records)
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if err := s.append(ctx, segment); err != nil {
			return err
		}
	}
	s.state.apply(records)
	s.measure()
	if s.long() && !s.tidying {
		s.tidying = true
		all := snapshot{s.next, s.logged, s.state.all()}
		s.background(func() error { return s.compact(all) })
	}
	return nil
}

// append writes the next segment of the log.
func (s *Store) append(ctx context.Context, segment *cluster.RegistrySegment) error {
	segment.ClusterId, segment.Number = &s.clusterID, proto.Uint64(s.next)
	data, err := seal(segment)
	if err != nil {
		return err
	}
	znode := s.entry(s.next)
	outcome, err := s.term.Commit(ctx, s.term.Check(s.places.root, s.version), s.term.Create(znode, data))
	if outcome == zookeeper.Conflicting {
		err = s.landed(ctx, znode, data, err)
	}
	if err != nil {
		return err
	}
	s.next++
	s.logged += int64(len(data))
	return nil
}

// landed tells whether a conflict is with an earlier attempt of the very same,
// whose answer was lost.
func (s *Store) landed(ctx context.Context, znode string, data []byte, conflict error) error {
	there, err := s.term.Get(ctx, znode)
	switch {
	case err != nil:
		return errors.Join(conflict, err)
	case there == nil || !bytes.Equal(there.Data, data):
		return fmt.Errorf("%w: somebody else writes there", conflict)
	}
	return nil
}

// background does what takes long; an error fails the next Write.
func (s *Store) background(work func() error) {
	s.work.Go(func() {
		err := work()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tidying = false
		if err != nil && s.failed == nil && s.ctx.Err() == nil {
			s.failed = err
		}
		s.measure()
	})
}

func (s *Store) measure() { s.size.Store(s.state.bytes + s.logged) }

// Close ends what goes on beside writes. The term lasts.
func (s *Store) Close() error {
	s.cancel()
	s.work.Wait()
	return nil
}
