package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// ErrClosed is what Send says once Close was called.
var ErrClosed = errors.New("remote: the transport is closed")

// Transport links this system with others.
type Transport struct {
	cfg Config
	log *zap.Logger
	// complaints are about what strangers do: of each text the first 20 of every
	// second, and then every 1000th.
	complaints *zap.Logger
	front      *front // what listens; nil when nothing does
	begun      time.Time
	seq        atomic.Uint64 // of dials

	ctx     context.Context // of all goroutines
	cancel  context.CancelFunc
	running sync.WaitGroup
	acks    ackTimer

	connections, refused atomic.Int64
	linked               atomic.Int64 // peers
	// recent is the peer that was sent to last, where links are few. It is set
	// and unset under the lock, and never one that was forgotten.
	recent     atomic.Pointer[peer]
	lastDirect atomic.Int64 // when a sender last thought of writing itself

	mu     sync.RWMutex // taken after a peer's, never before
	peers  map[peerKey]*peer
	past   Traffic // of peers that were forgotten
	closed bool
}

// New makes a transport, which neither listens nor calls its Receiver before
// Start.
func New(cfg Config) (*Transport, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	t := &Transport{cfg: cfg, log: cfg.Logger, begun: time.Now(), peers: map[peerKey]*peer{}}
	t.complaints = t.log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, 20, 1000)
	}))
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.acks.delay = t.cfg.Limits.AckDelay
	if cfg.Listener != nil {
		t.front = newFront(t)
	}
	return t, nil
}

// Start begins to listen and to look after links. It is called once, before
// any other method but Close.
func (t *Transport) Start() {
	t.spawn(t.pulse)
	if t.front != nil {
		t.spawn(t.front.accept)
		if t.front.web != nil {
			t.spawn(t.front.web.run)
		}
	}
}

// spawn runs f in a goroutine that Close waits for, and tells false when the
// transport is closed already.
func (t *Transport) spawn(f func()) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.closed {
		return false
	}
	t.running.Go(f)
	return true
}

// now is the time since the transport began, in nanoseconds.
func (t *Transport) now() int64 { return int64(time.Since(t.begun)) }

// Send takes a message for an actor of another system. The message is encoded
// before Send returns. An error means that the message itself, or this
// transport, is at fault, and nothing more is told of it; otherwise the
// message arrives or becomes a dead letter, possibly before Send returns. Send
// never waits for a peer. The sender is an actor of this system, or zero. A
// name that ends in a question mark and a number in base 36, as those of
// questions do, costs no place in the link's table of names.
func (t *Transport) Send(from, to address.PID, m proto.Message) error {
	l := letter{from: from, to: to}
	scratch, err := t.encode(&l, m)
	if err != nil {
		return err
	}
	l.cutKeys()
	err = t.post(&l)
	if scratch != nil {
		scratch.free()
	}
	return err
}

// encode checks the addresses and puts the message into the letter. What comes
// back holds its body, and is free once that is posted; nil when the letter
// owns it.
func (t *Transport) encode(l *letter, m proto.Message) (*block, error) {
	if err := t.check(&l.from, &l.to); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("remote: message to %s is nil", l.to.Name)
	}
	l.typ = m.ProtoReflect().Descriptor().FullName()
	size := proto.Size(m)
	if size > t.cfg.Limits.MaxMessage {
		return nil, fmt.Errorf("remote: %s of %d bytes to %s, over the limit of %d", l.typ, size, l.to.Name, t.cfg.Limits.MaxMessage)
	}
	var scratch *block
	room := []byte(nil)
	if size > frame.ChunkSize { // kept until it is written
		room = make([]byte, 0, size)
	} else {
		scratch = newBlock(size)
		room = scratch.b
	}
	var err error
	l.body, err = proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(room, m)
	if err != nil {
		return nil, fmt.Errorf("remote: encode %s to %s: %w", l.typ, l.to.Name, err)
	}
	return scratch, nil
}

// check refuses addresses that cannot be meant.
func (t *Transport) check(from, to *address.PID) error {
	if from.Name != "" {
		if from.Address != t.cfg.Address {
			return fmt.Errorf("remote: sender %s is not of this system, %s", from, t.cfg.Address)
		}
		if err := address.ValidateName(from.Name); err != nil {
			return fmt.Errorf("remote: sender: %w", err)
		}
	}
	if err := address.ValidateName(to.Name); err != nil {
		return fmt.Errorf("remote: receiver: %w", err)
	}
	if to.Address == t.cfg.Address && (to.Incarnation == t.cfg.Incarnation || t.front != nil) {
		return fmt.Errorf("remote: receiver %s is of this system", to)
	}
	return nil
}

