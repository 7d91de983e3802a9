package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// dialGrace is how long Close waits for dials that are under way.
const dialGrace = time.Second

// Close ends the transport in order: it listens and sends no more, writes what
// was accepted, says goodbye, waits until the peers have acknowledged all, and
// tells of the dead letters that are left. Peers' actors are told "closed".
// What ctx leaves no time for is broken off, with an error. Close returns when
// all goroutines have ended, but for handlers of HTTP requests that ignore
// their contexts.
func (t *Transport) Close(ctx context.Context) error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return ErrClosed
	}
	t.closed = true
	t.recent.Store(nil)
	t.mu.Unlock()

	var errs []error
	web := make(chan error, 1)
	if t.front != nil {
		if err := t.cfg.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("remote: close listener: %w", err))
		}
	}
	if t.front != nil && t.front.web != nil {
		go func() { web <- t.front.web.shutdown(ctx) }()
	} else {
		web <- nil
	}
	errs = append(errs, t.partAll(ctx), <-web)
	t.cancel()
	for _, p := range t.all(nil) {
		if l := p.current(); l != nil {
			l.end(errors.New("closed"))
		}
	}
	t.running.Wait()
	return errors.Join(errs...)
}

// partAll says goodbye to all peers and waits for theirs.
func (t *Transport) partAll(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, dialGrace)
	defer cancel()
	peers := t.all(nil)
	for _, p := range peers {
		if l := p.current(); l != nil {
			l.part()
		}
	}
	for _, p := range peers {
		if a := p.dialing(); a != nil {
			select {
			case <-a.ctx.Done():
			case <-grace.Done():
			}
		}
	}
	for _, p := range peers {
		l := p.current()
		if l == nil {
			continue
		}
		l.part()
		select {
		case <-l.done:
		case <-ctx.Done():
			return fmt.Errorf("remote: close: %s had not taken all: %w", p.key.address, ctx.Err())
		}
	}
	return nil
}

func (p *peer) current() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

func (p *peer) dialing() *attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempt
}
