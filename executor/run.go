package executor

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/inspect"
)

// closeWait bounds how long a system may take to flush what it has to send.
const closeWait = 5 * time.Second

// Run makes an executor of this process, which an agent has started: it reads
// the environment, subscribes and calls h until the executor has finished, the
// agent stays away, or ctx is done (then h is told to shut down). It returns
// nil after a Finish.
func Run(ctx context.Context, h Handler) error {
	c, err := FromEnvironment(os.LookupEnv)
	if err != nil {
		return err
	}
	secure, err := TLSFromEnvironment(os.LookupEnv)
	if err != nil {
		return err
	}
	return RunWith(ctx, c, h, actors.Options{TLS: secure})
}

// RunWith is Run with a configuration and options of the caller's. The agent
// shows the figures of the process at /metrics/processes; with o.Listen they are
// at its own /metrics, too.
func RunWith(ctx context.Context, c Config, h Handler, o actors.Options) (err error) {
	if o.Links.BackoffMax == 0 && c.SubscriptionBackoffMax > 0 {
		o.Links.BackoffMax = c.SubscriptionBackoffMax // else the transport would wait longer
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	sys, err := actors.New(o)
	if err != nil {
		return fmt.Errorf("start actor system of executor %q: %w", c.ExecutorID, err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		if e := sys.Close(closing); err == nil && e != nil {
			err = fmt.Errorf("close actor system of executor %q: %w", c.ExecutorID, e)
		}
	}()
	if err := inspect.Mount(sys, inspect.Options{OverLinks: true}); err != nil {
		return fmt.Errorf("executor %q: %w", c.ExecutorID, err)
	}
	w := &watched{Handler: h, ended: make(chan error, 1)}
	a, err := NewActor(sys, c, w)
	if err != nil {
		return err
	}
	if _, err := sys.Spawn("executor", a); err != nil {
		return fmt.Errorf("start executor %q: %w", c.ExecutorID, err)
	}
	select {
	case err = <-w.ended:
		return err
	case <-ctx.Done():
	}
	a.Driver().Do(func() { h.Shutdown(a.Driver()) })
	grace := time.NewTimer(c.ShutdownGracePeriod)
	defer grace.Stop()
	select {
	case err = <-w.ended:
		return err
	case <-grace.C:
		return fmt.Errorf("executor %q did not shut down within %s: %w", c.ExecutorID, c.ShutdownGracePeriod, ctx.Err())
	}
}

// watched tells Run of the end.
type watched struct {
	Handler
	ended chan error
}

// Ended passes the end on, and then tells.
func (w *watched) Ended(d *Driver, err error) {
	w.Handler.Ended(d, err)
	w.ended <- err
}
