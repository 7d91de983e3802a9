package frameworks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/frameworks/session"
	"troupe/messages/masters"
	"troupe/messages/mesos/scheduler"
)

// shell performs what a session decides, on a ground, through a carrier.
type shell struct {
	ground    Ground
	carrier   Carrier
	seeker    seeker
	store     Store
	scheduler Scheduler
	core      *session.Session
	driver    *Driver
	timers    map[string]Timer
	log       *zap.Logger
	ended     func(error)

	// patience ends a session that was never connected; lost is why it is not.
	patience  time.Duration
	connected bool
	lost      string
	failure   error
}

// newShell makes a shell that stands nowhere yet: its ground and its carrier are
// set before begin.
func newShell(master actors.PID, o Options, s Scheduler, ended func(error)) (*shell, error) {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	id := ""
	if o.Store != nil {
		var err error
		if id, err = o.Store.Load(); err != nil {
			return nil, err
		}
	}
	info, err := o.info(id)
	if err != nil {
		return nil, err
	}
	c := session.Config{Framework: info, Seed: cmp.Or(o.Seed, rand.Uint64())}
	if o.Suppressed {
		c.SuppressedRoles = info.GetRoles()
		if len(o.Roles) == 0 {
			c.SuppressedRoles = []string{info.GetRole()}
		}
	}
	core, err := session.New(c)
	if err != nil {
		return nil, err
	}
	sh := &shell{
		seeker: seeker{detector: o.Detector, where: cmp.Or(o.Master, master.Address), master: master},
		store:  o.Store, scheduler: s, core: core,
		timers: map[string]Timer{}, log: o.Logger, ended: ended, patience: o.Patience,
	}
	sh.driver = &Driver{shell: sh}
	return sh, nil
}

// begin subscribes. It is called from the queue.
func (s *shell) begin() {
	if h, ok := s.scheduler.(starter); ok {
		h.start(s.driver)
	}
	if s.patience > 0 {
		s.ground.After(s.patience, s.giveUp)
	}
	s.seek()
}

// Received implements Inbox.
func (s *shell) Received(master, principal string, m proto.Message) {
	s.step(session.Received{From: session.Peer(master), Principal: principal, Message: m})
}

// Refused implements Inbox.
func (s *shell) Refused(master string, c *scheduler.Call, status int, said string) {
	s.lost = fmt.Sprintf("%d: %s", status, said)
	s.step(session.CallRefused{From: session.Peer(master), Call: c, Status: status, Said: said})
}

// Removed implements Inbox.
func (s *shell) Removed(master string) { s.step(session.Removed{From: session.Peer(master)}) }

// Lost implements Inbox.
func (s *shell) Lost(master, reason string) {
	s.lost = reason
	s.step(session.PeerExited{Peer: session.Peer(master)})
	s.doubt(master, "")
}

// NotLeading implements Inbox.
func (s *shell) NotLeading(master, hint string) { s.doubt(master, hint) }

// giveUp ends what has not begun.
func (s *shell) giveUp() {
	if s.connected || s.stopSearch() {
		return
	}
	s.fail(errors.New(cmp.Or(s.lost, "no answer")))
}

// fail ends a session that was never connected.
func (s *shell) fail(why error) {
	s.failure = fmt.Errorf("no subscription at master %s within %s: %w", masters.Redact(s.seeker.where), s.patience, why)
	s.step(session.Leave{})
}

// starter is a Scheduler of this package that prepares itself.
type starter interface{ start(d *Driver) }

// queue takes an input in after the current call.
func (s *shell) queue(in session.Input) {
	s.ground.Do(func() { s.step(in) })
}

func (s *shell) step(in session.Input) {
	for _, e := range s.core.Step(s.ground.Now(), in) {
		s.perform(e)
	}
}

func (s *shell) perform(e session.Effect) {
	switch e := e.(type) {
	case session.Send:
		s.carrier.Send(string(e.To), e.Call)
	case session.SetTimer:
		s.cancel(e.Key)
		s.timers[e.Key] = s.ground.After(e.After, func() {
			delete(s.timers, e.Key)
			s.step(session.TimerFired{Key: e.Key})
		})
	case session.CancelTimer:
		s.cancel(e.Key)
	case session.Link:
		s.carrier.Link(string(e.Peer))
	case session.Unlink:
		s.carrier.Unlink(string(e.Peer))
	case session.Persist:
		s.persist(e.FrameworkID.GetValue())
	case session.Connected:
		s.connected = true
		s.log.Info("subscribed", zap.String("framework", e.FrameworkID.GetValue()), zap.Bool("resumed", e.Resumed))
		s.scheduler.Connected(s.driver, e.FrameworkID.GetValue(), e.Master, e.Resumed)
	case session.Disconnected:
		s.log.Warn("disconnected", zap.String("reason", e.Reason))
		s.doubt(s.seeker.master.String(), "")
		s.scheduler.Disconnected(s.driver, e.Reason)
	case session.Deliver:
		s.deliver(e.Event)
	case session.Refused:
		s.scheduler.Refused(s.driver, e.Call, e.Err)
	case session.Ended:
		s.finish(e)
	case session.Note:
		s.note(e)
	}
}

func (s *shell) cancel(key string) {
	if t := s.timers[key]; t != nil {
		t.Stop()
		delete(s.timers, key)
	}
}

// persist stores the framework id off the mailbox.
func (s *shell) persist(id string) {
	if s.store == nil {
		s.queue(session.Persisted{})
		return
	}
	s.ground.Go(func(context.Context) func() {
		err := s.store.Save(id)
		return func() { s.step(session.Persisted{Err: err}) }
	})
}

// finish forgets the id of a framework that is no more, and ends.
func (s *shell) finish(e session.Ended) {
	err := cmp.Or(e.Err, s.failure)
	if !e.TornDown || s.store == nil {
		s.ended(err)
		return
	}
	s.ground.Go(func(context.Context) func() {
		failed := s.store.Save("")
		return func() { s.ended(cmp.Or(err, failed)) }
	})
}

func (s *shell) deliver(e *scheduler.Event) {
	switch e.GetType() {
	case scheduler.Event_OFFERS:
		s.scheduler.Offers(s.driver, e.GetOffers().GetOffers())
	case scheduler.Event_RESCIND:
		s.scheduler.Rescinded(s.driver, e.GetRescind().GetOfferId().GetValue())
	case scheduler.Event_UPDATE:
		if st := e.GetUpdate().GetStatus(); s.scheduler.Update(s.driver, st) {
			s.driver.Acknowledge(st)
		}
	case scheduler.Event_MESSAGE:
		s.scheduler.Message(s.driver, e.GetMessage())
	case scheduler.Event_FAILURE:
		s.scheduler.Failure(s.driver, e.GetFailure())
	default:
		s.scheduler.Other(s.driver, e)
	}
}

func (s *shell) note(n session.Note) {
	fields := make([]zap.Field, 0, len(n.Fields)/2)
	for i := 0; i+1 < len(n.Fields); i += 2 {
		fields = append(fields, zap.String(n.Fields[i], n.Fields[i+1]))
	}
	switch n.Level {
	case session.Warn:
		s.log.Warn(n.Text, fields...)
	case session.Info:
		s.log.Info(n.Text, fields...)
	case session.Debug:
		s.log.Debug(n.Text, fields...)
	}
}
