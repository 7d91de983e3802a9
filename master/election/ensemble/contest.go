package ensemble

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
)

// ErrClosed is wrapped by what a closed contest answers.
var ErrClosed = errors.New("closed")

// errOusted is of a candidate whose znode is gone though its session lasts.
var errOusted = errors.New("the candidate's znode was deleted")

// Contest is one candidate's part in an election. Its methods may be called
// from any goroutine.
type Contest struct {
	o      Options
	role   Role
	cancel context.CancelFunc
	ctx    context.Context // until Close

	mu      sync.Mutex
	session *Session // of the candidate; nil before there is one
}

// NewContest makes a contest; it does nothing before Lead.
func NewContest(o Options, role Role) *Contest {
	ctx, cancel := context.WithCancel(context.Background())
	return &Contest{o: o.withDefaults(), role: role, ctx: ctx, cancel: cancel}
}

// Lead stands as a candidate until it is elected. A candidacy that ends before,
// with its session, is begun again. It keeps trying while ZooKeeper cannot be
// reached; an error that is not the context's is for good. It is called once.
func (c *Contest) Lead(ctx context.Context) (*Term, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	for {
		t, err := c.stand(ctx)
		switch {
		case err == nil:
			return t, nil
		case c.ctx.Err() != nil:
			return nil, fmt.Errorf("stand for election at %s: %w", c.o.Place, ErrClosed)
		case ctx.Err() != nil || refused(err):
			return nil, fmt.Errorf("stand for election at %s: %w", c.o.Place, advise(err))
		}
		c.o.Logger.Warn("The candidacy ended before the election; standing again", zap.Error(err))
		rest(ctx)
	}
}

// refused tells whether ZooKeeper will always answer so.
func refused(err error) bool {
	for _, e := range []error{zk.ErrNoAuth, zk.ErrAuthFailed, zk.ErrInvalidACL, zk.ErrInvalidPath, zk.ErrNoChildrenForEphemerals, zk.ErrBadArguments} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// advise adds what to do.
func advise(err error) error {
	if errors.Is(err, zk.ErrNoAuth) {
		return fmt.Errorf("%w: the znodes there belong to another user or password than the URL's", err)
	}
	return err
}

func (c *Contest) stand(ctx context.Context) (*Term, error) {
	s, err := dial(ctx, c.o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	t, err := c.run(ctx, s)
	if err == nil {
		err = c.ctx.Err() // Close may not have seen the session
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return t, nil
}

func (c *Contest) run(ctx context.Context, s *Session) (*Term, error) {
	if err := makePath(ctx, s, c.o.Place.Path, c.o.open()); err != nil {
		return nil, err
	}
	mine, err := join(ctx, s, c.role)
	if err != nil {
		return nil, err
	}
	c.o.Logger.Info("This "+c.role.Noun+" is a candidate", zap.String("znode", mine))
	if err := awaitTurn(ctx, s, c.role.Label, mine); err != nil {
		return nil, err
	}
	t := &Term{session: s, znode: mine, o: c.o}
	if err := t.guard(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// makePath creates what is missing of a path.
func makePath(ctx context.Context, s *Session, full string, acl []zk.ACL) error {
	at := ""
	for part := range strings.SplitSeq(full[1:], "/") {
		at += "/" + part
		exists, err := ask(ctx, s, func() (bool, error) {
			ok, _, err := s.conn.Exists(at)
			return ok, err
		})
		if err != nil {
			return fmt.Errorf("look for %s: %w", at, err)
		}
		if exists {
			continue
		}
		_, err = ask(ctx, s, func() (string, error) { return s.conn.Create(at, nil, 0, acl) })
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s: %w", at, err)
		}
	}
	return nil
}

// join creates the candidate's znode, once: where the connection breaks before
// the answer, the znode may be there, and is found by its owner.
func join(ctx context.Context, s *Session, role Role) (string, error) {
	prefix := s.o.Place.Path + "/" + role.Label
	for {
		created, err := once(ctx, s, func() (string, error) {
			return s.conn.Create(prefix, role.Content, zk.FlagEphemeral|zk.FlagSequence, s.o.open())
		})
		if !transient(err) {
			if err != nil {
				return "", fmt.Errorf("create %s: %w", prefix, err)
			}
			return created, nil
		}
		if err := s.pause(ctx); err != nil {
			return "", err
		}
		if found, err := adopt(ctx, s, role.Label); found != "" || err != nil {
			return found, err
		}
	}
}

// adopt finds the candidate of this session, if it is there.
func adopt(ctx context.Context, s *Session, label string) (string, error) {
	folder := s.o.Place.Path
	if _, err := ask(ctx, s, func() (string, error) { return s.conn.Sync(folder) }); err != nil {
		return "", fmt.Errorf("sync %s: %w", folder, err)
	}
	children, err := ask(ctx, s, func() ([]string, error) {
		names, _, err := s.conn.Children(folder)
		return names, err
	})
	if err != nil {
		return "", fmt.Errorf("list %s: %w", folder, err)
	}
	for _, other := range candidates(label, children) {
		full := path.Join(folder, other.name)
		owner, err := ask(ctx, s, func() (int64, error) {
			_, stat, err := s.conn.Exists(full)
			if err != nil {
				return 0, err
			}
			return stat.EphemeralOwner, nil
		})
		if err != nil {
			return "", fmt.Errorf("look at %s: %w", full, err)
		}
		if owner == s.id {
			return full, nil
		}
	}
	return "", nil
}

// awaitTurn waits until a candidate has the lowest number.
func awaitTurn(ctx context.Context, s *Session, label, mine string) error {
	folder, name := path.Split(mine)
	folder = strings.TrimSuffix(folder, "/")
	for {
		children, changed, err := watchChildren(ctx, s, folder)
		if err != nil {
			return err
		}
		place := -1
		for i, c := range candidates(label, children) {
			if c.name == name {
				place = i
			}
		}
		switch place {
		case 0:
			return nil
		case -1:
			return fmt.Errorf("%w: %s", errOusted, mine)
		}
		if err := s.await(ctx, changed); err != nil {
			return err
		}
	}
}

// watchChildren lists a folder, and gives a channel that has something when
// the list differs.
func watchChildren(ctx context.Context, s *Session, folder string) ([]string, <-chan zk.Event, error) {
	type list struct {
		names   []string
		changed <-chan zk.Event
	}
	l, err := ask(ctx, s, func() (list, error) {
		names, _, changed, err := s.conn.ChildrenW(folder)
		return list{names, changed}, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", folder, err)
	}
	return l.names, l.changed, nil
}

// await waits for a watch.
func (s *Session) await(ctx context.Context, changed <-chan zk.Event) error {
	select {
	case <-changed:
		return nil
	case <-s.lost:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the candidacy or the term; the next candidate leads at once.
func (c *Contest) Close() {
	c.cancel()
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s != nil {
		s.Close()
	}
}
