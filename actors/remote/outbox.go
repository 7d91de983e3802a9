package remote

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// route is what the messages of one sender, receiver and type have in common
// on one link, with their numbers in the tables that are in force.
type route struct {
	from, to address.PID
	typ      protoreflect.FullName
	head     frame.Head
}

// parcel is something for the bulk lane: a message, or a frame of links that
// must not overtake one.
type parcel struct {
	letter
	kind   frame.Kind // Message, Link, Unlink or Exited
	reason string     // Exited
}

// pair names a sender and a receiver.
type pair struct{ from, to string }

// outbox holds what goes out over one link. Messages up to a chunk's size go
// in the whole lane: encoded at once, written in batches. Longer ones go in
// the bulk lane, a chunk per batch, so that the others pass them; but what
// belongs to the same sender and receiver queues behind in the same lane, so
// that their order holds. Its user locks.
type outbox struct {
	blocks  []*block // frames for the writer
	routes  map[route]*route
	last    *route
	numbers tables
	bulk    queue[parcel]
	sent    int                          // bytes of the bulk lane's first message that are in frames
	held    map[pair]int                 // what waits in the bulk lane
	whole   ledger                       // encoded and not acknowledged, in the whole lane
	chunked ledger                       // the same of the bulk lane
	taken   int                          // of whole, how many a writer took
	beats   int                          // bytes of acknowledgements in blocks
	moved   uint64                       // bytes of all else that writers took
	load    int                          // cost of all that is not acknowledged
	counts  struct{ whole, bulk uint64 } // acknowledged
}

// tables are the numbers given to names and types.
type tables struct {
	names, types map[string]uint32
	bytes        int
}

// fits tells whether so many more names and types may get numbers.
func (t *tables) fits(names, bytes int) bool {
	return len(t.names)+names <= frame.MaxNames && len(t.types) < frame.MaxNames && t.bytes+bytes <= frame.MaxNameBytes
}

// add puts a message into its lane.
func (o *outbox) add(m *letter) {
	o.load += m.cost()
	if len(m.body) > frame.ChunkSize || o.behind(m.from.Name, m.to.Name) {
		o.addBulk(m)
		return
	}
	o.addWhole(m)
}

// addBulk stays out of add, whose stack every message pays for.
//
//go:noinline
func (o *outbox) addBulk(m *letter) {
	o.hold(&parcel{letter: m.own(), kind: frame.Message})
}

func (o *outbox) addWhole(m *letter) {
	r := o.route(m)
	b := o.room(frame.MaxHead + len(m.body))
	if m.keys == (frame.Keys{}) {
		b.b = frame.AppendMessage(b.b, r.head, m.body)
	} else {
		b.b = frame.AppendKeyed(b.b, r.head, m.keys, m.body)
	}
	o.whole.add(r, m.keys, m.cost())
}

// behind tells whether something of the same pair waits in the bulk lane.
func (o *outbox) behind(from, to string) bool {
	return len(o.held) > 0 && o.held[pair{from, to}] > 0
}

func (o *outbox) hold(p *parcel) {
	if o.held == nil {
		o.held = map[pair]int{}
	}
	o.held[pair{p.from.Name, p.to.Name}]++
	o.bulk.push(*p)
}

func (o *outbox) release(p parcel) {
	k := pair{p.from.Name, p.to.Name}
	if o.held[k]--; o.held[k] == 0 {
		delete(o.held, k)
	}
}

// addLink puts a frame about a link of actors in its lane. A Link and Unlink
// go from the watcher, an Exited from the watched.
func (o *outbox) addLink(k frame.Kind, watcher, watched address.PID, reason string) {
	p := &parcel{letter: letter{from: watcher, to: watched}, kind: k, reason: reason}
	if k == frame.Exited {
		p.from, p.to = watched, watcher
	}
	if o.behind(p.from.Name, p.to.Name) {
		o.hold(p)
		return
	}
	o.writeLink(p)
}

func (o *outbox) writeLink(p *parcel) {
	watcher, watched := p.from, p.to
	if p.kind == frame.Exited {
		watcher, watched = watched, watcher
	}
	o.makeFit(len(watcher.Name) + len(watched.Name))
	ids := frame.Pair{Watcher: o.name(watcher.Name), Watched: o.name(watched.Name)}
	b := o.room(2*frame.MaxHead + frame.MaxText)
	switch p.kind {
	case frame.Link:
		b.b = frame.AppendLink(b.b, ids)
	case frame.Unlink:
		b.b = frame.AppendUnlink(b.b, ids)
	default:
		b.b = frame.AppendExited(b.b, ids, p.reason)
	}
}

func (o *outbox) addAck(whole, bulk uint64) {
	b := o.room(frame.MaxHead)
	before := len(b.b)
	b.b = frame.AppendAck(b.b, whole, bulk)
	o.beats += len(b.b) - before
}

func (o *outbox) addGoodbye(reason string) {
	b := o.room(frame.MaxHead + frame.MaxText)
	b.b = frame.AppendGoodbye(b.b, reason)
}

// room gives the last block, or a new one, with room for n bytes.
func (o *outbox) room(n int) *block {
	if k := len(o.blocks); k > 0 {
		if b := o.blocks[k-1]; b.room() >= n {
			return b
		}
		n = max(n, mediumBlock+1) // one small block per batch, then large ones
	}
	b := newBlock(n)
	o.blocks = append(o.blocks, b)
	return b
}

// waiting is how many bytes of frames no writer took.
func (o *outbox) waiting() int {
	n := 0
	for _, b := range o.blocks {
		n += len(b.b)
	}
	return n
}

