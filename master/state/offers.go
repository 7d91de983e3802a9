package state

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// offer is one that is outstanding.
type offer struct {
	seq       int
	framework *framework
	agent     *agent
	view      *view.Offer
	alone     bool // with overlap: nobody else is offered any of it
}

// offerTable finds offers.
type offerTable struct {
	byID map[OfferID]*offer
	next int
	// The last ones that were lost to another framework.
	overtaken overtaken
}

// orderedOffers lists a framework's offers as they were made.
func (f *framework) orderedOffers() []*offer {
	all := make([]*offer, 0, len(f.offers))
	for _, o := range f.offers {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *offer) int { return a.seq - b.seq })
	return all
}

// allocations turns what the allocator decided into offers: one event for
// each framework, in the order in which the allocator named them.
func (m *Machine) allocations(from Peer, msg *cluster.Allocations) {
	if from != m.cfg.Allocator {
		m.drop(view.Others, from, "only the allocator allocates")
		return
	}
	if msg.GetEpoch() != m.allocator.epoch {
		return // decided before it was started anew
	}
	m.allocatorHeard()
	var order []*framework
	made := make(map[*framework][]*offer)
	for _, al := range msg.GetAllocations() {
		o := m.makeOffer(al)
		if o == nil {
			continue
		}
		if made[o.framework] == nil {
			order = append(order, o.framework)
		}
		made[o.framework] = append(made[o.framework], o)
	}
	for _, f := range order {
		m.sendOffers(f, made[f])
	}
}

// makeOffer checks an allocation against what is true here, which may have
// changed while it was under way. It returns nil when nothing comes of it; the
// allocator gets the resources back then.
func (m *Machine) makeOffer(al *cluster.Allocations_Allocation) *offer {
	f := m.frameworks.byID[FrameworkID(al.GetFrameworkId().GetValue())]
	a := m.agents.byID[AgentID(al.GetAgentId().GetValue())]
	if f == nil || a == nil {
		return nil // the allocator hears, or heard, of their removal
	}
	if al.AgentVersion != nil && al.GetAgentVersion() != a.version {
		return nil // the allocator hears, or heard, what is taken there
	}
	what, err := resources.New(al.GetResources()...)
	switch {
	case err != nil:
		m.note(Warn, "The allocator allocated what cannot be: "+err.Error(), Field{"agent", string(a.id())})
		return nil
	case !m.mayOffer(a) || a.leaving || !f.active() || !f.plays(al.GetRole()):
	case m.overlaps() && a.roomFor(f, al.GetAlone()).Contains(what.Underlying()):
		o := m.addOffer(f, a, al.GetRole(), what)
		o.alone = al.GetAlone()
		return o
	case m.overlaps(): // somebody has it by now
	case !a.free().Contains(what.Underlying()):
		m.note(Warn, "The allocator allocated what is not free", Field{"agent", string(a.id())},
			Field{"resources", what.String()}, Field{"free", a.free().String()})
		m.addToAllocator(a) // it thinks of another agent than there is
		return nil
	default:
		return m.addOffer(f, a, al.GetRole(), what)
	}
	m.giveBack(f, a, al.GetRole(), what, nil, m.overlaps() && !al.GetAlone())
	return nil
}

func (m *Machine) addOffer(f *framework, a *agent, role string, what resources.Resources) *offer {
	seq, id := m.offers.next, m.newOfferID()
	o := &offer{
		seq: seq, framework: f, agent: a,
		view: &view.Offer{ID: id, Framework: f.id(), Agent: a.id(), Role: role, Resources: what},
	}
	m.offers.byID[id] = o
	f.offers[id] = o
	a.offered = a.onOffer().Add(what.Underlying())
	a.offers = append(a.offers, o)
	m.stir(a)
	if m.cfg.OfferTimeout > 0 {
		m.emit(SetTimer{timerOffer + "/" + string(id), m.cfg.OfferTimeout})
	}
	return o
}

func (m *Machine) sendOffers(f *framework, offers []*offer) {
	event := &scheduler.Event_Offers{Offers: make([]*mesos.Offer, 0, len(offers))}
	views := make([]*view.Offer, 0, len(offers))
	for _, o := range offers {
		event.Offers = append(event.Offers, o.proto())
		views = append(views, o.view)
	}
	m.publish(view.OffersMade{Offers: views})
	m.tell(f, &scheduler.Event{Type: scheduler.Event_OFFERS.Enum(), Offers: event})
}

