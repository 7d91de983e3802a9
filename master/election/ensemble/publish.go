package ensemble

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
)

// Publish shows who leads, where the leader is elected elsewhere: it keeps a
// candidate's znode for this process, alone, until ctx is done. A znode of a
// leader before it, whose session may last a while, is deleted. It returns when
// ctx is done, and fails when ZooKeeper refuses.
func Publish(ctx context.Context, o Options, role Role) error {
	o = o.withDefaults()
	for {
		err := publish(ctx, o, role)
		switch {
		case ctx.Err() != nil:
			return nil
		case refused(err):
			return fmt.Errorf("publish the leader at %s: %w", o.Place, advise(err))
		}
		o.Logger.Warn("ZooKeeper does not show any more who leads; publishing it again", zap.Error(err))
		rest(ctx)
	}
}

// publish does it in one session.
func publish(ctx context.Context, o Options, role Role) error {
	s, err := dial(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := makePath(ctx, s, o.Place.Path, o.open()); err != nil {
		return err
	}
	mine, err := join(ctx, s, role)
	if err != nil {
		return err
	}
	for {
		children, changed, err := watchChildren(ctx, s, o.Place.Path)
		if err != nil {
			return err
		}
		there := false
		for _, c := range candidates(role.Label, children) {
			full := path.Join(o.Place.Path, c.name)
			if full == mine {
				there = true
			} else if err := remove(ctx, s, full); err != nil {
				return err
			}
		}
		if !there {
			return fmt.Errorf("%w: %s", errOusted, mine)
		}
		if err := s.await(ctx, changed); err != nil {
			return err
		}
	}
}

// remove deletes a znode that may be gone already.
func remove(ctx context.Context, s *Session, full string) error {
	_, err := ask(ctx, s, func() (struct{}, error) { return struct{}{}, s.conn.Delete(full, -1) })
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return fmt.Errorf("delete %s: %w", full, err)
	}
	return nil
}
