package ensemble

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"
)

// ErrDeposed is wrapped by the error of a change that came after the term.
var ErrDeposed = errors.New("this process does not lead any more")

// Term is the leadership of one candidate. What a store reads and writes
// through it, it does in the candidate's session. Its methods may be called from
// any goroutine.
type Term struct {
	session *Session
	znode   string
	o       Options
}

// Lost is closed with the session, and when the znode is deleted: the term has
// ended, or may have. The process must acknowledge nothing from then on, and exit.
func (t *Term) Lost() <-chan struct{} { return t.session.lost }

// Err is why, in words for an operator; nil before.
func (t *Term) Err() error {
	if isClosed(t.session.lost) {
		return fmt.Errorf("the leadership of %s has ended: %w", t.znode, t.session.err)
	}
	return nil
}

// Place is the URL, without its password.
func (t *Term) Place() string { return t.o.Place.String() }

// Path is the folder of the election.
func (t *Term) Path() string { return t.o.Place.Path }

// guard checks that the znode is of this session, and watches it: whoever
// deletes it ends the term.
func (t *Term) guard(ctx context.Context) error {
	type look struct {
		owner   int64
		changed <-chan zk.Event
	}
	l, err := ask(ctx, t.session, func() (look, error) {
		_, stat, changed, err := t.session.conn.GetW(t.znode)
		if err != nil {
			return look{}, err
		}
		return look{stat.EphemeralOwner, changed}, nil
	})
	if errors.Is(err, zk.ErrNoNode) || err == nil && l.owner != t.session.id {
		return fmt.Errorf("%w: %s", errOusted, t.znode)
	}
	if err != nil {
		return fmt.Errorf("look at %s: %w", t.znode, err)
	}
	go func() {
		if t.session.await(context.Background(), l.changed) != nil {
			return
		}
		if err := t.guard(context.Background()); err != nil {
			t.session.lose(err)
		}
	}()
	return nil
}

// Znode is what is stored at a path.
type Znode struct {
	Data    []byte
	Version int32
}

// Get reads a znode; nil when there is none.
func (t *Term) Get(ctx context.Context, path string) (*Znode, error) {
	z, err := ask(ctx, t.session, func() (*Znode, error) {
		data, stat, err := t.session.conn.Get(path)
		if err != nil {
			return nil, err
		}
		return &Znode{data, stat.Version}, nil
	})
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, advise(err))
	}
	return z, nil
}

// Children lists a folder; nil when there is none.
func (t *Term) Children(ctx context.Context, path string) ([]string, error) {
	names, err := ask(ctx, t.session, func() ([]string, error) {
		names, _, err := t.session.conn.Children(path)
		return names, err
	})
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", path, advise(err))
	}
	return names, nil
}

// Change is a part of what Commit does: made by Create, Set, Check or Delete.
type Change struct{ request any }

// Create makes a znode that is not there yet, for candidates alone to read.
func (t *Term) Create(path string, data []byte) Change {
	return Change{&zk.CreateRequest{Path: path, Data: data, Acl: t.o.private()}}
}

// Set changes the data of a znode that has a version.
func (t *Term) Set(path string, data []byte, version int32) Change {
	return Change{&zk.SetDataRequest{Path: path, Data: data, Version: version}}
}

// Check fails when the znode has another version.
func (t *Term) Check(path string, version int32) Change {
	return Change{&zk.CheckVersionRequest{Path: path, Version: version}}
}

// Delete deletes a znode of any version.
func (t *Term) Delete(path string) Change {
	return Change{&zk.DeleteRequest{Path: path, Version: -1}}
}

// Outcome is what became of a Commit.
type Outcome int

// Of the outcomes, Conflicting leaves open whether an attempt whose answer was
// lost had been carried out before.
const (
	Failed Outcome = iota
	Done
	Conflicting
)

// Commit makes changes in one transaction, all or none, on condition that this
// term's own znode is there: whoever leads after it sees what it wrote, and it
// writes nothing after. A lost answer makes it try again, so that the changes
// have to be such as cannot be made twice: a znode created, a version set. The
// outcome is Conflicting, with an error, when one of the changes cannot be made
// as things are.
func (t *Term) Commit(ctx context.Context, changes ...Change) (Outcome, error) {
	ops := []any{t.Check(t.znode, 0).request}
	for _, c := range changes {
		ops = append(ops, c.request)
	}
	answers, err := ask(ctx, t.session, func() ([]zk.MultiResponse, error) { return t.session.conn.Multi(ops...) })
	if err == nil {
		return Done, nil
	}
	if isClosed(t.session.lost) {
		return Failed, fmt.Errorf("%w: %w", ErrDeposed, t.session.err)
	}
	for i, a := range answers {
		if a.Error == nil {
			continue // the first that has an error is the one that failed
		}
		if i == 0 {
			t.session.lose(fmt.Errorf("%w: %s", errOusted, t.znode))
			return Failed, fmt.Errorf("%w: %s: %w", ErrDeposed, t.znode, a.Error)
		}
		return Conflicting, fmt.Errorf("%s: %w", describe(ops[i]), advise(a.Error))
	}
	return Failed, err
}

// describe names a change.
func describe(op any) string {
	switch o := op.(type) {
	case *zk.CreateRequest:
		return "create " + o.Path
	case *zk.SetDataRequest:
		return "set " + o.Path
	case *zk.CheckVersionRequest:
		return "check " + o.Path
	case *zk.DeleteRequest:
		return "delete " + o.Path
	}
	return fmt.Sprintf("%T", op)
}
