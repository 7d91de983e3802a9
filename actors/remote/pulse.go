package remote

import (
	"fmt"
	"sync"
	"time"
)

// forgetAfter is how long a peer without a link is remembered.
const forgetAfter = time.Minute

// pulse is the goroutine that keeps all links alive and finds the dead ones.
func (t *Transport) pulse() {
	lim := t.cfg.Limits
	every := max(min(lim.Heartbeat, lim.DeadAfter, lim.StallAfter)/8, time.Millisecond)
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := t.now()
	var peers []*peer
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-tick.C:
		}
		now := t.now()
		b := beat{now: now, every: int64(every), late: now-last > int64(lim.DeadAfter)/2}
		last = now
		peers = t.all(peers)
		for _, p := range peers {
			p.beat(b)
		}
		clear(peers)
		if t.front != nil {
			t.front.assure(now, int64(every))
		}
	}
}

// beat is one round of the pulse. A late one means that this process stood
// still, so that no peer is to blame for its silence.
type beat struct {
	now, every int64
	late       bool
}

// beat looks after one peer.
func (p *peer) beat(b beat) {
	p.mu.Lock()
	l := p.link
	if l == nil {
		p.forget(b.now)
		p.mu.Unlock()
		return
	}
	err := l.ails(b)
	if err == nil && b.now-l.last.wrote.Load() >= int64(p.t.cfg.Limits.Heartbeat)-b.every {
		l.acked.due = true
		l.rouse()
	}
	p.mu.Unlock()
	l.relieve(b.now - b.every)
	if err != nil {
		l.end(err)
	}
}

// ails tells what is wrong with the link, if something is. The peer is locked.
func (l *link) ails(b beat) error {
	lim := l.p.t.cfg.Limits
	if b.late {
		l.last.heard.Store(b.now)
		l.stall.since = b.now
	}
	if silence := b.now - l.last.heard.Load(); silence >= int64(lim.DeadAfter)-b.every && !l.unread() {
		return fmt.Errorf("lost: the peer was silent for %v", time.Duration(silence).Round(time.Millisecond))
	}
	progress := l.out.counts.whole + l.out.counts.bulk + l.out.moved
	if progress != l.stall.progress || l.out.load == 0 || l.stall.since == 0 {
		l.stall.progress, l.stall.since = progress, b.now
	}
	if stood := b.now - l.stall.since; stood >= int64(lim.StallAfter) {
		return fmt.Errorf("lost: the peer took nothing of %d bytes for %v", l.out.load, time.Duration(stood).Round(time.Millisecond))
	}
	return nil
}

// unread tells whether the peer said something that nobody has read yet: then it
// is this side that is slow.
func (l *link) unread() bool {
	state := quiet
	if l.direct != nil {
		if err := l.direct.raw.Control(func(fd uintptr) { _, state = peek(fd) }); err != nil {
			return false // it is closed
		}
	}
	return state == unread
}

// forget drops a peer that has no link and wants none. The peer is locked.
func (p *peer) forget(now int64) {
	if p.attempt != nil || p.alias != nil || now-p.idleSince < int64(forgetAfter) {
		return
	}
	p.forgotten = true
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.peers, p.key)
	t.recent.CompareAndSwap(p, nil)
	t.past.add(p.counters.read())
}

// ackTimer tells links to acknowledge what they took, a time after the first of
// it.
type ackTimer struct {
	delay time.Duration

	mu    sync.Mutex
	links []*link
	spare []*link
}

func (a *ackTimer) plan(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.links = append(a.links, l); len(a.links) == 1 {
		time.AfterFunc(a.delay, a.fire)
	}
}

func (a *ackTimer) fire() {
	a.mu.Lock()
	links := a.links
	a.links, a.spare = a.spare[:0], nil
	a.mu.Unlock()
	for i, l := range links {
		l.owes.Store(false)
		l.settle()
		links[i] = nil
	}
	a.mu.Lock()
	a.spare = links
	a.mu.Unlock()
}

// settle acknowledges what is owed, if something is.
func (l *link) settle() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.taken.whole.Load() != l.acked.whole || l.taken.bulk.Load() != l.acked.bulk {
		l.acked.due = true
		l.rouse()
	}
}
