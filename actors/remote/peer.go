package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// errForgotten says that a peer was dropped from the table and must be looked
// up again.
var errForgotten = errors.New("remote: peer forgotten")

// peer is what is known of another system, whether linked or not.
type peer struct {
	t        *Transport
	key      peerKey
	dialable bool
	counters counters

	mu        sync.Mutex // taken before that of a peer whose alias this is, and before the transport's
	forgotten bool
	alias     *peer   // the linked system that answered to this address
	aliases   []*peer // the other direction
	link      *link
	before    <-chan struct{} // closed when all is told of the link before
	attempt   *attempt        // to dial
	pending   []letter        // until there is a link
	load      int             // cost of pending
	watches   watches         // of actors here over actors there
	seen      uint64          // highest dial of theirs that became a link
	seenOf    string          // the incarnation that dialed it
	fails     int             // dials and short links in a row
	notBefore int64           // no dial earlier than that
	idleSince int64           // without link and attempt
}

// watch is one wish to be told of an actor's end.
type watch struct{ watcher, watched address.PID }

// watches are found by name, for that is what a peer answers with; the same
// actor may be watched under more than one address.
type watches map[pair][]watch

// attempt is one try to dial a peer.
type attempt struct {
	ctx      context.Context
	cancel   context.CancelFunc
	attached uint64 // its number, once the peer may have made it the link
}

// post takes a letter, or tells a Reason why not, or errForgotten.
func (p *peer) post(m *letter) error {
	p.mu.Lock()
	l := p.link
	switch a := p.alias; {
	case a != nil:
		p.mu.Unlock()
		return a.post(m)
	case l == nil:
		err := p.hold(m)
		a := p.attempt
		p.mu.Unlock()
		if a != nil && errors.Is(err, OverBudget) {
			p.overrun(a)
		}
		return err
	}
	if err := l.post(m); err != nil {
		p.mu.Unlock()
		return err
	}
	claimed := l.claim()
	if !claimed {
		l.rouse()
	}
	p.mu.Unlock()
	if claimed {
		l.deliver()
	}
	return nil
}

// overrun gives up what waits for a link: the peer does not get all of it.
func (p *peer) overrun(a *attempt) {
	p.mu.Lock()
	if p.link != nil {
		p.link.overrun() // it has come meanwhile
	}
	p.mu.Unlock()
	a.cancel()
	p.fail(a, errOverBudget)
}

// hold keeps a letter until there is a link. The caller has locked.
func (p *peer) hold(m *letter) error {
	switch {
	case p.forgotten:
		return errForgotten
	case p.load+m.cost() > p.t.cfg.Limits.QueueBytes:
		return OverBudget
	}
	if err := p.dial(); err != nil {
		return err
	}
	p.pending = append(p.pending, m.own())
	p.load += m.cost()
	return nil
}

// dial starts an attempt unless one is under way.
func (p *peer) dial() error {
	switch {
	case p.attempt != nil:
		return nil
	case !p.dialable:
		return Unreachable
	}
	a := p.t.newAttempt()
	if !p.t.spawn(func() { p.t.try(p, a) }) {
		a.cancel()
		return Closed
	}
	p.attempt = a
	return nil
}

// watch begins to watch, or tells why that is over at once.
func (p *peer) watch(watcher, watched address.PID) error {
	p.mu.Lock()
	if a := p.alias; a != nil {
		p.mu.Unlock()
		return a.watch(watcher, watched)
	}
	defer p.mu.Unlock()
	switch {
	case p.forgotten:
		return errForgotten
	case p.link != nil:
		if err := p.link.open(watched); err != nil {
			return err
		}
	default:
		if err := p.dial(); err != nil {
			return err
		}
	}
	if p.watches.add(watch{watcher, watched}) && p.link != nil {
		p.link.tell(frame.Link, watcher, watched, "")
	}
	return nil
}

// add tells whether nobody of that name watched an actor of that name before.
func (ws *watches) add(w watch) bool {
	if *ws == nil {
		*ws = watches{}
	}
	k := pair{w.watcher.Name, w.watched.Name}
	list := (*ws)[k]
	if !slices.Contains(list, w) {
		(*ws)[k] = append(list, w)
	}
	return len(list) == 0
}

func (p *peer) unwatch(watcher, watched address.PID) {
	p.mu.Lock()
	if a := p.alias; a != nil {
		p.mu.Unlock()
		a.unwatch(watcher, watched)
		return
	}
	defer p.mu.Unlock()
	k := pair{watcher.Name, watched.Name}
	list := p.watches[k]
	i := slices.Index(list, watch{watcher, watched})
	if i < 0 {
		return
	}
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		p.watches[k] = list
		return
	}
	delete(p.watches, k)
	if p.link != nil {
		p.link.tell(frame.Unlink, watcher, watched, "")
	}
}

// ended passes on that a local actor ended, if the peer still wants to know.
func (p *peer) ended(watcher, watched address.PID, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link == nil || p.link.remote.Incarnation != watcher.Incarnation {
		return
	}
	k := pair{watcher.Name, watched.Name}
	if _, ok := p.link.watched[k]; ok {
		delete(p.link.watched, k)
		p.link.tell(frame.Exited, watcher, watched, reason)
	}
}

