package ensemble

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/go-zookeeper/zk"
)

// Candidates reads what those who stand for election have to say, the leader
// first; a path that is not there has none.
func Candidates(ctx context.Context, o Options, label string) ([][]byte, error) {
	o = o.withDefaults()
	s, err := dial(ctx, o)
	if err != nil {
		return nil, advise(err)
	}
	defer s.Close()
	names, err := ask(ctx, s, func() ([]string, error) {
		names, _, err := s.conn.Children(o.Place.Path)
		return names, err
	})
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", o.Place.Path, advise(err))
	}
	var all [][]byte
	for _, c := range candidates(label, names) {
		full := path.Join(o.Place.Path, c.name)
		data, err := read(ctx, s, full)
		if errors.Is(err, zk.ErrNoNode) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", full, err)
		}
		all = append(all, data)
	}
	return all, nil
}

func read(ctx context.Context, s *Session, full string) ([]byte, error) {
	return ask(ctx, s, func() ([]byte, error) {
		data, _, err := s.conn.Get(full)
		return data, err
	})
}
