package batches

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/election/ensemble"
	"troupe/messages/cluster"
)

const (
	// A log is long when it has more bytes than the records, and than
	// logBytes, or more segments than logSegments, which are read one by one.
	logBytes    = 4 << 20
	logSegments = 4096
	// writers is how many segments of a snapshot are written at once.
	writers = 4
	// deletions is how many znodes one transaction deletes.
	deletions = 256
	// attempts bounds how often a deletion is begun anew, each time without
	// what an earlier attempt deleted though its answer was lost.
	attempts = 100
)

// long tells whether the log should be replaced by a snapshot.
func (s *Log) long() bool {
	return s.logged > max(logBytes, s.state.bytes) || s.next-s.root.GetSnapshot() > logSegments
}

// snapshot is what a compaction writes.
type snapshot struct {
	number  uint64 // the first segment of the log that it has not in it
	logged  int64  // bytes of the log that it replaces
	records []*cluster.StoredRecord
}

// compact writes a snapshot, makes it count, and deletes what it replaces.
func (s *Log) compact(c snapshot) error {
	segments, err := split(c.records)
	if err != nil {
		return err
	}
	if err := s.writeSnapshot(c.number, segments); err != nil {
		return fmt.Errorf("write snapshot %d: %w", c.number, err)
	}
	if err := s.turn(c, len(segments)); err != nil {
		return fmt.Errorf("turn to snapshot %d: %w", c.number, err)
	}
	return s.sweep()
}

func (s *Log) writeSnapshot(snapshot uint64, segments []*cluster.RegistrySegment) error {
	create := func(znode string, data []byte) error {
		outcome, err := s.term.Commit(s.ctx, s.term.Create(znode, data))
		if outcome == ensemble.Conflicting {
			return s.landed(s.ctx, znode, data, err)
		}
		return err
	}
	if err := create(s.snapshotFolder(snapshot), nil); err != nil {
		return err
	}
	return parallel(writers, len(segments), func(i int) error {
		segment := segments[i]
		segment.ClusterId, segment.Number, segment.Snapshot = &s.owner, proto.Uint64(uint64(i)), &snapshot
		data, err := seal(segment)
		if err != nil {
			return err
		}
		return create(s.part(snapshot, uint64(i)), data)
	})
}

// turn makes a snapshot count.
func (s *Log) turn(c snapshot, parts int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := proto.CloneOf(s.root)
	next.Snapshot, next.Parts = &c.number, proto.Uint32(uint32(parts))
	if err := s.setRoot(s.ctx, next); err != nil {
		return err
	}
	s.logged -= c.logged
	return nil
}

// setRoot replaces the root.
func (s *Log) setRoot(ctx context.Context, next *cluster.RegistryRoot) error {
	data, err := seal(next)
	if err != nil {
		return err
	}
	outcome, err := s.term.Commit(ctx, s.term.Set(s.places.root, data, s.version))
	if outcome == ensemble.Conflicting {
		err = s.landed(ctx, s.places.root, data, err)
	}
	if err != nil {
		return err
	}
	s.root = next
	s.version++
	return nil
}

// sweep deletes what the root does not name: segments of the log that are in
// the snapshot, and other snapshots.
func (s *Log) sweep() error {
	s.mu.Lock()
	keep, parts := s.root.GetSnapshot(), s.root.GetParts()
	s.mu.Unlock()
	err := s.deleteChildren(s.log(), func(name string) bool {
		n, ok := number(name)
		return ok && n < keep
	})
	if err != nil {
		return err
	}
	names, err := s.term.Children(s.ctx, s.places.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		n, ok := snapshotNumber(name)
		if !ok || n == keep && parts > 0 {
			continue
		}
		if err := s.deleteChildren(s.snapshotFolder(n), func(string) bool { return true }); err != nil {
			return err
		}
	}
	return s.deleteChildren(s.places.root, func(name string) bool {
		n, ok := snapshotNumber(name)
		return ok && (n != keep || parts == 0)
	})
}

// deleteChildren deletes those children of a folder that are old.
func (s *Log) deleteChildren(folder string, old func(name string) bool) error {
	var last error
	for range attempts {
		names, err := s.term.Children(s.ctx, folder)
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !old(name) })
		if len(names) == 0 {
			return nil
		}
		outcome := ensemble.Done
		for chunk := range slices.Chunk(names, deletions) {
			var changes []ensemble.Change
			for _, name := range chunk {
				changes = append(changes, s.term.Delete(folder+"/"+name))
			}
			if outcome, last = s.term.Commit(s.ctx, changes...); outcome != ensemble.Done {
				break
			}
		}
		if outcome == ensemble.Failed {
			return last
		}
	}
	return fmt.Errorf("delete from %s: given up after %d attempts: %w", folder, attempts, last)
}