// install makes l the link: what waited goes out over it. The caller has
// locked, and calls the function that comes back after unlocking.
func (p *peer) install(l *link) func() {
	if p.attempt != nil {
		p.attempt.cancel()
		p.attempt = nil
	}
	p.link = l
	l.before, p.before = p.before, l.done
	if !l.remote.Dialed {
		p.seen, p.seenOf = l.seq, l.remote.Incarnation
	}
	p.t.linked.Add(1)
	pending, ws := p.pending, p.watches
	p.pending, p.load, p.watches = nil, 0, nil
	return p.adopt(pending, ws)
}

// adopt takes what waited for the peer, here or under another address. It is
// called like install.
func (p *peer) adopt(pending []letter, ws watches) func() {
	if p.link == nil {
		for _, m := range pending {
			p.pending = append(p.pending, m)
			p.load += m.cost()
		}
		for _, w := range ws.flat() {
			p.watches.add(w)
		}
		return func() {}
	}
	var over []watch
	for _, w := range ws.flat() {
		if p.link.open(w.watched) != nil {
			over = append(over, w)
		} else if p.watches.add(w) {
			p.link.tell(frame.Link, w.watcher, w.watched, "")
		}
	}
	var dead []obituary
	for _, m := range pending {
		if err := p.link.post(&m); err != nil {
			dead = append(dead, m.obituary(err))
		}
	}
	p.link.rouse()
	return func() {
		p.bury(dead, nil)
		p.exit(over, Stale.Error())
	}
}

// fail ends an attempt that made no link.
func (p *peer) fail(a *attempt, cause error) {
	p.mu.Lock()
	if p.attempt != a {
		p.mu.Unlock()
		return
	}
	p.attempt = nil
	p.idleSince = p.t.now()
	p.backOff()
	reason := Unreachable
	if p.t.ctx.Err() != nil {
		reason = Closed
	}
	dead := make([]obituary, 0, len(p.pending))
	for _, m := range p.pending {
		dead = append(dead, m.obituary(reason))
	}
	p.pending, p.load = nil, 0
	over := p.watches.flat()
	p.watches = nil
	aliases := p.aliases
	p.aliases = nil
	p.mu.Unlock()
	unalias(aliases)
	p.bury(dead, cause)
	p.exit(over, fmt.Sprintf("%v: %v", reason, cause))
}

func unalias(peers []*peer) {
	for _, p := range peers {
		p.mu.Lock()
		p.alias = nil
		p.idleSince = p.t.now()
		p.mu.Unlock()
	}
}

// backOff puts the next dial off, by a random time that grows with each
// failure.
func (p *peer) backOff() {
	l := p.t.cfg.Limits
	d := l.BackoffMin << min(p.fails, 20)
	if d > l.BackoffMax || d <= 0 {
		d = l.BackoffMax
	}
	p.fails++
	p.notBefore = p.t.now() + int64(d/2) + rand.Int64N(int64(d/2)+1)
}

// steady is how long a link must live to prove that dialing was right.
const steady = time.Second

// finish takes leave of a link whose goroutines have ended.
func (p *peer) finish(l *link) {
	p.mu.Lock()
	p.link = nil
	p.idleSince = p.t.now()
	if time.Since(l.since) >= steady {
		p.fails, p.notBefore = 0, 0
	} else {
		p.backOff()
	}
	cause := l.cause
	dead := l.out.drain()
	over := p.watches.flat()
	p.watches = nil
	watched := l.watched
	l.watched = nil
	aliases := p.aliases
	p.aliases = nil
	p.mu.Unlock()

	p.t.linked.Add(-1)
	unalias(aliases)
	p.bury(dead, cause)
	p.exit(over, cause.Error())
	for k := range watched {
		p.t.cfg.Receiver.Unwatch(l.pid(k.from), p.t.pid(k.to))
	}
	close(l.done)
}

func (ws watches) flat() []watch {
	var all []watch
	for _, list := range ws {
		all = append(all, list...)
	}
	return all
}

// bury hands letters to the Receiver as dead.
func (p *peer) bury(dead []obituary, cause error) {
	var reason [reasons]error
	for _, d := range dead {
		p.counters.dead[d.reason].Add(1)
		if reason[d.reason] == nil {
			reason[d.reason] = d.reason
			if cause != nil {
				reason[d.reason] = fmt.Errorf("%w: %w", d.reason, cause)
			}
		}
		p.t.cfg.Receiver.DeadLetter(d.from, d.to, d.typ, reason[d.reason])
	}
}

func (p *peer) exit(over []watch, reason string) {
	for _, w := range over {
		p.t.cfg.Receiver.Exited(w.watcher, w.watched, reason)
	}
}

// info describes the peer; not one that is only another's other address.
func (p *peer) info() (PeerInfo, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := PeerInfo{Address: p.key.address, Incarnation: p.key.incarnation, QueuedBytes: p.load, Watching: len(p.watches)}
	if l := p.link; l != nil {
		i.Incarnation, i.Principal = l.remote.Incarnation, l.principal
		i.Linked, i.Dialed, i.Since = true, l.remote.Dialed, l.since
		i.Silence = time.Duration(p.t.now() - l.last.heard.Load())
		i.QueuedBytes, i.Watched = l.out.load, len(l.watched)
	}
	i.Traffic = p.counters.read()
	return i, p.alias == nil && !p.forgotten
}
