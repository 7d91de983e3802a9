package remote

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// errPeerClosed ends the link with a peer that said goodbye; its text is what
// linked actors are told.
var errPeerClosed = errors.New("closed")

// link is a live connection with a peer. A goroutine reads from it, and while
// there is something to write another writes; when both have ended for good, the
// reader takes leave of it.
type link struct {
	turn
	p         *peer
	conn      net.Conn
	remote    Peer
	principal string
	seq       uint64 // of the dial
	since     time.Time
	taken     struct{ whole, bulk atomic.Uint64 } // messages, by the reader
	last      struct{ heard, wrote atomic.Int64 } // when a byte came, and when a write ended
	owes      atomic.Bool                         // an acknowledgement is planned
	reading   reading
	writing   writing
	direct    *direct // used by whoever claimed it

	// The peer's lock guards the rest.
	out     outbox
	watched map[pair]struct{} // there by here
	acked   acked
	idle    bool // there is no writer
	parting parting
	cause   error // that ended the link
	stall   stall
}

// reading is who reads.
type reading struct {
	reader *reader      // used by the one who does
	lent   atomic.Int64 // since when that is away, for work; 0: it is not
}

// writing is the writer's own.
type writing struct {
	batch []*block
	parts [][]byte
	ended chan struct{} // closed when there will be no writer any more
}

// turn keeps the news of successive links with a peer in order.
type turn struct {
	done   chan struct{}   // closed when all is told
	before <-chan struct{} // closed when all is told of the link before; may be nil
}

// acked is what this side has acknowledged.
type acked struct {
	whole, bulk uint64
	due         bool // do so again with the next write, which is wanted now
}

// parting is how far an orderly end has come.
type parting struct {
	wanted bool // say goodbye when all is written
	said   bool
	heard  bool
}

// stall is the pulse's note of when the peer last took something.
type stall struct {
	progress uint64
	since    int64
}

func newLink(p *peer, g greeting, seq uint64) *link {
	l := &link{
		p: p, conn: g.conn, direct: newDirect(g.conn), remote: g.peer, principal: g.principal, seq: seq, since: time.Now(),
		writing: writing{ended: make(chan struct{})}, turn: turn{done: make(chan struct{})},
	}
	now := p.t.now()
	l.last.heard.Store(now)
	l.last.wrote.Store(now)
	return l
}

// start runs the link.
func (l *link) start() {
	l.p.t.log.Debug("linked", zap.String("peer", l.remote.Address), zap.String("incarnation", l.remote.Incarnation),
		zap.String("principal", l.principal), zap.Bool("dialed", l.remote.Dialed))
	l.p.t.running.Go(l.run)
}

func (l *link) run() {
	go l.write()
	if l.before != nil {
		<-l.before
	}
	l.reading.reader = newReader(l)
	l.serve()
}

// serve reads to the end, and then takes leave of the link.
func (l *link) serve() {
	err := l.reading.reader.read()
	if err == errRelieved { //nolint:errorlint // never wrapped
		return
	}
	l.reading.reader.shrink()
	l.end(err)
	<-l.writing.ended
	l.p.t.log.Debug("link ended", zap.String("peer", l.remote.Address), zap.String("incarnation", l.remote.Incarnation), zap.Error(l.cause))
	l.p.finish(l)
}

// end breaks the link, if nothing did before, because of err.
func (l *link) end(err error) {
	l.p.mu.Lock()
	if l.cause == nil {
		l.cause = err
	}
	l.rouse()
	l.p.mu.Unlock()
	_ = l.conn.Close() // the link is over either way
}

// rouse starts a writer if there is none. The caller has locked.
func (l *link) rouse() {
	if l.idle {
		l.idle = false
		go l.write()
	}
}

// open tells why nothing can be sent to an actor over this link, if so. The
// caller has locked.
func (l *link) open(to address.PID) error {
	switch {
	case to.Incarnation != "" && to.Incarnation != l.remote.Incarnation:
		return Stale
	case l.cause != nil || l.parting.said || l.parting.wanted:
		return Lost
	}
	return nil
}

// errOverBudget ends a link whose peer is behind. If it went on, what is sent
// later would arrive, and nobody would be told that something before it did not.
var errOverBudget = fmt.Errorf("%w: more waits for the peer than Limits.QueueBytes", OverBudget)

// overrun breaks the link of a peer that is behind. The caller has locked, and
// cannot wait for the connection to close.
func (l *link) overrun() {
	if l.cause == nil {
		l.cause = errOverBudget
		go l.end(errOverBudget)
	}
}

// post takes a letter, or tells a Reason why not. The caller has locked, and
// sees to it that the letter is written.
func (l *link) post(m *letter) error {
	if err := l.open(m.to); err != nil {
		return err
	}
	if l.out.load+m.cost() > l.p.t.cfg.Limits.QueueBytes {
		l.overrun()
		return OverBudget
	}
	l.out.add(m)
	return nil
}

// tell sends a frame about a link of actors. The caller has locked.
func (l *link) tell(k frame.Kind, watcher, watched address.PID, reason string) {
	if l.cause == nil && !l.parting.said {
		l.out.addLink(k, watcher, watched, reason)
		l.rouse()
	}
}

// acknowledge makes the writer tell what was taken, or at least that this
// side lives.
func (l *link) acknowledge() {
	l.p.mu.Lock()
	l.acked.due = true
	l.rouse()
	l.p.mu.Unlock()
}

// part asks the writer to say goodbye when all is written.
func (l *link) part() {
	l.p.mu.Lock()
	l.parting.wanted = true
	l.rouse()
	l.p.mu.Unlock()
}

// pid completes the name of an actor of the peer.
func (l *link) pid(name string) address.PID {
	return address.PID{Name: name, Address: l.remote.Address, Incarnation: l.remote.Incarnation}
}

// pid completes the name of an actor of this system.
func (t *Transport) pid(name string) address.PID {
	return address.PID{Name: name, Address: t.cfg.Address, Incarnation: t.cfg.Incarnation}
}
