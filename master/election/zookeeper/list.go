package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/go-zookeeper/zk"

	"troupe/messages/mesos"
)

// Candidates reads who stands for election, the leader first. Znodes that hold
// no master are left out; a path that is not there has none.
func Candidates(ctx context.Context, o Options) ([]*mesos.MasterInfo, error) {
	o = o.withDefaults()
	s, err := dial(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("list the masters at %s: %w", o.Place, advise(err))
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
		return nil, fmt.Errorf("list the masters at %s: %w", o.Place, advise(err))
	}
	var all []*mesos.MasterInfo
	for _, c := range candidates(names) {
		data, err := ask(ctx, s, func() ([]byte, error) {
			data, _, err := s.conn.Get(path.Join(o.Place.Path, c.name))
			return data, err
		})
		if errors.Is(err, zk.ErrNoNode) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list the masters at %s: %w", o.Place, err)
		}
		if info, err := decode(data); err == nil {
			all = append(all, info)
		}
	}
	return all, nil
}