func (t *Transport) post(m *letter) error {
	for {
		p, err := t.peer(keyOf(&m.to))
		if err != nil {
			return err
		}
		if err = p.post(m); err == nil {
			return nil
		}
		if err != errForgotten {
			return t.dead(p, m, err)
		}
	}
}

// dead tells of a letter that is dead at once, if err is a Reason.
func (t *Transport) dead(p *peer, m *letter, err error) error {
	var reason Reason
	if !errors.As(err, &reason) {
		return err
	}
	p.bury([]obituary{m.obituary(reason)}, nil)
	return nil
}

// Link asks that the watcher, of this system, is told when the watched actor
// of another ends or can no longer be reached: Receiver.Exited, exactly once,
// unless Unlink comes first. Repeating it while it is in force does nothing.
// The reason is the actor's own, "closed" when its system closed in order, or
// says what happened to the link or why there can be none.
func (t *Transport) Link(watcher, watched address.PID) {
	if err := t.link(watcher, watched); err != nil {
		t.cfg.Receiver.Exited(watcher, watched, err.Error())
	}
}

func (t *Transport) link(watcher, watched address.PID) error {
	if watcher.Name == "" {
		return fmt.Errorf("remote: watcher of %s has no name", watched)
	}
	if err := t.check(&watcher, &watched); err != nil {
		return err
	}
	for {
		p, err := t.peer(keyOf(&watched))
		if err != nil {
			return err
		}
		if err = p.watch(watcher, watched); err != errForgotten {
			return err
		}
	}
}

// Unlink takes a Link back. An Exited that was on its way may still come.
func (t *Transport) Unlink(watcher, watched address.PID) {
	t.mu.RLock()
	p := t.peers[keyOf(&watched)]
	t.mu.RUnlock()
	if p != nil {
		p.unwatch(watcher, watched)
	}
}

// Ended tells a remote watcher that the local actor watched has ended, or
// never was: the answer to Receiver.Watch. An answer that nobody waits for any
// more is ignored.
func (t *Transport) Ended(watcher, watched address.PID, reason string) {
	t.mu.RLock()
	p := t.peers[keyOf(&watcher)]
	t.mu.RUnlock()
	if p != nil {
		p.ended(watcher, watched, reason)
	}
}

// peerKey names a system among those known: by its address, and by its
// incarnation too when nobody can dial it.
type peerKey struct{ address, incarnation string }

func keyOf(p *address.PID) peerKey {
	if address.Dialable(p.Address) {
		return peerKey{address: p.Address}
	}
	return peerKey{p.Address, p.Incarnation}
}

// peer finds what is known of a system, or begins to know it.
func (t *Transport) peer(k peerKey) (*peer, error) {
	if p := t.recent.Load(); p != nil && p.key == k {
		return p, nil
	}
	t.mu.RLock()
	p, closed := t.peers[k], t.closed
	if p != nil && !closed && t.few() {
		t.recent.Store(p)
	}
	t.mu.RUnlock()
	if closed {
		return nil, ErrClosed
	}
	if p != nil {
		return p, nil
	}
	if err := address.ValidateHostPort(k.address); err != nil {
		return nil, fmt.Errorf("remote: peer: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p = t.peers[k]; p == nil {
		p = &peer{t: t, key: k, dialable: address.Dialable(k.address), idleSince: t.now()}
		t.peers[k] = p
	}
	return p, nil
}

// all gives all known peers, in room if it is large enough.
func (t *Transport) all(room []*peer) []*peer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	peers := slices.Grow(room[:0], len(t.peers))
	for _, p := range t.peers {
		peers = append(peers, p)
	}
	return peers
}

// Peers describes all known systems, linked or not, sorted by address and
// incarnation.
func (t *Transport) Peers() []PeerInfo {
	var infos []PeerInfo
	for _, p := range t.all(nil) {
		if i, ok := p.info(); ok {
			infos = append(infos, i)
		}
	}
	sort.Slice(infos, func(i, j int) bool {
		if infos[i].Address != infos[j].Address {
			return infos[i].Address < infos[j].Address
		}
		return infos[i].Incarnation < infos[j].Incarnation
	})
	return infos
}

// Totals sums over all peers, past ones included.
func (t *Transport) Totals() Totals {
	t.mu.RLock()
	s := Totals{Linked: int(t.linked.Load())}
	s.Traffic.add(t.past)
	t.mu.RUnlock()
	for _, p := range t.all(nil) {
		s.Traffic.add(p.counters.read())
	}
	s.Connections, s.Refused = int(t.connections.Load()), int(t.refused.Load())
	return s
}
