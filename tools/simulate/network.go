package simulate

import (
	"fmt"
	"slices"
	"strings"
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
	// Chance of faults per message, one in so many; 0 is never.
	slowOneIn, repeatOneIn int
	// Decides what happens to a message before it is sent; may be nil.
	tamper  func(from, to string, m proto.Message) (deliver bool)
	content bool // whether the trace's hash covers the contents of messages
	sent    uint64
}

// actor is what lives in a process under a name.
type actor interface {
	receive(from string, m proto.Message)
	exited(peer string)
}

// process is one OS process in all its incarnations.
type process struct {
	net     *network
	address string // host:port; port 0 if nobody can dial it
	life    int    // counts incarnations
	up      bool
	cut     bool // no packet gets in or out
	actors  map[string]actor
	links   map[*process]*link
	watches map[*process][]watch // by where the peer is; nil if there is no such place
	timers  map[string]uint64    // key to the number of its newest setting
	timer   uint64
}

// watch is an actor's wish to hear of a peer's end.
type watch struct {
	who  string // the actor's name
	peer string // as the actor named it
	at   *process
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

// parcel is something on its way to one side of a link.
type parcel struct {
	to     *process
	arrive func()
}

func newNetwork(w *world) *network { return &network{world: w, processes: make(map[string]*process)} }

// process makes a process that does not run yet.
func (n *network) process(address string) *process {
	p := &process{net: n, address: address}
	n.processes[address] = p
	return p
}

func (p *process) dialable() bool { return !strings.HasSuffix(p.address, ":0") }

// start begins a new incarnation without actors.
func (p *process) start() {
	p.life++
	p.up = true
	p.actors = make(map[string]actor)
	p.links = make(map[*process]*link)
	p.timers = make(map[string]uint64)
	p.watches = make(map[*process][]watch)
	p.net.note("%s starts, life %d", p.address, p.life)
}

// kill ends the process at once. Its peers learn it by their links.
func (p *process) kill() {
	if !p.up {
		return
	}
	p.net.note("%s is killed", p.address)
	p.up = false
	for _, other := range p.peers() {
		p.net.breakLink(p.links[other], p)
	}
	p.actors, p.timers, p.watches, p.links = nil, nil, nil, nil
}

// peers lists the processes that p has links to, in a fixed order.
func (p *process) peers() []*process {
	list := make([]*process, 0, len(p.links))
	for other := range p.links {
		list = append(list, other)
	}
	slices.SortFunc(list, func(a, b *process) int { return strings.Compare(a.address, b.address) })
	return list
}

// pid is the printed address of an actor of this incarnation.
func (p *process) pid(name string) string {
	return fmt.Sprintf("%s@%s#%d", name, p.address, p.life)
}

// run does what the process asked for, unless it has died since.
func (p *process) later(d time.Duration, run func()) {
	life := p.life
	p.net.after(d, func() {
		if p.up && p.life == life {
			run()
		}
	})
}

// setTimer replaces a timer of the process; fire runs in it.
func (p *process) setTimer(key string, d time.Duration, fire func()) {
	p.timer++
	number := p.timer
	p.timers[key] = number
	p.later(d, func() {
		if p.timers[key] == number {
			delete(p.timers, key)
			fire()
		}
	})
}

func (p *process) cancelTimer(key string) { delete(p.timers, key) }

// parse splits "name@host:port#life"; life is empty when none is named.
func parse(pid string) (name, address, life string) {
	rest, life, _ := strings.Cut(pid, "#")
	name, address, _ = strings.Cut(rest, "@")
	return name, address, life
}

// accepts tells whether an address with that life means this incarnation.
func (p *process) accepts(life string) bool { return life == "" || life == fmt.Sprint(p.life) }

// send sends a message from an actor of p to an actor anywhere.
func (p *process) send(who, to string, m proto.Message) {
	n := p.net
	if n.tamper != nil && !n.tamper(p.pid(who), to, m) {
		return
	}
	n.sent++
	p.carry(who, to, m)
	if n.repeatOneIn > 0 && repeatable(m) && n.oneIn(n.repeatOneIn) {
		p.carry(who, to, m)
	}
}

func (p *process) carry(who, to string, m proto.Message) {
	name, address, life := parse(to)
	target := p.net.processes[address]
	from := p.pid(who)
	arrive := func() { target.deliver(from, name, life, m) }
	switch {
	case target == nil:
	case target == p:
		p.later(time.Microsecond, arrive)
	default:
		if l := p.linkTo(target); l != nil {
			p.net.transmit(l, parcel{target, arrive})
		}
	}
}

// deliver hands a message to its actor, unless it is meant for another
// incarnation.
func (p *process) deliver(from, name, life string, m proto.Message) {
	if !p.up || !p.accepts(life) {
		return
	}
	a := p.actors[name]
	if a == nil {
		return
	}
	p.net.traceMessage(from, p.pid(name), m)
	a.receive(from, m)
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
	p.later(n.latency(), func() { n.dialed(l) })
	return l
}

// dialed ends the dial of a link.
func (n *network) dialed(l *link) {
	dialer, target := l.ends[0], l.ends[1]
	switch {
	case l.broken:
	case dialer.cut || target.cut:
		dialer.later(dialGivenUp, func() { n.breakLink(l, target) })
	case !target.up:
		n.breakLink(l, target)
	default:
		n.establish(l)
	}
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

// transmit carries something over a link, in order. What is sent into a link
// whose end the sender has not noticed is lost.
func (n *network) transmit(l *link, p parcel) {
	switch {
	case l.broken:
		return
	case !l.open || l.ends[0].cut || l.ends[1].cut:
		l.held = append(l.held, p)
		return
	}
	side := 0
	if l.ends[1] == p.to {
		side = 1
	}
	at := n.now.Add(n.latency())
	if at.Before(l.last[side]) {
		at = l.last[side]
	}
	l.last[side] = at
	n.at(at, func() {
		if !l.broken && p.to.up && p.to.life == l.lives[side] {
			p.arrive()
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
		wait := n.latency()
		if l.ends[0].cut || l.ends[1].cut {
			wait = n.between(silenceNoticed/2, silenceNoticed)
		}
		n.after(wait, func() { n.notice(l, side) })
	}
}

// notice tells one side's actors of the end of a link, once.
func (n *network) notice(l *link, side int) {
	p, other := l.ends[side], l.ends[1-side]
	if l.noticed[side] || !p.up || p.life != l.lives[side] {
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

func (p *process) tellExited(who, peer string) {
	if a := p.actors[who]; p.up && a != nil {
		p.net.record(func() string { return p.pid(who) + " hears that " + peer + " exited" }, "exited", p.pid(who), peer)
		a.exited(peer)
	}
}

// watch asks for one exited(peer): when the link ends, or at once when there
// is no such actor.
func (p *process) watch(who, peer string) {
	name, address, life := parse(peer)
	target := p.net.processes[address]
	w := watch{who, peer, target}
	if slices.Contains(p.watches[target], w) {
		return
	}
	p.watches[target] = append(p.watches[target], w)
	if target == p {
		return
	}
	var l *link
	if target != nil {
		l = p.linkTo(target)
	}
	if l == nil {
		p.later(time.Millisecond, func() { p.lost(w) })
		return
	}
	p.net.transmit(l, parcel{target, func() {
		if target.actors[name] == nil || !target.accepts(life) {
			p.net.transmit(l, parcel{p, func() { p.lost(w) }})
		}
	}})
}

// lost tells of one watch, if it still stands.
func (p *process) lost(w watch) {
	if p.unwatch(w.who, w.peer) {
		p.tellExited(w.who, w.peer)
	}
}

func (p *process) unwatch(who, peer string) bool {
	_, address, _ := parse(peer)
	target := p.net.processes[address]
	at := slices.Index(p.watches[target], watch{who, peer, target})
	if at < 0 {
		return false
	}
	p.watches[target] = slices.Delete(p.watches[target], at, at+1)
	return true
}

// stopActor ends one actor of a living process; those that watch it are told.
func (p *process) stopActor(name string) {
	delete(p.actors, name)
	for _, w := range p.watchersOf(p, name) {
		p.later(time.Microsecond, func() { p.lost(w) })
	}
	for _, other := range p.peers() {
		for _, w := range p.watchersOf(other, name) {
			p.net.transmit(p.links[other], parcel{other, func() { other.lost(w) }})
		}
	}
}

// watchersOf lists the watches of an actor of p that another process has.
func (p *process) watchersOf(other *process, name string) (list []watch) {
	for _, w := range other.watches[p] {
		if watched, _, _ := parse(w.peer); watched == name {
			list = append(list, w)
		}
	}
	return list
}

// partition cuts a process off for a time. Links that last so long break.
func (n *network) partition(p *process, d time.Duration) {
	if p.cut {
		return
	}
	p.cut = true
	n.note("%s is cut off for %v", p.address, d.Round(time.Millisecond))
	for _, other := range p.peers() {
		l := p.links[other]
		n.after(n.between(silenceNoticed/2, silenceNoticed), func() {
			if p.cut {
				n.breakLink(l, nil)
			}
		})
	}
	n.after(d, func() { n.heal(p) })
}

func (n *network) heal(p *process) {
	p.cut = false
	n.note("%s is connected again", p.address)
	for _, other := range p.peers() {
		if l := p.links[other]; l.open && !other.cut {
			n.release(l)
		}
	}
}

func (n *network) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.record(func() string { return text }, text)
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
	n.record(func() string { return fmt.Sprintf("%s -> %s %s %v", from, to, name, m) }, from, to, name, content)
}
