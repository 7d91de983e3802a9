package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"troupe/actors/address"
)

// Errors of Spawn.
var (
	// ErrNameTaken: an actor with this name runs, or has not quite stopped.
	ErrNameTaken = errors.New("name is taken")
	// ErrClosed: the system is closing or closed.
	ErrClosed = errors.New("actor system is closed")
	// ErrStopped: the parent has stopped.
	ErrStopped = errors.New("actor has stopped")
)

// SpawnOption changes how one actor runs.
type SpawnOption func(*spawnOptions)

type spawnOptions struct {
	limits    *Limits
	restart   *restartPolicy
	principal string
}

// WithMailbox gives the actor limits of its own.
func WithMailbox(l Limits) SpawnOption {
	return func(o *spawnOptions) { o.limits = &l }
}

// WithRestart makes a new actor with fresh in the place of one that panicked:
// its timers, links, questions and children are gone, its queue stays. More
// than most restarts within the given time are a panic like any other.
func WithRestart(fresh func() Actor, most int, within time.Duration) SpawnOption {
	return func(o *spawnOptions) { o.restart = &restartPolicy{fresh: fresh, most: most, within: within} }
}

// SpeakingFor makes the actor speak for somebody who has proved who they are,
// but not over a link: actors of this system see that as the Principal of what
// it sends.
func SpeakingFor(principal string) SpawnOption {
	return func(o *spawnOptions) { o.principal = principal }
}

// Spawn starts an actor and returns its address. It returns after Init; the
// first message is handled after that. An empty name gets one that no other
// actor ever had. Errors: ErrNameTaken, ErrClosed, an invalid name, a panic of
// Init.
func (s *System) Spawn(name string, a Actor, o ...SpawnOption) (PID, error) {
	return s.spawn(nil, name, a, o)
}

func (s *System) spawn(parent *Context, name string, a Actor, options []SpawnOption) (PID, error) {
	if name == "" {
		name = s.anonymousName()
	} else if err := validateActorName(name); err != nil {
		return PID{}, fmt.Errorf("spawn: %w", err)
	}
	c := s.newContext(parent, name, a, options)
	if err := s.register(c); err != nil {
		return PID{}, fmt.Errorf("spawn %q: %w", name, err)
	}
	if err := c.initialize(func() Actor { return a }); err != nil {
		c.abandon()
		return PID{}, fmt.Errorf("spawn %q: %w", name, err)
	}
	c.openMailbox()
	return c.self.pid, nil
}

func validateActorName(name string) error {
	if err := address.ValidateName(name); err != nil {
		return err
	}
	if strings.ContainsRune(name, askMark) || name[0] == '$' {
		return fmt.Errorf("%w: name %q: %q and a leading '$' are reserved", address.ErrInvalid, name, askMark)
	}
	return nil
}

// anonymousName holds some of the incarnation, so that even an address without
// incarnation does not reach the actor that has this number after a restart.
func (s *System) anonymousName() string {
	return "$" + s.incarnation[:8] + "/" + strconv.FormatUint(s.births.anonymous.Add(1), 36)
}

func (s *System) newContext(parent *Context, name string, a Actor, options []SpawnOption) *Context {
	c := &Context{
		sys:     s,
		self:    &origin{pid: s.PID(name)},
		parent:  parent,
		actor:   a,
		current: &noEnvelope,
	}
	c.loop = c.work
	c.box.limits, c.box.calm = &s.limits, linger
	if len(options) > 0 {
		var o spawnOptions
		for _, option := range options {
			option(&o)
		}
		if o.limits != nil {
			l := o.limits.withDefaults(s.limits)
			c.box.limits = l
		}
		c.self.principal = o.principal
		if o.restart != nil {
			c.ensureExtras().restart = o.restart
		}
	}
	return c
}

// register makes c known by name and to protoactor.
func (s *System) register(c *Context) error {
	if !s.table.add(c) {
		return ErrNameTaken
	}
	err := s.births.bear(c)
	if err != nil {
		s.table.remove(c)
	}
	return err
}

// bear makes protoactor's side of c. Protoactor's producers take no arguments:
// the lock is how they learn for whom they are called.
func (b *births) bear(c *Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.current = c
	defer func() { b.current = nil }()
	id := b.core.ProcessRegistry.NextId()
	var err error
	if c.parent == nil {
		_, err = b.core.Root.SpawnNamed(b.props, id)
	} else {
		_, err = c.parent.proto.SpawnNamed(b.props, id)
	}
	return err
}

// initialize makes the actor and runs its Init; a panic of either is an error,
// with its stack in the log.
func (c *Context) initialize(fresh func() Actor) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("Init of %T panicked: %v", c.actor, r)
			c.Log().Error("panic in Init", zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
		}
	}()
	c.actor = fresh()
	c.actor.Init(c)
	return nil
}

func (c *Context) openMailbox() {
	b := &c.box
	b.mu.Lock()
	b.open = true
	wake := (len(b.in) > 0 || len(b.system) > 0) && b.wake()
	b.mu.Unlock()
	if wake {
		c.sys.runner.Run(c.loop)
	}
}

// abandon stops an actor whose Init failed; it never gets to Finalize.
func (c *Context) abandon() {
	c.actor = failedInit{}
	c.stopNow("init failed")
	c.openMailbox()
}

// failedInit takes the place of an actor whose Init panicked.
type failedInit struct{}

func (failedInit) Init(*Context) {}