// fill moves about a chunk from the bulk lane into frames.
func (o *outbox) fill() {
	if o.bulk.len() == 0 {
		return
	}
	for limit := o.waiting() + frame.ChunkSize; o.bulk.len() > 0 && o.waiting() < limit; {
		p := o.bulk.front()
		switch {
		case p.kind != frame.Message:
			o.writeLink(p)
		case len(p.body) <= frame.ChunkSize:
			o.addWhole(&p.letter)
		case !o.chunk(p):
			continue
		}
		o.release(o.bulk.pop())
	}
}

// chunk writes the next part of a long message and tells whether it was the
// last.
func (o *outbox) chunk(p *parcel) bool {
	r := o.route(&p.letter)
	if o.sent == 0 {
		b := o.room(frame.MaxHead)
		b.b = frame.AppendBegin(b.b, r.head, p.keys, len(p.body))
	}
	part := p.body[o.sent:min(o.sent+frame.ChunkSize, len(p.body))]
	b := o.room(frame.MaxHead + len(part))
	b.b = frame.AppendChunk(b.b, part)
	o.sent += len(part)
	if o.sent < len(p.body) {
		return false
	}
	o.sent = 0
	o.chunked.add(r, p.keys, p.cost())
	return true
}

// route gives the numbers for a message, announcing those that are new.
func (o *outbox) route(m *letter) *route {
	if r := o.last; r != nil && r.to == m.to && r.from == m.from && r.typ == m.typ {
		return r
	}
	return o.otherRoute(m)
}

func (o *outbox) otherRoute(m *letter) *route {
	key := route{from: m.from, to: m.to, typ: m.typ}
	r := o.routes[key]
	if r == nil {
		r = o.newRoute(key)
	}
	o.last = r
	return r
}

func (o *outbox) newRoute(key route) *route {
	o.makeFit(len(key.from.Name) + len(key.to.Name) + len(key.typ))
	r := key
	r.head.Target = o.name(r.to.Name)
	if r.from.Name != "" {
		r.head.Sender = o.name(r.from.Name)
	}
	r.head.Type = o.typeNumber(string(r.typ))
	if o.routes == nil {
		o.routes = map[route]*route{}
	}
	o.routes[key] = &r
	return &r
}

// makeFit starts the tables anew when two more names and a type, of so many
// bytes together, might not fit.
func (o *outbox) makeFit(bytes int) {
	if o.numbers.fits(2, bytes) && len(o.routes) < frame.MaxNames {
		return
	}
	b := o.room(frame.MaxHead)
	b.b = frame.AppendReset(b.b)
	o.numbers = tables{}
	o.routes, o.last = nil, nil
}

func (o *outbox) name(s string) uint32 {
	if n := o.numbers.names[s]; n != 0 {
		return n
	}
	if o.numbers.names == nil {
		o.numbers.names = map[string]uint32{}
	}
	b := o.room(frame.MaxHead + len(s))
	b.b = frame.AppendName(b.b, s)
	o.numbers.bytes += len(s)
	n := uint32(len(o.numbers.names) + 1)
	o.numbers.names[s] = n
	return n
}

func (o *outbox) typeNumber(s string) uint32 {
	if n := o.numbers.types[s]; n != 0 {
		return n
	}
	if o.numbers.types == nil {
		o.numbers.types = map[string]uint32{}
	}
	b := o.room(frame.MaxHead + len(s))
	b.b = frame.AppendType(b.b, s)
	o.numbers.bytes += len(s)
	n := uint32(len(o.numbers.types) + 1)
	o.numbers.types[s] = n
	return n
}

// take gives the writer all frames there are; spare is what it gave before.
func (o *outbox) take(spare []*block) []*block {
	b := o.blocks
	o.moved += uint64(o.waiting() - o.beats)
	o.beats = 0
	o.blocks = spare[:0]
	o.taken = o.whole.count
	return b
}

// putBack returns blocks that were taken and not written.
func (o *outbox) putBack(blocks []*block) {
	if len(blocks) > 0 {
		o.blocks = append(blocks, o.blocks...)
	}
}

// confirm forgets the messages that the peer acknowledges: numbers since the
// link began. It tells how many were new.
func (o *outbox) confirm(whole, bulk uint64) (int, error) {
	w, b := whole-o.counts.whole, bulk-o.counts.bulk
	if w > uint64(o.taken) {
		return 0, fmt.Errorf("malformed ack frame: whole %d: %d were acknowledged and %d sent", whole, o.counts.whole, o.taken)
	}
	if b > uint64(o.chunked.count) {
		return 0, fmt.Errorf("malformed ack frame: bulk %d: %d were acknowledged and %d sent", bulk, o.counts.bulk, o.chunked.count)
	}
	o.load -= o.whole.settle(int(w)) + o.chunked.settle(int(b))
	o.taken -= int(w)
	o.counts.whole, o.counts.bulk = whole, bulk
	return int(w + b), nil
}

// drain empties the outbox and gives all messages that were not acknowledged.
func (o *outbox) drain() []obituary {
	if o.load == 0 {
		o.discard()
		return nil
	}
	dead := make([]obituary, 0, o.whole.count+o.chunked.count+o.bulk.len())
	dead = o.whole.drain(dead, o.taken)
	dead = o.chunked.drain(dead, o.chunked.count)
	for o.bulk.len() > 0 {
		if p := o.bulk.pop(); p.kind == frame.Message {
			dead = append(dead, p.obituary(Lost))
		}
	}
	o.load = 0
	o.discard()
	return dead
}

// discard frees the frames that no writer took.
func (o *outbox) discard() {
	for _, b := range o.blocks {
		b.free()
	}
	o.blocks, o.beats = nil, 0
}
