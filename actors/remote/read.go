package remote

import (
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors/remote/frame"
)

const (
	// idleRead is the room that a quiet link reads into.
	idleRead = 1 << 10
	// ackEvery is how many messages are taken at most without one being
	// acknowledged.
	ackEvery = 1024
	// partingTime is how long the peer may take to hang up after its goodbye.
	partingTime = 2 * time.Second
)

func newReader(l *link) *reader {
	r := &reader{l: l, in: inbox{most: l.p.t.cfg.Limits.MaxMessage}, buf: make([]byte, idleRead)}
	r.small = r.buf
	r.tap = newTap(r)
	r.next = Delivery{Principal: l.principal, From: l.pid(""), To: l.p.t.pid("")}
	return r
}

// read takes frames until the connection ends or makes no sense, and tells why,
// or until another goroutine reads on: errRelieved.
func (r *reader) read() error {
	l := r.l
	for {
		n, err := r.pull()
		if n > 0 {
			r.burst += n
			l.last.heard.Store(l.p.t.now())
			l.p.counters.bytesIn.Add(uint64(n))
			r.end += n
			full := r.end == len(r.buf)
			if err := r.frames(); err != nil {
				r.release()
				l.p.t.complaints.Warn("a peer does not keep to the protocol", zap.String("peer", l.remote.Address),
					zap.String("incarnation", l.remote.Incarnation), zap.Error(err))
				return fmt.Errorf("lost: %w", err)
			}
			if full {
				r.grow(len(r.buf) + 1)
			}
			if !r.work() {
				return errRelieved
			}
		}
		if err != nil {
			return l.over(err)
		}
	}
}

// over says why there is nothing more to read.
func (l *link) over(err error) error {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	switch {
	case l.parting.heard:
		return errPeerClosed
	case errors.Is(err, io.EOF):
		return errors.New("lost: the peer hung up")
	}
	return fmt.Errorf("lost: %w", err)
}

// reader is the state of a link's reader goroutine.
type reader struct {
	l     *link
	in    inbox
	tap   *tap // nil: the connection has no descriptor to read from
	buf   []byte
	end   int    // of what was read into buf
	small []byte // the room of a link without anything to read
	block *block // the room of another
	burst int    // bytes that came since there last was nothing to read
	usual int    // the same of the time before, for which room is made
	unack int    // messages taken since the writer was last told
	came  int    // messages not counted yet
	made  Work   // of the last message
	next  Delivery
}

// frames handles all whole frames in the buffer and moves what is left to its
// front.
func (r *reader) frames() error {
	at := 0
	for {
		k, payload, n, err := frame.Next(r.buf[at:r.end])
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if err := r.frame(k, payload); err != nil {
			return err
		}
		at += n
	}
	if at > 0 {
		r.end = copy(r.buf, r.buf[at:r.end])
	}
	r.l.p.counters.messagesIn.Add(uint64(r.came))
	r.came = 0
	return nil
}

func (r *reader) frame(k frame.Kind, payload []byte) error {
	if k == frame.Message || k == frame.Keyed {
		a, err := r.in.message(k, payload)
		if err != nil {
			return err
		}
		r.l.taken.whole.Add(1) // first, so that an answer acknowledges it
		r.deliver(a)
		r.owe()
		return nil
	}
	switch k {
	case frame.Name, frame.Type:
		return r.in.define(k, payload)
	case frame.Ack:
		return r.l.confirm(payload)
	case frame.Begin:
		return r.in.begin(payload)
	case frame.Chunk:
		return r.chunk(payload)
	case frame.Reset:
		return r.in.reset(payload)
	case frame.Goodbye:
		return r.goodbye(payload)
	default:
		return r.linkFrame(k, payload)
	}
}

func (r *reader) chunk(payload []byte) error {
	a, complete, err := r.in.chunk(payload)
	if err != nil || !complete {
		return err
	}
	r.l.taken.bulk.Add(1)
	r.deliver(a)
	r.owe()
	return nil
}

// owe sees to it that what was taken is acknowledged in time.
func (r *reader) owe() {
	r.came++
	if r.unack++; r.unack >= ackEvery {
		r.unack = 0
		r.l.acknowledge()
		return
	}
	if !r.l.owes.Load() { // only this goroutine sets it
		r.l.owes.Store(true)
		r.l.p.t.acks.plan(r.l)
	}
}

