package simulate

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
)

// Of the transport: how long it takes to notice that the other side does not
// answer any more, and to give up a dial to it.
const (
	silenceNoticed = 15 * time.Second
	dialGivenUp    = 5 * time.Second
)

// network connects processes as the transport of package actors does: one
// link per pair, in order while it lasts; a link that breaks loses what was in
// flight, and both sides are told, each when it notices.
type network struct {
	*world
	processes map[string]*process // by host:port
	parted    map[[2]*process]int // pairs that hear nothing of each other; counts partitions
	// Chance of faults per message, one in so many; 0 is never.
	slowOneIn, repeatOneIn int
	// Decides what happens to a message before it is sent; may be nil.
	tamper  func(from *process, who, to string, m proto.Message) (deliver bool)
	judge   func(from *process, m proto.Message) // sees all that is sent
	content bool                                 // whether the trace's hash covers the contents of messages
	sent    uint64
}

// actor is what lives in a process under a name.
type actor interface {
	receive(from string, m proto.Message)
	exited(peer string)
}

// link is one connection. Each side notices its end for itself.
type link struct {
	ends    [2]*process
	lives   [2]int
	open    bool // established, and not broken
	broken  bool
	noticed [2]bool
	held    []parcel     // sent while dialing, or arrived while a side is cut off
	last    [2]time.Time // of arrival, by receiving side
}

func (l *link) sideOf(p *process) int {
	if l.ends[1] == p {
		return 1
	}
	return 0
}

// parcel is something on its way to one side of a link.
type parcel struct {
	to     *process
	arrive func()
}

func newNetwork(w *world) *network {
	return &network{world: w, processes: make(map[string]*process), parted: make(map[[2]*process]int), judge: func(*process, proto.Message) {}}
}

// apart tells whether no packet gets from one process to another. Those of one
// machine always hear each other.
func (n *network) apart(p, q *process) bool {
	return p.site != q.site && (p.cut || q.cut || len(n.parted) > 0 && n.parted[pairOf(p, q)] > 0)
}

// silent tells whether the other side of a link cannot know of its end.
func (n *network) silent(p, q *process) bool { return n.apart(p, q) || p.paused || q.paused }

func pairOf(p, q *process) [2]*process {
	if q.address < p.address {
		return [2]*process{q, p}
	}
	return [2]*process{p, q}
}

// linkTo returns the link to another process, dialing if there is none; nil if
// it cannot be dialed. A link that this side holds for good may be dead.
func (p *process) linkTo(target *process) *link {
	if l := p.links[target]; l != nil {
		return l
	}
	if !target.dialable() {
		return nil
	}
	n := p.net
	l := &link{ends: [2]*process{p, target}, lives: [2]int{p.life, target.life}}
	p.links[target] = l
	p.later(n.latencyOf(l), func() { n.dialed(l) })
	return l
}

// dialed ends the dial of a link.
func (n *network) dialed(l *link) {
	dialer, target := l.ends[0], l.ends[1]
	switch {
	case l.broken || !dialer.up || dialer.life != l.lives[0]:
	case n.apart(dialer, target):
		n.giveUp(l)
	case target.up && target.paused:
		target.dials = append(target.dials, l)
		n.giveUp(l)
	case !target.up:
		n.breakLink(l, target)
	default:
		n.establish(l)
	}
}

// giveUp ends a dial that is not answered in time.
func (n *network) giveUp(l *link) {
	l.ends[0].later(dialGivenUp, func() {
		if !l.open {
			n.breakLink(l, l.ends[1])
			n.notice(l, 0)
		}
	})
}

// establish opens a link. It takes the place of one whose end was not noticed
// yet, and of one that the other side dials at the same time.
func (n *network) establish(l *link) {
	dialer, target := l.ends[0], l.ends[1]
	var waiting []parcel
	if old := target.links[dialer]; old != nil && old != l {
		if !old.open && !old.broken {
			waiting, old.held = old.held, nil
			old.broken, old.noticed = true, [2]bool{true, true}
		} else {
			n.breakLink(old, nil)
			n.notice(old, 0)
			n.notice(old, 1)
		}
	}
	if !target.up || !dialer.up || dialer.life != l.lives[0] {
		n.breakLink(l, nil) // one of them died of the news
		return
	}
	l.lives[1] = target.life
	target.links[dialer], dialer.links[target] = l, l
	l.open = true
	n.release(l)
	for _, p := range waiting {
		n.transmit(l, p)
	}
}

// release lets go what was held while the link did not carry anything.
func (n *network) release(l *link) {
	held := l.held
	l.held = nil
	for _, p := range held {
		n.transmit(l, p)
	}
}

