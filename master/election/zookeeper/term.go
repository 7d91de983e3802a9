package zookeeper

import (
	"context"

	"troupe/master/election"
	"troupe/master/election/ensemble"
)

// ErrDeposed is wrapped by the error of a change that came after the term.
var ErrDeposed = ensemble.ErrDeposed

// Term is the leadership of one master; see election.Term.
type Term struct {
	*ensemble.Term
	open Opener
}

var _ election.Term = (*Term)(nil)

// Registry opens the registry.
func (t *Term) Registry(ctx context.Context, o election.Opening) (election.Registry, error) {
	return t.open(ctx, t, o)
}

// What a term reads, makes and answers is that of package ensemble.
type (
	Znode   = ensemble.Znode
	Change  = ensemble.Change
	Outcome = ensemble.Outcome
)

// Of the outcomes of Term.Commit.
const (
	Failed      = ensemble.Failed
	Done        = ensemble.Done
	Conflicting = ensemble.Conflicting
)
