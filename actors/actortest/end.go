package actortest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/actors/remote"
)

var errClosed = errors.New("the transport is closed")

// end is a system's connection to the network: its actors.Transport.
type end struct {
	net         *Network
	key         string
	address     string
	incarnation string
	receiver    actors.Receiver
	crashed     bool
	closed      bool
}

// letter is a message with its names as the systems gave them, keys included.
type letter struct {
	from, to actors.PID
	typ      protoreflect.FullName
	made     protoreflect.MessageType
	body     []byte
}

func (e *end) pid(name string) actors.PID {
	return actors.PID{Name: name, Address: e.address, Incarnation: e.incarnation}
}

// Start implements actors.Transport.
func (e *end) Start() {}

// Send implements actors.Transport.
func (e *end) Send(from, to actors.PID, m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s to %s: %w", m.ProtoReflect().Descriptor().FullName(), to.Name, err)
	}
	typ := m.ProtoReflect().Type()
	l := letter{from: from, to: to, typ: typ.Descriptor().FullName(), made: typ, body: body}
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.closed {
		return errClosed
	}
	if e.crashed {
		return nil
	}
	peer, why := n.find(e, to)
	if peer == nil {
		n.agenda.at(time.Now(), func() { e.receiver.DeadLetter(from, to, l.typ, why) })
		return nil
	}
	fate := n.fate(Packet{From: keyless(from), To: keyless(to), Type: l.typ, Message: m})
	if fate.Drop {
		return nil
	}
	link := n.link(e, peer)
	own, _ := link.side(e)
	n.put(link, own, &parcel{kind: carriesMessage, letter: l}, fate.Delay)
	if fate.Twice {
		n.put(link, own, &parcel{kind: carriesMessage, letter: l}, fate.Delay)
	}
	return nil
}

// find is the system of an address, under the lock, or why there is none.
func (n *Network) find(from *end, to actors.PID) (*end, remote.Reason) {
	peer := n.ends[keyOf(to.Address, to.Incarnation)]
	switch {
	case peer == nil:
		return nil, remote.Unreachable
	case to.Incarnation != "" && to.Incarnation != peer.incarnation:
		return nil, remote.Stale
	case !address.Dialable(to.Address) && n.between(from, peer.key) == nil:
		return nil, remote.Unreachable
	}
	return peer, 0
}

func ordered(a, b string) ends { return ends{min(a, b), max(a, b)} }

// keyless takes the key of a question off a name.
func keyless(p actors.PID) actors.PID {
	p.Name, _, _ = strings.Cut(p.Name, "?")
	return p
}

// deliver decodes a message and hands it to the system.
func (e *end) deliver(p *parcel) {
	m := p.letter.made.New().Interface()
	if err := proto.Unmarshal(p.letter.body, m); err != nil {
		e.receiver.Rejected(p.letter.from, p.letter.to, "", p.letter.typ, err)
		return
	}
	var memo any
	work := e.receiver.Deliver(&actors.Delivery{
		From: p.letter.from, To: e.pid(p.letter.to.Name), Message: m, Size: len(p.letter.body), Memo: &memo,
	})
	if work != nil {
		work.Go()
	}
}

// Link implements actors.Transport.
func (e *end) Link(watcher, watched actors.PID) {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.closed || e.crashed {
		return
	}
	peer, why := n.find(e, watched)
	if peer == nil {
		n.agenda.at(time.Now(), func() { e.receiver.Exited(watcher, watched, why.Error()) })
		return
	}
	l := n.link(e, peer)
	own, _ := l.side(e)
	k := names{watcher.Name, watched.Name}
	first := len(own.watches[k]) == 0
	if !slices.Contains(own.watches[k], watched) {
		own.watches[k] = append(own.watches[k], watched)
	}
	if first {
		n.put(l, own, &parcel{kind: carriesLink, from: watcher, to: watched}, n.o.Delay)
	}
}

// Unlink implements actors.Transport.
func (e *end) Unlink(watcher, watched actors.PID) {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.between(e, keyOf(watched.Address, watched.Incarnation))
	if l == nil {
		return
	}
	own, _ := l.side(e)
	k := names{watcher.Name, watched.Name}
	own.watches[k] = slices.DeleteFunc(own.watches[k], func(p actors.PID) bool { return p == watched })
	if len(own.watches[k]) == 0 {
		delete(own.watches, k)
		n.put(l, own, &parcel{kind: carriesUnlink, from: watcher, to: watched}, n.o.Delay)
	}
}

// Ended implements actors.Transport.
func (e *end) Ended(watcher, watched actors.PID, reason string) {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.between(e, keyOf(watcher.Address, watcher.Incarnation))
	if l == nil {
		return
	}
	own, _ := l.side(e)
	k := names{watcher.Name, watched.Name}
	if own.watched[k] {
		delete(own.watched, k)
		n.put(l, own, &parcel{kind: carriesExited, from: watcher, to: watched, reason: reason}, n.o.Delay)
	}
}

// Peers implements actors.Transport.
func (e *end) Peers() []actors.PeerInfo {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	var infos []actors.PeerInfo
	for _, l := range n.sortedLinks() {
		if l.sides[0].end != e && l.sides[1].end != e {
			continue
		}
		own, other := l.side(e)
		infos = append(infos, actors.PeerInfo{
			Address: other.end.address, Incarnation: other.end.incarnation, Linked: true,
			Watching: len(own.watches), Watched: len(own.watched),
		})
	}
	return infos
}

// Close implements actors.Transport: what was sent arrives now, unless it is
// held up, and the links end.
func (e *end) Close(ctx context.Context) error {
	n := e.net
	n.mu.Lock()
	if e.closed {
		n.mu.Unlock()
		return errClosed
	}
	e.closed = true
	if n.ends[e.key] == e {
		delete(n.ends, e.key)
	}
	now := time.Now()
	for _, l := range n.sortedLinks() {
		if l.sides[0].end != e && l.sides[1].end != e {
			continue
		}
		own, _ := l.side(e)
		for _, p := range own.line {
			p.due = now
		}
		n.agenda.at(now, func() { n.arrive(l) })
		n.agenda.at(now, func() { n.sever(l, "closed") })
	}
	n.mu.Unlock()
	flushed := make(chan struct{})
	n.agenda.at(now, func() { close(flushed) })
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close transport of %s: %w", e.address, context.Cause(ctx))
	}
}

// sorted is the keys of m in an order that does not depend on the map.
func sorted[V any](m map[names]V) []names {
	return slices.SortedFunc(maps.Keys(m), func(a, b names) int {
		return cmp.Or(cmp.Compare(a.watcher, b.watcher), cmp.Compare(a.watched, b.watched))
	})
}
