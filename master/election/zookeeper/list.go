package zookeeper

import (
	"context"
	"fmt"

	"troupe/master/election/ensemble"
	"troupe/messages/mesos"
)

// Candidates reads who stands for election, the leader first. Znodes that hold
// no master are left out; a path that is not there has none.
func Candidates(ctx context.Context, o Options) ([]*mesos.MasterInfo, error) {
	contents, err := ensemble.Candidates(ctx, o, label)
	if err != nil {
		return nil, fmt.Errorf("list the masters at %s: %w", o.Place, err)
	}
	var all []*mesos.MasterInfo
	for _, data := range contents {
		if info, err := decode(data); err == nil {
			all = append(all, info)
		}
	}
	return all, nil
}