// proto is the offer in the form that its framework understands.
func (o *offer) proto() *mesos.Offer {
	info := o.agent.view.Info
	p := &mesos.Offer{
		Id:          &mesos.OfferID{Value: new(string(o.view.ID))},
		FrameworkId: o.framework.view.Info.GetId(),
		AgentId:     info.GetId(),
		Hostname:    info.Hostname,
		Domain:      info.GetDomain(),
		Attributes:  info.GetAttributes(),
		Url:         agentURL(o.agent),
	}
	if o.framework.can.multiRole {
		p.Resources = o.view.Resources.ProtoFor(o.view.Role)
		p.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &o.view.Role}
	} else {
		p.Resources = o.view.Resources.Proto()
	}
	if planned := o.agent.view.Maintenance; planned != nil {
		p.Unavailability = planned.Unavailability
	}
	if !o.framework.can.reservationRefinement {
		p.Resources = unrefined(p.Resources)
	}
	for _, e := range o.agent.orderedExecutors() {
		if e.framework == o.framework {
			p.ExecutorIds = append(p.ExecutorIds, e.view.Info.GetExecutorId())
		}
	}
	return p
}

// unrefined is a list of resources in the form from before reservations could
// be refined: with a role, and what makes a reservation dynamic. What has been
// refined has no such form and stays as it is; allocators do not give it to
// frameworks that cannot read it.
func unrefined(list []*mesos.Resource) []*mesos.Resource {
	for i, r := range list {
		if len(r.GetReservations()) > 1 {
			continue
		}
		old := proto.CloneOf(r)
		old.Reservations = nil
		old.Role = new(anyRole)
		if len(r.GetReservations()) == 1 {
			top := r.GetReservations()[0]
			old.Role = top.Role
			if top.GetType() == mesos.Resource_ReservationInfo_DYNAMIC {
				old.Reservation = &mesos.Resource_ReservationInfo{Principal: top.Principal, Labels: top.Labels}
			}
		}
		list[i] = old
	}
	return list
}

// agentURL says where an agent serves HTTP.
func agentURL(a *agent) *mesos.URL {
	host, port := hostPart(a.peer()), a.view.Info.GetPort()
	return &mesos.URL{
		Scheme: new("http"), Path: new("/slave(1)"),
		Address: &mesos.Address{Hostname: a.view.Info.Hostname, Ip: &host, Port: &port},
	}
}

// endOffer takes an offer off the tables. What becomes of its resources is the
// caller's to say.
func (m *Machine) endOffer(o *offer, end view.OfferEnd) {
	delete(m.offers.byID, o.view.ID)
	delete(o.framework.offers, o.view.ID)
	o.agent.offers = slices.DeleteFunc(o.agent.offers, func(other *offer) bool { return other == o })
	if m.overlaps() {
		o.agent.recountOffers = true
	} else {
		o.agent.offered = o.agent.offered.Without(o.view.Resources.Underlying())
	}
	if m.cfg.OfferTimeout > 0 {
		m.emit(CancelTimer{timerOffer + "/" + string(o.view.ID)})
	}
	if end == view.Overtaken {
		m.offers.overtaken.add(o)
	}
	m.publish(view.OfferRemoved{Offer: o.view, End: end})
}

// rescind takes an offer back from its framework.
func (m *Machine) rescind(o *offer) {
	m.rescindAs(o, view.Rescinded)
}

// rescindAs is rescind with the reason.
func (m *Machine) rescindAs(o *offer, end view.OfferEnd) {
	m.endOffer(o, end)
	m.returnOffer(o, nil)
	m.sendRescind(o)
}

func (m *Machine) sendRescind(o *offer) {
	m.tell(o.framework, &scheduler.Event{
		Type:    scheduler.Event_RESCIND.Enum(),
		Rescind: &scheduler.Event_Rescind{OfferId: &mesos.OfferID{Value: new(string(o.view.ID))}},
	})
}

func (m *Machine) rescindAgentOffers(a *agent) {
	for len(a.offers) > 0 {
		m.rescind(a.offers[0])
	}
}

// rescindOffers takes all of a framework's offers back.
func (m *Machine) rescindOffers(f *framework) {
	for _, o := range f.orderedOffers() {
		m.rescind(o)
	}
}

// discardOffers ends a framework's offers, inverse ones too, without a word to
// it.
func (m *Machine) discardOffers(f *framework) {
	for _, o := range f.orderedOffers() {
		m.endOffer(o, view.Discarded)
		m.returnOffer(o, nil)
	}
	m.discardPleas(f)
}

func (m *Machine) expireOffer(id OfferID) {
	if o := m.offers.byID[id]; o != nil {
		m.rescind(o)
	}
}

// decline is DECLINE; offers that are unknown, or another's, are passed over.
func (m *Machine) decline(f *framework, call *scheduler.Call_Decline) {
	for _, id := range call.GetOfferIds() {
		o := m.offers.byID[OfferID(id.GetValue())]
		if o == nil || o.framework != f {
			m.note(Debug, "Passed over a DECLINE of an offer that is no longer valid", Field{"offer", id.GetValue()})
			continue
		}
		m.endOffer(o, view.Declined)
		m.returnOffer(o, filtersOf(call.GetFilters()))
	}
}

// filtersOf are the filters of a refusal: the default ones unless named.
func filtersOf(f *mesos.Filters) *mesos.Filters {
	if f == nil {
		return &mesos.Filters{}
	}
	return f
}