// latency is the time that one message is under way.
func (n *network) latency() time.Duration {
	if n.slowOneIn > 0 && n.oneIn(n.slowOneIn) {
		return n.between(10*time.Millisecond, 3*time.Second)
	}
	return n.between(100*time.Microsecond, 2*time.Millisecond)
}

// latencyOf is the same for a link, which may be within one machine.
func (n *network) latencyOf(l *link) time.Duration {
	if l.ends[0].site == l.ends[1].site {
		return n.between(20*time.Microsecond, 200*time.Microsecond)
	}
	return n.latency()
}

// transmit carries something over a link, in order. What is sent into a link
// whose end the sender has not noticed is lost.
func (n *network) transmit(l *link, p parcel) {
	switch {
	case l.broken:
		return
	case !l.open || n.apart(l.ends[0], l.ends[1]):
		l.held = append(l.held, p)
		return
	}
	side := l.sideOf(p.to)
	at := n.now.Add(n.latencyOf(l))
	if at.Before(l.last[side]) {
		at = l.last[side]
	}
	l.last[side] = at
	n.at(at, func() {
		if !l.broken {
			p.to.wake(l.lives[side], p.arrive)
		}
	})
}

// breakLink ends a link and lets both sides notice in time; by is the process
// that died, nil if none did.
func (n *network) breakLink(l *link, by *process) {
	if l.broken {
		return
	}
	if !l.open {
		l.noticed[1] = true // nobody answered the dial
	}
	l.broken, l.open, l.held = true, false, nil
	n.note("the link between %s and %s breaks", l.ends[0].address, l.ends[1].address)
	for side, p := range l.ends {
		if p == by && !p.up {
			l.noticed[side] = true
			continue
		}
		wait := n.latencyOf(l)
		if n.silent(l.ends[0], l.ends[1]) {
			wait = n.between(silenceNoticed/2, silenceNoticed)
		}
		n.after(wait, func() { p.wake(l.lives[side], func() { n.notice(l, side) }) })
	}
}

// notice tells one side's actors of the end of a link, once.
func (n *network) notice(l *link, side int) {
	p, other := l.ends[side], l.ends[1-side]
	if l.noticed[side] || !p.up || p.paused || p.life != l.lives[side] {
		return
	}
	l.noticed[side] = true
	if p.links[other] == l {
		delete(p.links, other)
	}
	told := p.watches[other]
	delete(p.watches, other)
	for _, w := range told {
		p.tellExited(w.who, w.peer)
	}
}

// partition cuts a process off for a time. Links that last so long break.
func (n *network) partition(p *process, d time.Duration) {
	if p.cut {
		return
	}
	p.cut = true
	n.note("%s is cut off for %v", p.address, d.Round(time.Millisecond))
	n.awaitSilence(p)
	n.after(d, func() {
		p.cut = false
		n.heal(p)
	})
}

// part lets two processes hear nothing of each other for a time.
func (n *network) part(p, q *process, d time.Duration) {
	pair := pairOf(p, q)
	n.parted[pair]++
	n.note("%s and %s are apart for %v", p.address, q.address, d.Round(time.Millisecond))
	n.awaitSilence(p)
	n.after(d, func() {
		if n.parted[pair]--; n.parted[pair] == 0 {
			delete(n.parted, pair)
		}
		n.heal(p)
	})
}

// pause stops a process for a time, as SIGSTOP and SIGCONT do: what happens to
// it waits, and its peers hear nothing of it.
func (n *network) pause(p *process, d time.Duration) {
	if p.paused || !p.up {
		return
	}
	p.paused = true
	n.note("%s is stopped for %v", p.address, d.Round(time.Millisecond))
	n.awaitSilence(p)
	life := p.life
	n.after(d, func() {
		if p.life == life {
			p.resume()
		}
	})
}

// awaitSilence breaks the links that p has, if they are silent for too long.
func (n *network) awaitSilence(p *process) {
	for _, other := range p.peers() {
		l := p.links[other]
		n.after(n.between(silenceNoticed/2, silenceNoticed), func() {
			if n.silent(p, other) {
				n.breakLink(l, nil)
				n.notice(l, l.sideOf(other))
			}
		})
	}
}

func (n *network) heal(p *process) {
	n.note("%s is connected again", p.address)
	for _, other := range p.peers() {
		if l := p.links[other]; l.open && !n.apart(p, other) {
			n.release(l)
		}
	}
}

func (n *network) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.mark(text)
	if n.keeps() {
		n.keep(func() string { return text })
	}
}

func (n *network) traceMessage(from, to string, m proto.Message) {
	name := string(m.ProtoReflect().Descriptor().FullName())
	content := ""
	if n.content {
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			content = err.Error()
		}
		content += string(wire)
	}
	n.mark(from, to, name, content)
	if n.keeps() {
		n.keep(func() string { return fmt.Sprintf("%s -> %s %s %v", from, to, name, m) })
	}
}
