package ensemble

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-zookeeper/zk"
)

// ask makes a call that may be repeated, until ZooKeeper has answered it.
func ask[T any](ctx context.Context, s *Session, call func() (T, error)) (T, error) {
	for {
		v, err := once(ctx, s, call)
		if !transient(err) {
			return v, err
		}
		if err := s.pause(ctx); err != nil {
			return v, err
		}
	}
}

// once makes a call, which knows no context, and waits no longer than ctx and
// the session last.
func once[T any](ctx context.Context, s *Session, call func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	if isClosed(s.lost) {
		return none, s.err
	}
	answers := make(chan answer, 1)
	go func() {
		v, err := call()
		answers <- answer{v, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, zk.ErrSessionExpired) {
			s.lose(a.err)
		}
		return a.v, a.err
	case <-s.lost:
		return none, s.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// transient tells whether an error says nothing of the call: the connection
// broke, and it may or may not have been carried out.
func transient(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrNoServer) || errors.Is(err, zk.ErrSessionMoved)
}

// rest waits before another session is begun, so that what goes wrong each time
// costs ZooKeeper little. It does not outlive ctx.
func rest(ctx context.Context) {
	timer := time.NewTimer(sessionPause/2 + rand.N(sessionPause))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pause waits a moment before the next attempt.
func (s *Session) pause(ctx context.Context) error {
	timer := time.NewTimer(retryPause/2 + rand.N(retryPause))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.lost:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
