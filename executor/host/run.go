package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"troupe/actors"
	"troupe/actors/inspect"
	"troupe/executor"
	"troupe/executor/program"
	"troupe/messages/field"
)

// Options say for whom a host works, and with what.
type Options struct {
	// Agent is where the agent's actor is; its incarnation does not count.
	Agent actors.PID
	// HostID is what the agent calls the host.
	HostID string
	// Containers makes containers, and starts processes in them.
	Containers program.Containers
	// RecoveryTimeout is how long a lost agent is waited for; default 15 min.
	RecoveryTimeout time.Duration
	// ReconnectMax bounds the random wait before each attempt to reach a lost
	// agent; default 2 s.
	ReconnectMax time.Duration
	// System is for the host's actor system; Run alone uses it.
	System actors.Options
}

func (o Options) withDefaults() Options {
	if o.RecoveryTimeout <= 0 {
		o.RecoveryTimeout = executor.DefaultRecoveryTimeout
	}
	if o.ReconnectMax <= 0 {
		o.ReconnectMax = reconnectMax
	}
	o.Agent.Incarnation = ""
	return o
}

func (o Options) check() error {
	switch {
	case o.Agent.IsZero():
		return field.Missing("agent")
	case o.HostID == "":
		return field.Missing("host id")
	case o.Containers == nil:
		return field.Missing("containers")
	}
	return nil
}

const (
	// abortWait bounds how long a host that must end waits for its processes;
	// the kernel ends what is left of them with it.
	abortWait = 10 * time.Second
	closeWait = 5 * time.Second
)

// Run is an executor host's process, which its agent can look into: it returns when the host has ended, nil
// when the agent has told it to. When ctx is done, everything it holds is
// killed.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.check(); err != nil {
		return fmt.Errorf("executor host: %w", err)
	}
	ended := make(chan error, 2)
	o.System.OnPanic = func(p actors.Panic) {
		select {
		case ended <- fmt.Errorf("executor host %q: %s panicked: %v", o.HostID, p.PID.Name, p.Value):
		default: // the end is on its way already
		}
	}
	if o.System.Links.BackoffMax == 0 {
		o.System.Links.BackoffMax = o.withDefaults().ReconnectMax // else the transport would wait longer
	}
	sys, err := actors.New(o.System)
	if err != nil {
		return fmt.Errorf("executor host %q: %w", o.HostID, err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		if e := sys.Close(closing); e != nil {
			err = errors.Join(err, e)
		}
	}()
	if err := inspect.Mount(sys, inspect.Options{OverLinks: true}); err != nil {
		return fmt.Errorf("executor host %q: %w", o.HostID, err)
	}
	h := New(sys, o, func(err error) { ended <- err })
	pid, err := sys.Spawn(Name, h)
	if err != nil {
		return fmt.Errorf("executor host %q: %w", o.HostID, err)
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	sys.Do(pid, func(*actors.Context) { h.Abort(ctx.Err()) })
	limit := time.NewTimer(abortWait)
	defer limit.Stop()
	select {
	case err := <-ended:
		return err
	case <-limit.C:
		return fmt.Errorf("executor host %q: not all processes ended within %s: %w", o.HostID, abortWait, ctx.Err())
	}
}
