package batches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/master/election/ensemble"
	"troupe/messages/cluster"
)

// readers is how many segments are read at once.
const readers = 16

// Open opens the records of a znode for a term, and begins them where there are
// none. It fails, with an error that says what to do, for what is damaged, is of
// another owner or was written by a later version.
func Open(ctx context.Context, term *ensemble.Term, root string, kind Kind, o Opening) (*Log, error) {
	background, cancel := context.WithCancel(context.Background())
	s := &Log{
		places: places{root: root, kind: kind}, term: term, state: newState(), ctx: background, cancel: cancel,
	}
	if err := s.open(ctx, o); err != nil {
		cancel()
		return nil, err
	}
	s.tidying = true
	s.background(s.sweep)
	return s, nil
}

func (s *Log) open(ctx context.Context, o Opening) error {
	there, err := s.term.Get(ctx, s.places.root)
	if err != nil {
		return err
	}
	if there == nil {
		if there, err = s.create(ctx, o); err != nil {
			return err
		}
	}
	root := new(cluster.RegistryRoot)
	if err := unseal(there.Data, root); err != nil {
		return s.kind.Refused(s.places.root, err)
	}
	if root.GetFormat() != Format {
		return fmt.Errorf("znode %s: format: %d: this version reads %d: use the version that wrote it", s.places.root, root.GetFormat(), Format)
	}
	if o.Expect != "" && root.GetClusterId() != o.Expect {
		return fmt.Errorf("znode %s: cluster_id: %q: %s belongs to %s %q: %s", s.places.root, root.GetClusterId(), s.kind.Self, s.kind.Owner, o.Expect, s.kind.Mine)
	}
	s.owner, s.root, s.version = root.GetClusterId(), root, there.Version
	// What comes from an earlier term and is still under way fails from here on,
	// by the root's version, though its znode might be there again.
	next := proto.CloneOf(root)
	next.Terms = proto.Uint64(root.GetTerms() + 1)
	if err := s.setRoot(ctx, next); err != nil {
		return err
	}
	if err := s.readSnapshot(ctx); err != nil {
		return err
	}
	if err := s.readLog(ctx); err != nil {
		return err
	}
	s.measure()
	return nil
}

// create begins with no record.
func (s *Log) create(ctx context.Context, o Opening) (*ensemble.Znode, error) {
	switch {
	case o.Expect != "" && o.Expect != o.New:
		return nil, fmt.Errorf("znode %s: it is not there, and %s belongs to %s %q, which has a %s: %s",
			s.places.root, s.kind.Self, s.kind.Owner, o.Expect, s.kind.Noun, s.kind.Gone)
	case o.New == "":
		return nil, fmt.Errorf("a new %s needs the id of its %s", s.kind.Noun, s.kind.Owner)
	}
	data, err := seal(&cluster.RegistryRoot{
		ClusterId: &o.New, Format: proto.Uint32(Format), Snapshot: proto.Uint64(0), Parts: proto.Uint32(0), Terms: proto.Uint64(0),
	})
	if err != nil {
		return nil, err
	}
	outcome, err := s.term.Commit(ctx, s.term.Create(s.places.root, data), s.term.Create(s.log(), nil))
	if outcome == ensemble.Conflicting {
		err = s.landed(ctx, s.places.root, data, err)
	}
	if err != nil {
		return nil, err
	}
	return &ensemble.Znode{Data: data}, nil
}

func (s *Log) readSnapshot(ctx context.Context) error {
	snapshot, parts := s.root.GetSnapshot(), int(s.root.GetParts())
	segments := make([]*cluster.RegistrySegment, parts)
	err := parallel(readers, parts, func(i int) (err error) {
		segments[i], err = s.readSegment(ctx, s.part(snapshot, uint64(i)), uint64(i), &snapshot)
		return err
	})
	if err != nil {
		return err
	}
	for i, segment := range segments {
		if segment.GetMore() != (i < parts-1) {
			return s.kind.Refused(s.part(snapshot, uint64(i)), fmt.Errorf("more: %t: it is part %d of %d", segment.GetMore(), i+1, parts))
		}
		s.state.apply(segment.GetRecords())
	}
	return nil
}

func (s *Log) readSegment(ctx context.Context, znode string, n uint64, snapshot *uint64) (*cluster.RegistrySegment, error) {
	there, err := s.term.Get(ctx, znode)
	if err != nil {
		return nil, err
	}
	if there == nil {
		return nil, s.kind.Refused(znode, errors.New("it is missing"))
	}
	return s.decode(znode, there.Data, n, snapshot)
}

// readLog reads what came after the snapshot, and takes away what is left of a
// batch whose last segment was never written.
func (s *Log) readLog(ctx context.Context) error {
	numbers, err := s.listLog(ctx)
	if err != nil {
		return err
	}
	first := s.root.GetSnapshot()
	segments := make([]*cluster.RegistrySegment, len(numbers))
	sizes := make([]int64, len(numbers))
	err = parallel(readers, len(numbers), func(i int) (err error) {
		n := first + uint64(i)
		if numbers[i] != n {
			return s.kind.Refused(s.entry(n), errors.New("it is missing"))
		}
		segments[i], err = s.readSegment(ctx, s.entry(n), n, nil)
		sizes[i] = int64(proto.Size(segments[i]))
		return err
	})
	if err != nil {
		return err
	}
	whole := len(segments)
	for whole > 0 && segments[whole-1].GetMore() {
		whole--
	}
	for i, segment := range segments[:whole] {
		s.state.apply(segment.GetRecords())
		s.logged += sizes[i]
	}
	s.next = first + uint64(whole)
	return s.deleteChildren(s.log(), func(name string) bool {
		n, ok := number(name)
		return ok && n >= s.next
	})
}

// listLog is the segments of the log that the snapshot has not in it, in order.
func (s *Log) listLog(ctx context.Context) ([]uint64, error) {
	names, err := s.term.Children(ctx, s.log())
	if err != nil {
		return nil, err
	}
	if names == nil {
		if there, err := s.term.Get(ctx, s.log()); err != nil || there == nil {
			return nil, errors.Join(err, s.kind.Refused(s.log(), errors.New("it is missing")))
		}
	}
	var numbers []uint64
	for _, name := range names {
		n, ok := number(name)
		if !ok {
			return nil, s.kind.Refused(s.log()+"/"+name, errors.New("its name is no number"))
		}
		if n >= s.root.GetSnapshot() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// parallel does n pieces of work, some at once. The first error ends it.
func parallel(workers, n int, work func(i int) error) error {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		next   int
		failed error
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, failed == nil && next <= n
	}
	for range min(workers, n) {
		group.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := work(i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return failed
}
