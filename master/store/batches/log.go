package batches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"troupe/master/election/ensemble"
	"troupe/messages/cluster"
)

// Log is the records of one term. Its methods may be called from any goroutine.
type Log struct {
	places
	term   *ensemble.Term
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

// Owner is what the records belong to since they were begun.
func (s *Log) Owner() string { return s.owner }

// Size is how many bytes the records have, in the snapshot and in the log.
func (s *Log) Size() int64 { return s.size.Load() }

// Records returns every record, ordered by key. The data are not to be changed.
func (s *Log) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := make([]Record, 0, len(s.state.records))
	for _, r := range s.state.all() {
		records = append(records, Record{r.GetKey(), r.GetRecord()})
	}
	return records
}

// Refused says what to do about records that make no sense.
func (s *Log) Refused(cause error) error { return s.kind.Refused(s.places.root, cause) }

// Write makes changes durable, in their order, all of them or none, if this term
// still leads. After an error every later Write fails. The data are not to be
// changed any more.
func (s *Log) Write(ctx context.Context, changes []Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = s.write(ctx, stored(changes))
	}
	return s.failed
}

func (s *Log) write(ctx context.Context, records []*cluster.StoredRecord) error {
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
func (s *Log) append(ctx context.Context, segment *cluster.RegistrySegment) error {
	segment.ClusterId, segment.Number = &s.owner, proto.Uint64(s.next)
	data, err := seal(segment)
	if err != nil {
		return err
	}
	znode := s.entry(s.next)
	outcome, err := s.term.Commit(ctx, s.term.Check(s.places.root, s.version), s.term.Create(znode, data))
	if outcome == ensemble.Conflicting {
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
func (s *Log) landed(ctx context.Context, znode string, data []byte, conflict error) error {
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
func (s *Log) background(work func() error) {
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

func (s *Log) measure() { s.size.Store(s.state.bytes + s.logged) }

// Close ends what goes on beside writes. The term lasts.
func (s *Log) Close() error {
	s.cancel()
	s.work.Wait()
	return nil
}
