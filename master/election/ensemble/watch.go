package ensemble

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
)

// Watch tells who leads until ctx is done: the candidate's znode and its
// content, or an empty name when there is none. It may tell the same again.
// While ZooKeeper cannot be asked it tells nothing. It fails when ZooKeeper
// refuses to tell.
func Watch(ctx context.Context, o Options, label string, tell func(znode string, content []byte)) error {
	w := &watch{o: o.withDefaults(), label: label, tell: tell}
	for ctx.Err() == nil {
		s, err := dial(ctx, w.o)
		if err == nil {
			err = w.follow(ctx, s)
			s.Close()
		}
		if refused(err) {
			return advise(err)
		}
		if ctx.Err() == nil {
			w.o.Logger.Warn("The watch for the leader broke; beginning again", zap.Error(err))
			rest(ctx)
		}
	}
	return ctx.Err()
}

type watch struct {
	o     Options
	label string
	tell  func(znode string, content []byte)
}

// follow watches until the session ends.
func (w *watch) follow(ctx context.Context, s *Session) error {
	for {
		changed, err := w.look(ctx, s)
		if err != nil {
			return err
		}
		if err := s.await(ctx, changed); err != nil {
			return err
		}
	}
}

// look reads who leads, and gives what tells of a change.
func (w *watch) look(ctx context.Context, s *Session) (<-chan zk.Event, error) {
	folder := w.o.Place.Path
	names, changed, err := watchChildren(ctx, s, folder)
	if errors.Is(err, zk.ErrNoNode) {
		w.tell("", nil)
		return watchCreation(ctx, s, folder)
	}
	if err != nil {
		return nil, err
	}
	all := candidates(w.label, names)
	if len(all) == 0 {
		w.tell("", nil)
		return changed, nil
	}
	full := path.Join(folder, all[0].name)
	data, err := read(ctx, s, full)
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return changed, nil // the list has changed, which is told
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", full, err)
	}
	w.tell(full, data)
	return changed, nil
}

// watchCreation gives what tells that a path may be there.
func watchCreation(ctx context.Context, s *Session, full string) (<-chan zk.Event, error) {
	changed, err := ask(ctx, s, func() (<-chan zk.Event, error) {
		exists, _, changed, err := s.conn.ExistsW(full)
		if exists {
			now := make(chan zk.Event)
			close(now)
			return now, err
		}
		return changed, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", full, err)
	}
	return changed, nil
}
