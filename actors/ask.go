package actors

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// Errors of Ask. Both are wrapped with the address and type asked.
var (
	// ErrTimeout: no answer in time. The message may have been handled.
	ErrTimeout = errors.New("no answer in time")
	// ErrUndelivered: the message became a dead letter, or has no handler there
	// (as far as this system learns of it).
	ErrUndelivered = errors.New("not delivered")
)

// outsideName is the name under which System.Ask is answered.
const outsideName = "$outside"

// askMark stands in a name on the wire between the actor and the key of its
// question, so that a reply finds its continuation: "scheduler?17". No actor
// may have it in its name.
const askMark = '?'

func markAsk(name string, ask uint64) string {
	return name + string(askMark) + strconv.FormatUint(ask, 36)
}

// unmarkAsk is the actor's name and the key; 0 when there is none.
func unmarkAsk(name string) (string, uint64) {
	i := strings.LastIndexByte(name, askMark)
	if i < 0 {
		return name, 0
	}
	ask, err := strconv.ParseUint(name[i+1:], 36, 64)
	if err != nil {
		return name, 0
	}
	return name[:i], ask
}

// pendingAsk is a question of an actor.
type pendingAsk struct {
	to    PID
	then  func(proto.Message, error)
	timer Alarm
}

// Ask sends m and calls then once, in this actor's queue: with the reply, or
// with an error after timeout or when m became a dead letter (as far as this
// system learns of it). It is not called when the actor stops or restarts first.
func (c *Context) Ask(to PID, m proto.Message, timeout time.Duration, then func(proto.Message, error)) {
	x := c.ensureExtras()
	if x.asks == nil {
		x.asks = make(map[uint64]*pendingAsk)
	}
	ask := c.sys.asks.next()
	what := typeName(m)
	p := &pendingAsk{to: to, then: then}
	p.timer = c.sys.runner.AfterFunc(timeout, func() {
		c.postAskFailure(ask, fmt.Errorf("ask %s for %s: %w: %v", to, what, ErrTimeout, timeout))
	})
	x.asks[ask] = p
	c.sys.send(c.self, to, m, ask)
}

// postAskFailure may be called from any goroutine. It is never refused for a
// full mailbox: it is the actor's own.
func (c *Context) postAskFailure(ask uint64, err error) {
	c.post(envelope{kind: kindAlways, run: func(c *Context) {
		if p := c.takeAsk(ask); p != nil {
			p.then(nil, err)
		}
	}})
}

func (c *Context) takeAsk(ask uint64) *pendingAsk {
	if c.rare == nil {
		return nil
	}
	p := c.rare.asks[ask]
	if p != nil {
		delete(c.rare.asks, ask)
		p.timer.Stop()
	}
	return p
}

func (c *Context) replied(e *envelope) {
	var p *pendingAsk
	if c.rare != nil {
		p = c.rare.asks[e.ask]
	}
	if p == nil || !answers(e.from.pid, p.to) {
		c.sys.dead.note(e.from.pid, c.self.pid, typeName(e.msg), reasonLateReply)
		return
	}
	c.takeAsk(e.ask)
	p.then(e.msg, nil)
}

// answers says whether a reply of from may answer what was asked of to: it must
// come from the same system, or any peer could answer by guessing keys.
func answers(from, to PID) bool {
	return from.Address == to.Address && (to.Incarnation == "" || from.Incarnation == to.Incarnation)
}

// outsideAsks are the questions of goroutines that are no actors.
type outsideAsks struct {
	mu      sync.Mutex
	counter uint64
	waiting map[uint64]outsideAsk
}

type outsideAsk struct {
	to     PID
	answer chan askResult
}

type askResult struct {
	m   proto.Message
	err error
}

// next is a key for a question, never 0.
func (a *outsideAsks) next() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counter++
	return a.counter
}

func (a *outsideAsks) add(to PID) (uint64, chan askResult) {
	answer := make(chan askResult, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counter++
	a.waiting[a.counter] = outsideAsk{to: to, answer: answer}
	return a.counter, answer
}

func (a *outsideAsks) remove(ask uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, ask)
}

// resolve answers a question, if it waits and from may answer it. A zero from
// is this system itself.
func (a *outsideAsks) resolve(ask uint64, from PID, r askResult) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	w, ok := a.waiting[ask]
	if !ok || (!from.IsZero() && !answers(from, w.to)) {
		return false
	}
	delete(a.waiting, ask)
	w.answer <- r
	return true
}

// askedFor is the key of who a System.Ask speaks for.
type askedFor struct{}

// AskedFor makes System.Ask speak for somebody who has proved who they are: an
// actor of this system sees that as the Principal of what it is asked.
func AskedFor(ctx context.Context, principal string) context.Context {
	return context.WithValue(ctx, askedFor{}, principal)
}

// Ask sends m and waits for the reply, until ctx is done. It must not be called
// from inside an actor, which would block itself: there is Context.Ask.
func (s *System) Ask(ctx context.Context, to PID, m proto.Message) (proto.Message, error) {
	ask, answer := s.asks.add(to)
	defer s.asks.remove(ask)
	from := s.outside
	if principal, _ := ctx.Value(askedFor{}).(string); principal != "" {
		from = &origin{pid: from.pid, principal: principal}
	}
	s.send(from, to, m, ask)
	select {
	case r := <-answer:
		if r.err != nil {
			return nil, fmt.Errorf("ask %s for %s: %w", to, typeName(m), r.err)
		}
		return r.m, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("ask %s for %s: %w: %w", to, typeName(m), ErrTimeout, context.Cause(ctx))
	}
}
