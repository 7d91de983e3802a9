package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/resources"
)

// With Config.OfferOverlap, several frameworks are offered the same, and each may
// accept as if it were alone: what it is offered is there, at the time. An ACCEPT
// is a transaction. What it takes is used from then on, and every offer that is
// no longer there in full is rescinded in the same step, so that no other can take
// it again.

func (m *Machine) overlaps() bool { return m.cfg.OfferOverlap > 1 }

// onOffer is what the agent's offers hold together, of ports and other ranges and
// sets each once. With overlap an end of one takes nothing away that others hold
// too, so that it is counted anew when it is asked for.
func (a *agent) onOffer() resources.Resources {
	if a.recountOffers {
		a.recountOffers = false
		list := make([]resources.Resources, len(a.offers))
		for i, o := range a.offers {
			list[i] = o.view.Resources.Underlying()
		}
		a.offered = resources.Resources{}.Add(list...)
	}
	return a.offered
}

// isShared tells whether what is offered may be on offer to others too.
func (m *Machine) isShared(o *offer) bool { return m.overlaps() && !o.alone }

// roomFor is what of an agent may be offered to a framework: it may be on offer
// to others, unless one of them is to have it alone.
func (a *agent) roomFor(f *framework, alone bool) resources.Resources {
	if alone {
		return a.free()
	}
	var taken []resources.Resources
	for _, o := range a.offers {
		if o.framework == f || o.alone {
			taken = append(taken, o.view.Resources.Underlying())
		}
	}
	return less(a.unused(), taken...)
}

// absent lists the offers of an agent that are not there, when rest is all that
// may be on offer; of several, the oldest stay.
func (m *Machine) absent(a *agent, rest resources.Resources) []*offer {
	if !m.overlaps() {
		gone, _ := exceeding(a.offers, rest)
		return gone
	}
	var alone []*offer
	var order []*framework
	of := make(map[*framework][]*offer)
	for _, o := range a.offers {
		switch f := o.framework; {
		case o.alone:
			alone = append(alone, o)
		default:
			if of[f] == nil {
				order = append(order, f)
			}
			of[f] = append(of[f], o)
		}
	}
	gone, rest := exceeding(alone, rest)
	for _, f := range order {
		more, _ := exceeding(of[f], rest)
		gone = append(gone, more...)
	}
	return gone
}

// exceeding lists the offers for which rest has no room beside those before them,
// and says what these leave of it.
func exceeding(offers []*offer, rest resources.Resources) (gone []*offer, left resources.Resources) {
	for _, o := range offers {
		left, ok := use(rest, o.view.Resources.Underlying())
		if !ok {
			gone = append(gone, o)
			continue
		}
		rest = left
	}
	return gone, rest
}

// overtake makes what an ACCEPT took its framework's own, and rescinds the offers
// that it was first with.
func (m *Machine) overtake(b *bargain, taken resources.Resources) {
	if !m.overlaps() || taken.IsEmpty() {
		return
	}
	m.tellAllocator(&cluster.TakeResources{
		FrameworkId: b.framework.view.Info.GetId(), AgentId: b.agent.view.Info.GetId(), Role: &b.role, Resources: taken.Proto(),
	})
	for _, o := range m.absent(b.agent, b.agent.unused()) {
		m.note(Debug, "Rescinded an offer: another framework accepted first", Field{"offer", string(o.view.ID)},
			Field{"framework", string(o.framework.id())}, Field{"first", string(b.framework.id())})
		m.rescindAs(o, view.Overtaken)
	}
}

// maxOvertaken is how many lost offers are remembered, so that who accepts one
// hears why it is gone.
const maxOvertaken = 10_000

// overtaken are offers that were lost to another framework, the newest of them.
type overtaken struct {
	of   map[OfferID]FrameworkID
	last ring[OfferID]
}

func (t *overtaken) add(o *offer) {
	if t.of == nil {
		t.of, t.last.max = make(map[OfferID]FrameworkID), maxOvertaken
	}
	t.of[o.view.ID] = o.framework.id()
	if gone, any := t.last.add(o.view.ID); any {
		delete(t.of, gone)
	}
}

// has tells whether the framework lost the offer.
func (t *overtaken) has(id OfferID, f *framework) bool {
	of, ok := t.of[id]
	return ok && of == f.id()
}
