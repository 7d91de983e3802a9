package actortest

import (
	"time"

	"troupe/actors"
	"troupe/actors/remote"
)

// link joins two systems.
type link struct {
	names  ends
	number uint64
	sides  [2]side
	dead   bool
	proved bool // something has arrived over it
}

// side is one system's half of a link: what it has sent and what it watches.
type side struct {
	end     *end
	line    []*parcel // under way to the other side, in order
	last    time.Time // when the last of them is due
	watches map[names][]actors.PID
	watched map[names]bool // by the other side's
}

// names of a watcher and of the actor it watches.
type names struct{ watcher, watched string }

type parcelKind uint8

const (
	carriesMessage parcelKind = iota
	carriesLink
	carriesUnlink
	carriesExited
)

type parcel struct {
	kind     parcelKind
	from, to actors.PID // the watcher and the watched, but for a message
	letter   letter
	reason   string
	due      time.Time
}

// side is that of the system e; other that of its peer.
func (l *link) side(e *end) (own, other *side) {
	if l.sides[0].end == e {
		return &l.sides[0], &l.sides[1]
	}
	return &l.sides[1], &l.sides[0]
}

func (l *link) joins(d direction) bool {
	a, b := l.sides[0].end.address, l.sides[1].end.address
	return a == d.from && b == d.to || a == d.to && b == d.from
}

// link finds or makes the link of two systems, under the lock.
func (n *Network) link(a, b *end) *link {
	k := ordered(a.key, b.key)
	if l := n.between(a, b.key); l != nil && n.between(b, a.key) == l {
		return l
	}
	n.cut++
	l := &link{names: k, number: n.cut}
	for i, e := range []*end{a, b} {
		l.sides[i] = side{end: e, watches: map[names][]actors.PID{}, watched: map[names]bool{}}
	}
	n.links[k] = l
	for _, d := range []direction{{a.address, b.address}, {b.address, a.address}} {
		if cut := n.cuts[d]; cut != 0 {
			n.breakLater(l, d, cut, n.o.DialTimeout)
		}
	}
	return l
}

// between is the link that a system has with a peer, or nil. The peer, or the
// system itself, may be one that came after the link's.
func (n *Network) between(e *end, peer string) *link {
	l := n.links[ordered(e.key, peer)]
	if l == nil || l.sides[0].end != e && l.sides[1].end != e {
		return nil
	}
	return l
}

// put sends a parcel on its way, under the lock.
func (n *Network) put(l *link, from *side, p *parcel, delay time.Duration) {
	p.due = time.Now().Add(delay)
	if p.due.Before(from.last) {
		p.due = from.last
	}
	from.last = p.due
	from.line = append(from.line, p)
	n.agenda.at(p.due, func() { n.arrive(l) })
}

// arrive hands over what is due and not held up.
func (n *Network) arrive(l *link) {
	for {
		n.mu.Lock()
		p, from, to := n.nextParcel(l)
		var hand func()
		if p != nil {
			hand = to.take(from, p)
		}
		n.mu.Unlock()
		if p == nil {
			return
		}
		if hand != nil {
			hand()
		}
	}
}

func (n *Network) nextParcel(l *link) (p *parcel, from, to *side) {
	if l.dead {
		return nil, nil, nil
	}
	for i := range l.sides {
		from, to = &l.sides[i], &l.sides[1-i]
		cut := n.cuts[direction{from.end.address, to.end.address}] != 0
		if cut || from.end.crashed || to.end.crashed || len(from.line) == 0 || from.line[0].due.After(time.Now()) {
			continue
		}
		p = from.line[0]
		from.line = from.line[1:]
		l.proved = true
		return p, from, to
	}
	return nil, nil, nil
}

// take is called under the lock and gives what is to be done without it.
func (s *side) take(from *side, p *parcel) func() {
	r := s.end.receiver
	if p.kind == carriesMessage {
		return func() { s.end.deliver(p) }
	}
	k := names{p.from.Name, p.to.Name}
	switch p.kind {
	case carriesLink:
		s.watched[k] = true
		return func() { r.Watch(p.from, s.end.pid(p.to.Name)) }
	case carriesUnlink:
		if !s.watched[k] {
			return nil
		}
		delete(s.watched, k)
		return func() { r.Unwatch(p.from, s.end.pid(p.to.Name)) }
	default:
		over := s.watches[k]
		delete(s.watches, k)
		return func() {
			for _, watched := range over {
				r.Exited(p.from, watched, p.reason)
			}
		}
	}
}

// sever ends a link: what was under way becomes dead letters, and who watched
// over it is told.
func (n *Network) sever(l *link, reason string) {
	n.mu.Lock()
	if l.dead {
		n.mu.Unlock()
		return
	}
	l.dead = true
	if n.links[l.names] == l {
		delete(n.links, l.names)
	}
	why := remote.Unreachable
	if l.proved {
		why = remote.Unconfirmed
	}
	var told []func()
	for i := range l.sides {
		if own, other := &l.sides[i], &l.sides[1-i]; !own.end.crashed {
			told = append(told, own.mourn(other.end, why, reason)...)
		}
	}
	n.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

// mourn is what a system has to be told of the end of a link.
func (s *side) mourn(peer *end, why remote.Reason, reason string) []func() {
	var told []func()
	r := s.end.receiver
	for _, p := range s.line {
		if p.kind == carriesMessage {
			told = append(told, func() { r.DeadLetter(p.letter.from, p.letter.to, p.letter.typ, why) })
		}
	}
	for _, k := range sorted(s.watches) {
		for _, watched := range s.watches[k] {
			told = append(told, func() { r.Exited(s.end.pid(k.watcher), watched, reason) })
		}
	}
	for _, k := range sorted(s.watched) {
		told = append(told, func() { r.Unwatch(peer.pid(k.watcher), s.end.pid(k.watched)) })
	}
	return told
}
