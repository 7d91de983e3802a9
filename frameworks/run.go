package frameworks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"troupe/actors"
	"troupe/actors/inspect"
	"troupe/frameworks/session"
	"troupe/messages/field"
)

// closeWait bounds how long a system may take to flush what it has to send.
const closeWait = 5 * time.Second

// actorName is the name of a scheduler's actor.
const actorName = "scheduler"

// The reasons for which a master ends a framework's run, for errors.Is.
var (
	// ErrReplaced: another scheduler runs the framework now, and has its tasks.
	// This one must not start again by itself, or they replace each other for
	// ever.
	ErrReplaced = session.ErrReplaced
	// ErrRemoved: the framework was torn down, or its failover timeout lapsed. It
	// can only begin anew, with an empty Store.
	ErrRemoved = session.ErrRemoved
)

// Run runs a framework until it ends: nil after Teardown or Leave, an error
// when the master ends it (see ErrReplaced and ErrRemoved) or the framework id
// cannot be stored. When ctx is done it leaves, as with Leave, and returns the
// cause.
func Run(ctx context.Context, o Options, s Scheduler) (err error) {
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("framework %q: %w", o.Name, err)
		}
	}()
	seeker, done, err := o.detector()
	if err != nil {
		return err
	}
	defer func() {
		if e := done(); e != nil {
			err = errors.Join(err, e)
		}
	}()
	if o.System.Logger == nil {
		o.System.Logger = o.Logger
	}
	ended := make(chan error, 1)
	o.System.OnPanic = func(p actors.Panic) { tell(ended, fmt.Errorf("scheduler panicked: %v\n%s", p.Value, p.Stack)) }
	sys, err := actors.New(o.System)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		if e := sys.Close(closing); e != nil {
			err = errors.Join(err, e)
		}
	}()
	if err := inspect.Mount(sys, inspect.Options{OverLinks: true, Collectors: o.Collectors}); err != nil {
		return err
	}
	o.Detector = seeker
	d, err := Start(sys, actors.PID{}, o, s, func(err error) { tell(ended, err) })
	if err != nil {
		return err
	}
	return await(ctx, d, ended)
}

// Start runs a framework in an actor system of the caller's; Master and System
// of o are not used. The master is the one given, or if that is the zero PID
// whom o.Detector finds. ended is called once, when Run would return, and must
// not block.
func Start(sys *actors.System, master actors.PID, o Options, s Scheduler, ended func(error)) (*Driver, error) {
	if master.IsZero() && o.Detector == nil {
		return nil, field.Missing("detector")
	}
	sh, err := newShell(master, o, s, ended)
	if err != nil {
		return nil, err
	}
	if _, err := sys.Spawn(actorName, &native{system: sys, shell: sh, options: o}); err != nil {
		return nil, err
	}
	return sh.driver, nil
}

// Play runs a framework on a ground and through a carrier of the caller's, with
// the one master that there is. It is called from the queue; the Inbox may be
// used from then on. Detector, System and Master of o are not used; ended is as
// of Start. It is for test kits and other carriers.
func Play(g Ground, c Carrier, master actors.PID, o Options, s Scheduler, ended func(error)) (*Driver, Inbox, error) {
	o.Detector = nil
	sh, err := newShell(master, o, s, ended)
	if err != nil {
		return nil, nil, err
	}
	sh.ground, sh.carrier = g, c
	g.Do(sh.begin)
	return sh.driver, sh, nil
}

// tell never waits: the first end counts.
func tell(ended chan<- error, err error) {
	select {
	case ended <- err:
	default: // an end is known already
	}
}

func await(ctx context.Context, d *Driver, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	d.Leave()
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C: // the system's Close names who hangs
	}
	return context.Cause(ctx)
}
