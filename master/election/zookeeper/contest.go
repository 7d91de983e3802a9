package zookeeper

import (
	"context"
	"errors"
	"fmt"

	"troupe/master/election"
	"troupe/master/election/ensemble"
	"troupe/messages/mesos"
)

// Options say where ZooKeeper is and how to deal with it.
type Options = ensemble.Options

// DefaultSessionTimeout is that of Mesos.
const DefaultSessionTimeout = ensemble.DefaultSessionTimeout

// Opener opens the registry for a term.
type Opener func(ctx context.Context, t *Term, o election.Opening) (election.Registry, error)

// Contest is one master's part in an election; see election.Contest.
type Contest struct {
	*Detector
	o       Options
	contest *ensemble.Contest
	open    Opener
}

var _ election.Contest = (*Contest)(nil)

// NewContest begins to detect who leads. Info is what the others learn of this
// master once it leads.
func NewContest(o Options, info *mesos.MasterInfo, open Opener) *Contest {
	return &Contest{Detector: NewDetector(o), o: o, contest: ensemble.NewContest(o, roleOf(info)), open: open}
}

// Lead stands as a candidate until it is elected. A candidacy that ends before,
// with its session, is begun again.
func (c *Contest) Lead(ctx context.Context) (election.Term, error) {
	t, err := c.contest.Lead(ctx)
	switch {
	case errors.Is(err, ensemble.ErrClosed):
		return nil, fmt.Errorf("stand for election at %s: %w", c.o.Place, election.ErrClosed)
	case err != nil:
		return nil, err
	}
	return &Term{Term: t, open: c.open}, nil
}

// Close ends the candidacy or the term; the next candidate leads at once.
func (c *Contest) Close() error {
	c.contest.Close()
	return c.Detector.Close()
}

// Publish shows who leads, where the leader is elected elsewhere: see
// ensemble.Publish.
func Publish(ctx context.Context, o Options, info *mesos.MasterInfo) error {
	return ensemble.Publish(ctx, o, roleOf(info))
}
