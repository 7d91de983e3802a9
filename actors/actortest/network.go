package actortest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors"
	"troupe/actors/address"
)

// NetworkOptions say how a Network behaves when nobody interferes. The zero
// value delivers everything at once.
type NetworkOptions struct {
	// Seed of all chance.
	Seed uint64
	// Clock is nil for time itself; a Stepper makes the order of all that
	// happens a matter of the seed.
	Clock Clock
	// Delay of each message, and up to how much more at random. Messages from
	// one system to another keep their order nevertheless.
	Delay, Jitter time.Duration
	// Drop and Duplicate are the chances that a message is lost without a trace
	// or arrives twice, from 0 to 1. No link over TCP does either: they are for
	// who must bear messages lost with a link, or sent again after one.
	Drop, Duplicate float64
	// DeadAfter is how long two systems keep a link over which nothing comes;
	// 15 s. DialTimeout is how long a new link may take; 5 s.
	DeadAfter, DialTimeout time.Duration
}

// Packet is a message on its way between two systems.
type Packet struct {
	From, To actors.PID // without the keys of questions
	Type     protoreflect.FullName
	Message  proto.Message // as it was sent; not to be changed
}

// Fate is what becomes of a Packet. The zero Fate is to be delivered.
type Fate struct {
	Drop  bool
	Twice bool
	Delay time.Duration // on top of the network's
}

// Network carries messages between systems of one process. It encodes and
// decodes them, so that systems share none. Links behave as those of package
// remote do: order, exits, dead letters, incarnations.
type Network struct {
	o      NetworkOptions
	agenda agenda

	mu     sync.Mutex
	chance *rand.Rand
	ends   map[string]*end
	links  map[ends]*link
	cuts   map[direction]uint64 // to the number of the cut
	cut    uint64
	hooks  []*hook
}

// ends names two systems, the lesser key first; direction goes from one to
// another, by address.
type (
	ends      struct{ a, b string }
	direction struct{ from, to string }
)

type hook struct {
	name   protoreflect.FullName
	decide func(Packet) Fate
}

// NewNetwork makes a network without systems.
func NewNetwork(o NetworkOptions) *Network {
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.DeadAfter == 0 {
		o.DeadAfter = 15 * time.Second
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 5 * time.Second
	}
	return &Network{
		o: o, agenda: agenda{clock: o.Clock}, chance: rand.New(rand.NewPCG(o.Seed, 1)),
		ends: map[string]*end{}, links: map[ends]*link{}, cuts: map[direction]uint64{},
	}
}

// Join is o for a system of this network with the address, a host:port. Port 0
// is that of a system nobody can dial.
func (n *Network) Join(address string, o actors.Options) actors.Options {
	o.Advertise, o.Transport = address, n.Transport
	return o
}

// Transport implements actors.NewTransport. An address is free again when its
// system has closed or crashed.
func (n *Network) Transport(at, incarnation string, r actors.Receiver) (actors.Transport, error) {
	e := &end{net: n, key: keyOf(at, incarnation), address: at, incarnation: incarnation, receiver: r}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ends[e.key] != nil {
		return nil, fmt.Errorf("address %q is in use", at)
	}
	n.ends[e.key] = e
	return e, nil
}

func keyOf(at, incarnation string) string {
	if address.Dialable(at) {
		return at
	}
	return at + "#" + incarnation
}

// Cut lets nothing pass between two addresses in either direction; CutOneWay
// nothing that goes from one to the other. What is under way waits for Heal.
// The systems notice after DeadAfter, as with a cable pulled.
func (n *Network) Cut(a, b string) {
	n.CutOneWay(a, b)
	n.CutOneWay(b, a)
}

// CutOneWay is half of Cut.
func (n *Network) CutOneWay(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := direction{from, to}
	if n.cuts[d] != 0 {
		return
	}
	n.cut++
	n.cuts[d] = n.cut
	for _, l := range n.sortedLinks() {
		if l.joins(d) {
			n.breakLater(l, d, n.cut, n.o.DeadAfter)
		}
	}
}

// Heal takes back Cut and CutOneWay. What waited arrives.
func (n *Network) Heal(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range []direction{{a, b}, {b, a}} {
		delete(n.cuts, d)
	}
	for _, l := range n.sortedLinks() {
		if l.joins(direction{a, b}) {
			n.agenda.at(time.Now(), func() { n.arrive(l) })
		}
	}
}

// breakLater gives a link up unless the cut is healed by then.
func (n *Network) breakLater(l *link, d direction, cut uint64, after time.Duration) {
	n.agenda.at(time.Now().Add(after), func() {
		n.mu.Lock()
		stands := n.cuts[d] == cut
		n.mu.Unlock()
		if stands {
			n.sever(l, "link lost: no sign of life")
		}
	})
}

// Crash ends the system at the address as a loss of power does: its peers see
// their links break, and nothing that it sends leaves it any more. Its actors
// still have to be closed.
func (n *Network) Crash(at string) {
	n.mu.Lock()
	var links []*link
	for _, l := range n.sortedLinks() {
		if l.sides[0].end.address == at || l.sides[1].end.address == at {
			links = append(links, l)
		}
	}
	for key, e := range n.ends {
		if e.address == at {
			e.crashed = true
			delete(n.ends, key)
		}
	}
	n.mu.Unlock()
	for _, l := range links {
		n.agenda.at(time.Now(), func() { n.sever(l, "link lost: connection reset") })
	}
}

// Intercept asks f about each message of that full name, or of any when it is
// empty, and gives a function that ends this. The first Fate that is not zero
// counts. F runs in the sender, or whoever sends, and must not use the network.
func (n *Network) Intercept(name protoreflect.FullName, f func(Packet) Fate) (end func()) {
	h := &hook{name, f}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hooks = append(n.hooks, h)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.hooks = slices.DeleteFunc(n.hooks, func(other *hook) bool { return other == h })
	}
}

// fate is decided under the lock.
func (n *Network) fate(p Packet) Fate {
	var f Fate
	for _, h := range n.hooks {
		if h.name != "" && h.name != p.Type {
			continue
		}
		if one := h.decide(p); f == (Fate{}) {
			f = one
		}
	}
	f.Drop = f.Drop || n.o.Drop > 0 && n.chance.Float64() < n.o.Drop
	f.Twice = f.Twice || n.o.Duplicate > 0 && n.chance.Float64() < n.o.Duplicate
	f.Delay += n.o.Delay
	if n.o.Jitter > 0 {
		f.Delay += time.Duration(n.chance.Int64N(int64(n.o.Jitter)))
	}
	return f
}

// sortedLinks is in an order that does not depend on maps.
func (n *Network) sortedLinks() []*link {
	list := make([]*link, 0, len(n.links))
	for _, l := range n.links {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *link) int { return int(a.number) - int(b.number) })
	return list
}
