package state

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// What may wait for a turn where no capacity is set: Mesos has no bound then,
// and here everything has one.
const (
	maxThrottled      = 100_000
	maxThrottledBytes = 64 << 20
)

// rates bound how fast the calls of frameworks are taken, by their principals.
type rates struct {
	// Nil values are principals that are not bounded.
	named map[string]*throttle
	// Of all that are not named, together; nil: they are not bounded.
	rest *throttle
}

// throttle takes one call after the other, in the order in which they came.
type throttle struct {
	key      string // of its timer
	every    time.Duration
	capacity uint64
	next     time.Time // when the next call may be taken
	waiting  []throttled
	bytes    int
}

// throttled is a call that waits, with the principal that it counts for.
type throttled struct {
	in        Received
	call      *scheduler.Call
	principal string
	size      int
}

func newRates(limits *mesos.RateLimits) rates {
	r := rates{named: make(map[string]*throttle)}
	for i, l := range limits.GetLimits() {
		r.named[l.GetPrincipal()] = nil
		if l.Qps != nil {
			r.named[l.GetPrincipal()] = newThrottle(strconv.Itoa(i), l.GetQps(), l.Capacity)
		}
	}
	if limits != nil && limits.AggregateDefaultQps != nil {
		r.rest = newThrottle("", limits.GetAggregateDefaultQps(), limits.AggregateDefaultCapacity)
	}
	return r
}

func newThrottle(key string, qps float64, capacity *uint64) *throttle {
	t := &throttle{key: timerRate + "/" + key, every: time.Duration(float64(time.Second) / qps), capacity: maxThrottled}
	if capacity != nil {
		t.capacity = *capacity
	}
	return t
}

// of is the throttle of a principal; nil when there is none.
func (r rates) of(principal string) *throttle {
	if t, named := r.named[principal]; named && principal != "" {
		return t
	}
	return r.rest
}

// heed takes a call, at once or when it is its turn. What framework a sender is
// the scheduler of says who it is: nobody else is bounded.
func (m *Machine) heed(in Received, call *scheduler.Call) {
	f := m.frameworks.byPeer[in.From]
	if f == nil {
		m.receiveCall(in, call)
		return
	}
	principal := f.view.Info.GetPrincipal()
	t := m.rates.of(principal)
	if t == nil || len(t.waiting) == 0 && !m.now.Before(t.next) {
		if t != nil {
			t.next = m.now.Add(t.every)
		}
		m.tally(principal, 1, 1)
		m.receiveCall(in, call)
		return
	}
	m.tally(principal, 1, 0)
	size := proto.Size(call)
	if uint64(len(t.waiting)) >= t.capacity || t.bytes+size > maxThrottledBytes {
		m.exceeded(in, call, principal, t.capacity)
		return
	}
	t.bytes += size
	t.waiting = append(t.waiting, throttled{in, call, principal, size})
	if len(t.waiting) == 1 {
		m.emit(SetTimer{t.key, t.next.Sub(m.now)})
	}
}

// exceeded drops a call, and says so: to a scheduler by an error, as in Mesos.
func (m *Machine) exceeded(in Received, call *scheduler.Call, principal string, capacity uint64) {
	why := "Message " + call.GetType().String() + " dropped: capacity(" + strconv.FormatUint(capacity, 10) + ") exceeded"
	m.drop(view.Others, in.From, "a call beyond the capacity of its principal", Field{"principal", principal}, Field{"type", call.GetType().String()})
	if in.Ask == 0 {
		m.sendError(in.From, why)
		return
	}
	m.answerCall(in, unavailable, why)
}

// tookTurn takes the calls whose turn it is.
func (m *Machine) tookTurn(key string) {
	for _, t := range m.rates.all() {
		if t.key == key {
			m.takeTurns(t)
		}
	}
}

// all are the throttles, in any order.
func (r rates) all() []*throttle {
	var all []*throttle
	for _, t := range r.named {
		if t != nil {
			all = append(all, t)
		}
	}
	if r.rest != nil {
		all = append(all, r.rest)
	}
	return all
}

func (m *Machine) takeTurns(t *throttle) {
	for len(t.waiting) > 0 && !m.now.Before(t.next) {
		w := t.waiting[0]
		t.waiting[0] = throttled{}
		t.waiting = t.waiting[1:]
		t.bytes -= w.size
		t.next = t.next.Add(t.every)
		m.receiveCall(w.in, w.call)
		m.tally(w.principal, 0, 1)
	}
	if len(t.waiting) > 0 {
		m.emit(SetTimer{t.key, t.next.Sub(m.now)})
	}
}

// tally counts messages of a principal, unless nobody has said who they are.
func (m *Machine) tally(principal string, received, processed int64) {
	if principal != "" {
		m.publish(view.Messaged{Principal: principal, Messages: view.Messages{Received: received, Processed: processed}})
	}
}
