package simulate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// process is one OS process in all its incarnations.
type process struct {
	net     *network
	address string // host:port; port 0 if nobody can dial it
	site    string // processes of one machine are never apart
	life    int    // counts incarnations
	name    string // of the incarnation
	suffix  string // of the addresses of its actors
	up      bool
	ailments
	actors  map[string]actor
	missed  func() // lets an actor come that is still to; nil if none is
	links   map[*process]*link
	watches map[*process][]watch // by where the peer is; nil if there is no such place
	timers  map[string]uint64    // key to the number of its newest setting
	timer   uint64
	// Takes the sender of a message for another; for tests of oracles.
	ears func(from string) string
}

// ailments of a process.
type ailments struct {
	cut     bool // no packet gets in or out of its machine
	paused  bool // it does nothing
	backlog []func()
	dials   []*link       // to it, not answered
	woke    time.Time     // when it was paused last
	off     time.Duration // of its machine's clock, from the true time
	fuse    int           // effects until it dies; 0 is never
}

// watch is an actor's wish to hear of a peer's end.
type watch struct {
	who  string // the actor's name
	peer string // as the actor named it
	at   *process
}

// process makes a process that does not run yet.
func (n *network) process(address string) *process {
	p := &process{net: n, address: address, site: address, ears: func(from string) string { return from }}
	n.processes[address] = p
	return p
}

func (p *process) dialable() bool { return !strings.HasSuffix(p.address, ":0") }

// start begins a new incarnation without actors.
func (p *process) start() {
	p.life++
	p.up = true
	p.name = strconv.Itoa(p.life)
	p.suffix = "@" + p.address + "#" + p.name
	p.actors, p.missed = make(map[string]actor), nil
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
	p.up, p.paused, p.backlog, p.fuse = false, false, nil, 0
	for _, other := range p.peers() {
		p.net.breakLink(p.links[other], p)
	}
	for _, l := range p.dials {
		p.net.breakLink(l, p)
	}
	p.actors, p.timers, p.watches, p.links, p.dials = nil, nil, nil, nil, nil
}

// comes lets an actor begin some time after its process listens: at times just when
// somebody was told that it is not there.
func (p *process) comes(d time.Duration, begin func()) {
	life := p.life
	come := func() {
		if p.missed != nil && p.life == life {
			p.missed = nil
			begin()
		}
	}
	p.missed = come
	p.later(d, come)
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
func (p *process) pid(name string) string { return name + p.suffix }

// now is what the process takes for the time.
func (p *process) now() time.Time {
	return reading(p.net.now.Add(p.off), p.net.now.Sub(p.net.begin))
}

// later lets something happen to this incarnation.
func (p *process) later(d time.Duration, run func()) {
	life := p.life
	p.net.after(d, func() { p.wake(life, run) })
}

// wake lets something happen to an incarnation now, or when it is no longer
// paused; to one that is dead, never.
func (p *process) wake(life int, run func()) {
	switch {
	case !p.up || p.life != life:
	case p.paused:
		p.backlog = append(p.backlog, func() { p.wake(life, run) })
	default:
		run()
	}
}

func (p *process) resume() {
	if !p.paused {
		return
	}
	p.paused, p.woke = false, p.net.now
	p.net.note("%s goes on", p.address)
	backlog, dials := p.backlog, p.dials
	p.backlog, p.dials = nil, nil
	for _, run := range backlog {
		run()
	}
	for _, l := range dials {
		p.net.dialed(l)
	}
}

// burns counts an effect that is about to be performed, and tells whether the
// process is to die instead.
func (p *process) burns() bool {
	if p.fuse == 0 {
		return false
	}
	p.fuse--
	return p.fuse == 0
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
func (p *process) accepts(life string) bool { return life == "" || life == p.name }

// send sends a message from an actor of p to an actor anywhere.
func (p *process) send(who, to string, m proto.Message) {
	n := p.net
	if n.tamper != nil && !n.tamper(p, who, to, m) {
		return
	}
	n.sent++
	n.judge(p, m)
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

func (p *process) tellExited(who, peer string) {
	if a := p.actors[who]; p.up && a != nil {
		p.net.mark("exited", p.pid(who), peer)
		if p.net.keeps() {
			p.net.keep(func() string { return p.pid(who) + " hears that " + peer + " exited" })
		}
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
			if target.missed != nil && p.net.oneIn(3) {
				target.missed()
			}
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
