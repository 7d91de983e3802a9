package core

import (
	"strings"

	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// bundle is an amount of resources with what the loops ask of it. What it is is
// never changed, and what is equal mostly shares one, so that it is compared by
// pointer first.
type bundle struct {
	all    resources.Resources
	serial uint64               // of no other bundle
	sum    resources.Quantities // all scalars
	open   resources.Quantities // those that are neither reserved nor revocable
	claims []claim              // what is reserved, and not revocable
	plain  bool                 // nothing is reserved, revocable or shared
	gpus   bool
	base   *bundle // what it is taken from: itself, unless some of it is borrowed
	// The base without what is shared, which stays free whoever has it. And the
	// scalars of what is not shared, which alone count for shares.
	apart   *bundle
	counted resources.Quantities
	listed  []*mesos.Resource // as a message; made when it is first asked for
	seen    [2]sighting       // the last results of bundles.seen; for plain ones unused
}

// sighting is what clients with a view may have of a bundle.
type sighting struct {
	view   uint64 // its serial
	result *bundle
}

// claim is what is reserved for one role at the top of the tree, or below it.
type claim struct {
	top    string
	amount resources.Quantities
}

// shares tells whether some of it is shared.
func (b *bundle) shares() bool { return b.apart != b.base }

func (b *bundle) isEmpty() bool { return b.all.IsEmpty() }

// message returns the bundle as what is sent; nobody changes it.
func (b *bundle) message() []*mesos.Resource {
	if b.listed == nil {
		b.listed = b.all.Proto()
	}
	return b.listed
}

func (b *bundle) equal(o *bundle) bool { return b == o || b.all.Equal(o.all) }

func (b *bundle) contains(o *bundle) bool {
	return b == o || b.sum.Contains(o.sum) && b.all.Contains(o.all)
}

const (
	slots = 1 << 12 // of bundles that are found again
	memos = 1 << 12 // of results that are
)

// bundles makes them. It remembers a bounded number of bundles and of results:
// what it forgets is made again.
type bundles struct {
	index   resources.Index
	serials uint64
	none    *bundle
	slots   []*bundle
	memos   []memo
}

// memo is a result of an operation on a bundle and something with a serial.
type memo struct {
	op     byte
	x, y   uint64
	result *bundle
}

const (
	opPlus byte = iota + 1
	opWithout
	opSeen
)

func newBundles() bundles {
	b := bundles{slots: make([]*bundle, slots), memos: make([]memo, memos)}
	b.none = b.of(resources.Resources{})
	return b
}

func (s *bundles) serial() uint64 {
	s.serials++
	return s.serials
}

// of returns the bundle of r.
func (s *bundles) of(r resources.Resources) *bundle {
	slot := &s.slots[r.Hash()%slots]
	if *slot == nil || !(*slot).all.Equal(r) {
		*slot = s.make(r)
	}
	return *slot
}

func (s *bundles) make(r resources.Resources) *bundle {
	b := &bundle{all: r, serial: s.serial(), sum: s.index.Quantities(r), plain: true, gpus: r.Scalar(resources.GPUs) > 0}
	shared := false
	for e := range r.All() {
		if e.Role() != names.AnyRole || e.Revocable() || e.Shared() {
			b.plain = false
		}
		shared = shared || e.Shared()
	}
	b.open, b.counted, b.base, b.apart = b.sum, b.sum, b, b
	if b.plain {
		return b
	}
	if base := r.Underlying(); !base.Equal(r) {
		b.base = s.of(base)
		b.apart = b.base.apart
	}
	if shared {
		b.apart = s.of(b.base.all.Filter(func(e resources.Entry) bool { return !e.Shared() }))
		b.counted = b.apart.sum
	}
	b.open = s.index.Quantities(r.Filter(isOpen))
	b.claims = s.claims(r)
	return b
}

// claims sums up what is reserved, by role at the top, in a fixed order.
func (s *bundles) claims(r resources.Resources) (list []claim) {
	at := make(map[string]int)
	for e := range r.All() {
		if e.Role() == names.AnyRole || e.Revocable() || e.Total() <= 0 {
			continue
		}
		top := topName(e.Role())
		i, known := at[top]
		if !known {
			i, at[top] = len(list), len(list)
			list = append(list, claim{top: top})
		}
		n, amount := s.index.Number(e.Name()), &list[i].amount
		amount.Set(n, amount.Of(n)+e.Total())
	}
	return list
}

// isOpen tells whether anybody may have the resource, and keep it.
func isOpen(e resources.Entry) bool { return e.Role() == names.AnyRole && !e.Revocable() }

func topName(role string) string {
	top, _, _ := strings.Cut(role, "/")
	return top
}

// remembered returns the result of an operation, which make makes when it is
// not known.
func (s *bundles) remembered(op byte, x, y uint64, make func() resources.Resources) *bundle {
	m := &s.memos[(x*0x9e3779b97f4a7c15^y*0xc2b2ae3d27d4eb4f^uint64(op))>>20%memos]
	if m.op != op || m.x != x || m.y != y {
		*m = memo{op, x, y, s.of(make())}
	}
	return m.result
}

// plus returns x and y together.
func (s *bundles) plus(x, y *bundle) *bundle {
	switch {
	case x.isEmpty():
		return y
	case y.isEmpty():
		return x
	}
	return s.remembered(opPlus, x.serial, y.serial, func() resources.Resources { return x.all.Add(y.all) })
}

// without returns x without what of y it has.
func (s *bundles) without(x, y *bundle) *bundle {
	switch {
	case y.isEmpty():
		return x
	case x == y:
		return s.none
	}
	return s.remembered(opWithout, x.serial, y.serial, func() resources.Resources { return x.all.Without(y.all) })
}

// seen returns the part of x that a client with the view may have.
func (s *bundles) seen(x *bundle, v *view) *bundle {
	if x.plain {
		return x
	}
	for i := range x.seen {
		if x.seen[i].view == v.serial {
			return x.seen[i].result
		}
	}
	result := s.remembered(opSeen, x.serial, v.serial, func() resources.Resources { return x.all.Filter(v.admits) })
	x.seen[1], x.seen[0] = x.seen[0], sighting{v.serial, result}
	return result
}

// read sums up a list, whoever it says to be allocated to.
func (s *bundles) read(list []*mesos.Resource) (*bundle, error) {
	r, err := readResources(list)
	if err != nil {
		return nil, err
	}
	return s.of(r), nil
}
