package mesosclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/scheduler"
)

// Follow is how a subscription is found again when its master is gone.
type Follow struct {
	// Masters are the addresses that are asked; each may redirect to another.
	Masters  []string
	Encoding Encoding
	// First is the longest first pause between attempts; each doubles it, to
	// Longest.
	First, Longest time.Duration
}

// redirections is how often one attempt is redirected.
const redirections = 5

// Subscribe tries until it is subscribed, the context ends, or the master says
// that it never will be.
func (f *Follow) Subscribe(ctx context.Context, subscribe *scheduler.Call_Subscribe) (*Scheduler, error) {
	for pause, n := f.First, 0; ; n++ {
		s, err := f.attempt(ctx, f.Masters[n%len(f.Masters)], proto.CloneOf(subscribe))
		if final := (*Failed)(nil); err == nil || errors.As(err, &final) {
			return s, err
		}
		timer := time.NewTimer(rand.N(pause) + 1)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("after %d attempts: %w", n+1, err)
		}
		pause = min(2*pause, f.Longest)
	}
}

func (f *Follow) attempt(ctx context.Context, address string, subscribe *scheduler.Call_Subscribe) (*Scheduler, error) {
	for range redirections {
		s, err := Subscribe(ctx, address, f.Encoding, subscribe)
		refused := (*Refused)(nil)
		if !errors.As(err, &refused) || refused.Leader() == "" {
			return s, err
		}
		address = refused.Leader()
	}
	return nil, fmt.Errorf("redirected %d times, at last to %s", redirections, address)
}
