package actortest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
)

// Received is one thing that a Probe got.
type Received struct {
	From      actors.PID
	Principal string
	Message   proto.Message
}

// Probe is an actor that records what it is sent, for a test to take. Its
// methods are for the test's goroutine.
type Probe struct {
	t      testing.TB
	system *actors.System
	pid    actors.PID

	mu      sync.Mutex
	got     []Received
	exited  []actors.Exited
	changed chan struct{} // closed and made anew with each change
}

// NewProbe spawns a probe; an empty name gets one of its own.
func NewProbe(t testing.TB, s *actors.System, name string) *Probe {
	t.Helper()
	p := &Probe{t: t, system: s, changed: make(chan struct{})}
	var err error
	if p.pid, err = s.Spawn(name, probing{p}); err != nil {
		t.Fatal(err)
	}
	return p
}

// probing is the actor of a Probe.
type probing struct{ p *Probe }

// Init implements actors.Actor.
func (a probing) Init(c *actors.Context) {
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		a.p.change(func() {
			a.p.got = append(a.p.got, Received{From: c.Sender(), Principal: c.Principal(), Message: m})
		})
	})
	c.HandleExited(func(_ *actors.Context, e actors.Exited) {
		a.p.change(func() { a.p.exited = append(a.p.exited, e) })
	})
}

func (p *Probe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// PID is the probe's address.
func (p *Probe) PID() actors.PID { return p.pid }

// Send sends m as the probe.
func (p *Probe) Send(to actors.PID, m proto.Message) {
	p.t.Helper()
	p.do(func(c *actors.Context) { c.Send(to, m) })
}

// Link links the probe; see ExpectExited.
func (p *Probe) Link(to actors.PID) {
	p.t.Helper()
	p.do(func(c *actors.Context) { c.Link(to) })
}

func (p *Probe) do(f func(c *actors.Context)) {
	p.t.Helper()
	if !p.system.Do(p.pid, f) {
		p.t.Fatalf("probe %s has stopped", p.pid)
	}
}

// Got is all that came and was not taken by Expect.
func (p *Probe) Got() []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Received(nil), p.got...)
}

// Expect takes the oldest message of type M that the probe has, or gets within
// the time, and says from whom it came. Messages of other types stay. Failing
// that it ends the test. With a Stepper there is nobody to wait for: let it
// Settle first, and give a time of 0.
func Expect[M proto.Message](p *Probe, within time.Duration) (M, actors.PID) {
	p.t.Helper()
	var found Received
	what := fmt.Sprintf("%T", *new(M))
	p.await(within, what, func() bool {
		for i, r := range p.got {
			if _, ok := r.Message.(M); ok {
				found = r
				p.got = append(p.got[:i:i], p.got[i+1:]...)
				return true
			}
		}
		return false
	})
	return found.Message.(M), found.From
}

// ExpectExited takes the oldest Exited of p that the probe has, or gets within
// the time; failing that it ends the test.
func (p *Probe) ExpectExited(of actors.PID, within time.Duration) actors.Exited {
	p.t.Helper()
	var found actors.Exited
	p.await(within, "Exited of "+of.String(), func() bool {
		for i, e := range p.exited {
			if e.PID == of {
				found = e
				p.exited = append(p.exited[:i:i], p.exited[i+1:]...)
				return true
			}
		}
		return false
	})
	return found
}

// await waits until have, called under the lock, says true.
func (p *Probe) await(within time.Duration, what string, have func() bool) {
	p.t.Helper()
	late := time.After(within)
	for {
		p.mu.Lock()
		done, changed := have(), p.changed
		p.mu.Unlock()
		if done {
			return
		}
		if within <= 0 {
			p.t.Fatalf("%s has no %s; it has %s", p.pid.Name, what, p.summary())
		}
		select {
		case <-changed:
		case <-late:
			within = 0
		}
	}
}

// ExpectNothing ends the test if the probe has, or gets within the time, any
// message or Exited that was not taken. It works in a bubble of testing/synctest
// only: elsewhere nothing in a while proves nothing.
func (p *Probe) ExpectNothing(within time.Duration) {
	p.t.Helper()
	Pass(within)
	p.mu.Lock()
	n := len(p.got) + len(p.exited)
	p.mu.Unlock()
	if n > 0 {
		p.t.Fatalf("%s got %s, and should have got nothing", p.pid.Name, p.summary())
	}
}

// summary is of what was not taken.
func (p *Probe) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	const most = 10
	s := fmt.Sprintf("%d messages and %d exits", len(p.got), len(p.exited))
	for _, r := range p.got[:min(most, len(p.got))] {
		s += fmt.Sprintf("\n\t%T{%v} from %s", r.Message, r.Message, r.From)
	}
	for _, e := range p.exited[:min(most, len(p.exited))] {
		s += fmt.Sprintf("\n\texited %s: %s", e.PID, e.Reason)
	}
	return s
}
