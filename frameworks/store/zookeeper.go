package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"troupe/master/election/ensemble"
	"troupe/master/store/batches"
)

// ZooKeeper is a Store in ZooKeeper, of one term of leadership: what comes
// after the term fails, and the next leader has all that came before.
//
//	PATH/state   see master/store/batches
type ZooKeeper struct {
	place string
	term  *ensemble.Term

	mu     sync.Mutex
	gate   gate
	log    *batches.Log
	pieces map[string]int // how many records have the value of each key
}

var _ Store = (*ZooKeeper)(nil)

// ErrDeposed is wrapped by the error of an Apply that came after the term.
var ErrDeposed = ensemble.ErrDeposed

// kind of the records; the owner is the framework.
var kind = batches.Kind{
	Foreign: ErrForeign,
	Noun:    "state",
	Owner:   "framework",
	Self:    "this process",
	Restore: "restore ZooKeeper's data, or give another path to begin anew, which forgets all that the framework knew",
	Mine:    "give each framework a path of its own",
	Gone:    "restore ZooKeeper's data, or give the path that it had",
}

// OpenZooKeeper opens the state of owner, a framework's name, below the path of
// a term's election. Where there is none it makes one. The term lasts when the
// store is closed.
func OpenZooKeeper(ctx context.Context, term *ensemble.Term, owner string) (*ZooKeeper, error) {
	z := &ZooKeeper{place: term.Place() + "/state", term: term}
	if err := z.open(ctx, term, owner); err != nil {
		return nil, fmt.Errorf("open state %s: %w", z.place, err)
	}
	return z, nil
}

func (z *ZooKeeper) open(ctx context.Context, term *ensemble.Term, owner string) (err error) {
	if owner == "" {
		return errors.New("an owner is missing")
	}
	z.log, err = batches.Open(ctx, term, term.Path()+"/state", kind, batches.Opening{New: owner, Expect: owner})
	if err != nil {
		return err
	}
	if _, z.pieces, err = joined(z.log.Records()); err != nil {
		return errors.Join(z.log.Refused(err), z.log.Close())
	}
	return nil
}

// Load returns everything, from memory.
func (z *ZooKeeper) Load(context.Context) (map[string][]byte, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	values, _, err := joined(z.log.Records())
	if err != nil {
		return nil, fmt.Errorf("load state %s: %w", z.place, z.log.Refused(err))
	}
	return values, nil
}

// Apply makes changes if the term lasts. It returns when ZooKeeper has taken
// all of them, or with the end of ctx or of the term.
func (z *ZooKeeper) Apply(ctx context.Context, changes map[string][]byte) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.gate.write("state "+z.place, changes, func(all []change) error {
		var records []batches.Record
		for _, c := range all {
			records = append(records, divided(c, z.pieces[c.key])...)
		}
		if err := z.log.Write(ctx, records); err != nil {
			return z.told(err)
		}
		for _, c := range all {
			if z.pieces[c.key] = count(c.value); c.value == nil {
				delete(z.pieces, c.key)
			}
		}
		return nil
	})
}

// told makes sure that an error which comes of the end of the term says so.
func (z *ZooKeeper) told(err error) error {
	if z.term.Err() != nil && !errors.Is(err, ErrDeposed) {
		return fmt.Errorf("%w: %w", ErrDeposed, err)
	}
	return err
}

// Size is how many bytes the records have.
func (z *ZooKeeper) Size() int64 { return z.log.Size() }

// Close ends what goes on beside writes.
func (z *ZooKeeper) Close() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.gate.close()
	return z.log.Close()
}
