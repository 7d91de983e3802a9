package election

import (
	"context"
	"fmt"
	"sync"

	"troupe/messages/mesos"
)

// Alone returns the contest of a master without rivals: it is elected at once,
// and its term ends with Close. Open opens its registry.
func Alone(info *mesos.MasterInfo, open func(ctx context.Context, o Opening) (Registry, error)) Contest {
	return &alone{info: info, open: open, elected: make(chan struct{}), closed: make(chan struct{})}
}

type alone struct {
	info  *mesos.MasterInfo
	open  func(ctx context.Context, o Opening) (Registry, error)
	lead  sync.Once
	close sync.Once

	elected, closed chan struct{}
}

// Lead succeeds at once.
func (a *alone) Lead(context.Context) (Term, error) {
	a.lead.Do(func() { close(a.elected) })
	return soleTerm{a}, nil
}

// Leader is this master, from when it leads.
func (a *alone) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	elected := a.elected
	if Same(known, a.info) {
		elected = nil // nothing new
	}
	if known != nil && elected != nil && !isClosed(elected) {
		return nil, nil
	}
	select {
	case <-elected:
		return a.info, nil
	case <-a.closed:
		return nil, fmt.Errorf("detect the leader: %w", ErrClosed)
	case <-ctx.Done():
		return nil, fmt.Errorf("detect the leader: %w", ctx.Err())
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Close ends the term.
func (a *alone) Close() error {
	a.close.Do(func() { close(a.closed) })
	return nil
}

type soleTerm struct{ *alone }

func (t soleTerm) Lost() <-chan struct{} { return t.closed }

func (t soleTerm) Err() error {
	if isClosed(t.closed) {
		return fmt.Errorf("lead: %w", ErrClosed)
	}
	return nil
}

func (t soleTerm) Registry(ctx context.Context, o Opening) (Registry, error) { return t.open(ctx, o) }

// Same tells whether two leaders are one start of one master, or both nobody.
func Same(a, b *mesos.MasterInfo) bool {
	return (a == nil) == (b == nil) && a.GetId() == b.GetId()
}