// deliver decodes a message and hands it over, unless something forbids it.
func (r *reader) deliver(a arrival) {
	l, t, d := r.l, r.l.p.t, &r.next
	d.From.Name, d.To.Name = withKey(a.sender, a.keys.Sender), withKey(a.target, a.keys.Target)
	d.Memo, d.Size = a.memo, len(a.body)
	var err error
	d.Message, err = l.decode(a)
	if err == nil && t.cfg.Policy != nil {
		err = t.cfg.Policy.Allow(l.principal, d.From, d.To, a.typ.name)
	}
	if err != nil {
		l.p.counters.rejected.Add(1)
		t.cfg.Receiver.Rejected(d.From, d.To, l.principal, a.typ.name, err)
		return
	}
	r.release()
	r.made = t.cfg.Receiver.Deliver(d)
	d.Message = nil
}

// decoding adds to a message that was just made, and is empty.
var decoding = proto.UnmarshalOptions{Merge: true}

func (l *link) decode(a arrival) (proto.Message, error) {
	if a.typ.made == nil {
		return nil, fmt.Errorf("remote: type %s is unknown here", a.typ.name)
	}
	m := a.typ.made.New().Interface()
	if err := decoding.Unmarshal(a.body, m); err != nil {
		return nil, fmt.Errorf("remote: body of %s, %d bytes: %w", a.typ.name, len(a.body), err)
	}
	return m, nil
}

// confirm handles an Ack.
func (l *link) confirm(payload []byte) error {
	whole, bulk, err := frame.ParseAck(payload)
	if err != nil {
		return err
	}
	l.p.mu.Lock()
	n, err := l.out.confirm(whole, bulk)
	l.p.mu.Unlock()
	l.p.counters.messagesOut.Add(uint64(n))
	return err
}

// goodbye handles the peer's last frame: what it did not take it will not
// take any more.
func (r *reader) goodbye(payload []byte) error {
	if _, err := frame.ParseText(frame.Goodbye, payload); err != nil {
		return err
	}
	l := r.l
	if err := l.conn.SetReadDeadline(time.Now().Add(partingTime)); err != nil {
		return err
	}
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.parting.heard = true
	l.acked.due = true
	if !l.parting.said {
		l.out.discard()
		l.parting.wanted = true
		l.out.addAck(l.taken.whole.Load(), l.taken.bulk.Load())
		l.out.addGoodbye("closed")
		l.parting.said = true
		l.acked.due = false
	}
	l.rouse()
	return nil
}

// linkFrame handles Link, Unlink and Exited.
func (r *reader) linkFrame(k frame.Kind, payload []byte) error {
	var p frame.Pair
	var reason string
	var err error
	if k == frame.Exited {
		p, reason, err = frame.ParseExited(payload)
	} else {
		p, err = frame.ParsePair(k, payload)
	}
	if err != nil {
		return err
	}
	watcher, watched, err := r.in.pair(k, p)
	if err != nil {
		return err
	}
	switch k {
	case frame.Exited:
		r.exited(watcher, watched, reason)
		return nil
	case frame.Link:
		return r.watched(watcher, watched)
	default:
		r.unwatched(watcher, watched)
		return nil
	}
}

func (r *reader) exited(watcher, watched, reason string) {
	k := pair{watcher, watched}
	p := r.l.p
	p.mu.Lock()
	over := p.watches[k]
	delete(p.watches, k)
	p.mu.Unlock()
	p.exit(over, reason)
}

func (r *reader) watched(watcher, watched string) error {
	l := r.l
	k := pair{watcher, watched}
	l.p.mu.Lock()
	_, known := l.watched[k]
	count := len(l.watched)
	if !known && count < l.p.t.cfg.Limits.MaxWatches {
		if l.watched == nil {
			l.watched = map[pair]struct{}{}
		}
		l.watched[k] = struct{}{}
	}
	l.p.mu.Unlock()
	switch {
	case known:
	case count >= l.p.t.cfg.Limits.MaxWatches:
		return fmt.Errorf("malformed link frame: watch %d of one link, over %d", count+1, l.p.t.cfg.Limits.MaxWatches)
	default:
		l.p.t.cfg.Receiver.Watch(l.pid(watcher), l.p.t.pid(watched))
	}
	return nil
}

func (r *reader) unwatched(watcher, watched string) {
	l := r.l
	k := pair{watcher, watched}
	l.p.mu.Lock()
	_, known := l.watched[k]
	delete(l.watched, k)
	l.p.mu.Unlock()
	if known {
		l.p.t.cfg.Receiver.Unwatch(l.pid(watcher), l.p.t.pid(watched))
	}
}
