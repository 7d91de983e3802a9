package state

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/master/state/view"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/allocator"
	"troupe/messages/mesos/scheduler"
)

// inverseOffer asks a framework to give up an agent before its maintenance. It
// is outstanding until it is answered or taken back.
type inverseOffer struct {
	seq       int // of all offers, of both kinds
	id        OfferID
	framework *framework
	agent     *agent
}

// inverseTable finds inverse offers.
type inverseTable struct {
	byID map[OfferID]*inverseOffer
	// Agents of which something changed in this step that matters to them.
	stirred map[*agent]bool
}

// pleas is what goes on between an agent in maintenance and frameworks.
type pleas struct {
	offers []*inverseOffer
	// Frameworks that answered, and are not asked again for a time.
	quiet map[*framework]bool
}

// stir has the inverse offers of an agent looked after at the end of the step.
func (m *Machine) stir(a *agent) {
	if a.view.Maintenance != nil || a.pleas != nil {
		m.inverse.stirred[a] = true
	}
}

// stirFramework has the inverse offers looked after of every agent where a
// framework that got a new subscription has something.
func (m *Machine) stirFramework(f *framework) {
	for _, t := range f.order {
		m.stir(t.agent)
	}
	for e := range f.executors {
		m.stir(e.agent)
	}
}

// settleInverseOffers makes and takes back inverse offers as the agents that
// were stirred need it: one event for each framework.
func (m *Machine) settleInverseOffers() {
	if len(m.inverse.stirred) == 0 {
		return
	}
	agents := slices.SortedFunc(maps.Keys(m.inverse.stirred), func(a, b *agent) int { return a.seq - b.seq })
	clear(m.inverse.stirred)
	var order []*framework
	made := make(map[*framework][]*inverseOffer)
	for _, a := range agents {
		if a.view.Maintenance == nil || !a.view.Active() || a.leaving {
			m.forgetPleas(a)
			continue
		}
		for _, f := range a.holders() {
			if !m.mayAsk(a, f) {
				continue
			}
			if made[f] == nil {
				order = append(order, f)
			}
			made[f] = append(made[f], m.addInverseOffer(a, f))
		}
	}
	for _, f := range order {
		m.sendInverseOffers(f, made[f])
	}
}

// holders lists the frameworks that hold something of an agent, or are offered
// some of it.
func (a *agent) holders() []*framework {
	seen := make(map[*framework]bool)
	for _, o := range a.offers {
		seen[o.framework] = true
	}
	for _, t := range a.tasks {
		if !t.freed {
			seen[t.framework] = true
		}
	}
	for _, e := range a.executors {
		seen[e.framework] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b *framework) int { return a.seq - b.seq })
}

func (m *Machine) mayAsk(a *agent, f *framework) bool {
	if !f.active() || f.leaving {
		return false
	}
	if a.pleas == nil {
		return true
	}
	return !a.pleas.quiet[f] && !slices.ContainsFunc(a.pleas.offers, func(o *inverseOffer) bool { return o.framework == f })
}

func (m *Machine) addInverseOffer(a *agent, f *framework) *inverseOffer {
	o := &inverseOffer{seq: m.offers.next, id: m.newOfferID(), framework: f, agent: a}
	m.inverse.byID[o.id] = o
	if a.pleas == nil {
		a.pleas = &pleas{quiet: make(map[*framework]bool)}
	}
	a.pleas.offers = append(a.pleas.offers, o)
	if m.cfg.OfferTimeout > 0 {
		m.emit(SetTimer{timerInverse + "/" + string(o.id), m.cfg.OfferTimeout})
	}
	return o
}

// newOfferID returns the next id of an offer, of either kind.
func (m *Machine) newOfferID() OfferID {
	id := OfferID(m.cfg.MasterID + "-O" + strconv.Itoa(m.offers.next))
	m.offers.next++
	return id
}

func (m *Machine) sendInverseOffers(f *framework, offers []*inverseOffer) {
	event := new(scheduler.Event_InverseOffers)
	views := make([]*view.InverseOffer, 0, len(offers))
	for _, o := range offers {
		event.InverseOffers = append(event.InverseOffers, o.proto())
		views = append(views, o.view())
	}
	m.publish(view.InverseOffersMade{Offers: views})
	m.tell(f, &scheduler.Event{Type: scheduler.Event_INVERSE_OFFERS.Enum(), InverseOffers: event})
}

// proto has no resources: all of the agent is asked for.
func (o *inverseOffer) proto() *mesos.InverseOffer {
	return &mesos.InverseOffer{
		Id: &mesos.OfferID{Value: new(string(o.id))}, Url: agentURL(o.agent), FrameworkId: o.framework.view.Info.GetId(),
		AgentId: o.agent.view.Info.GetId(), Unavailability: o.agent.view.Maintenance.Unavailability,
	}
}

func (o *inverseOffer) view() *view.InverseOffer {
	return &view.InverseOffer{ID: o.id, Framework: o.framework.id(), Agent: o.agent.id(), Unavailability: o.agent.view.Maintenance.Unavailability}
}

// endInverseOffer takes an inverse offer off the tables.
func (m *Machine) endInverseOffer(o *inverseOffer) {
	delete(m.inverse.byID, o.id)
	o.agent.pleas.offers = slices.DeleteFunc(o.agent.pleas.offers, func(other *inverseOffer) bool { return other == o })
	if m.cfg.OfferTimeout > 0 {
		m.emit(CancelTimer{timerInverse + "/" + string(o.id)})
	}
	m.publish(view.InverseOfferRemoved{ID: o.id, Framework: o.framework.id()})
}

// rescindInverse takes an inverse offer back from its framework.
func (m *Machine) rescindInverse(o *inverseOffer) {
	m.endInverseOffer(o)
	m.tell(o.framework, &scheduler.Event{
		Type:                scheduler.Event_RESCIND_INVERSE_OFFER.Enum(),
		RescindInverseOffer: &scheduler.Event_RescindInverseOffer{InverseOfferId: &mesos.OfferID{Value: new(string(o.id))}},
	})
}

// forgetPleas ends all that goes on between an agent and frameworks.
func (m *Machine) forgetPleas(a *agent) {
	if a.pleas == nil {
		return
	}
	for len(a.pleas.offers) > 0 {
		m.rescindInverse(a.pleas.offers[0])
	}
	for _, f := range slices.SortedFunc(maps.Keys(a.pleas.quiet), func(a, b *framework) int { return a.seq - b.seq }) {
		m.emit(CancelTimer{timerQuiet + "/" + quietKey(a, f)})
		delete(f.quietAt, a)
	}
	a.pleas = nil
}

// rescindPleas takes all of a framework's inverse offers back.
func (m *Machine) rescindPleas(f *framework) {
	for _, o := range m.inverseOf(f) {
		m.rescindInverse(o)
		m.stir(o.agent)
	}
}

// discardPleas ends a framework's inverse offers without a word to it, and asks
// it again whatever it answered, as soon as it is there.
func (m *Machine) discardPleas(f *framework) {
	for _, o := range m.inverseOf(f) {
		m.endInverseOffer(o)
		m.stir(o.agent)
	}
	m.unquiet(f)
}

// inverseOf lists a framework's inverse offers as they were made.
func (m *Machine) inverseOf(f *framework) []*inverseOffer {
	var own []*inverseOffer
	for _, o := range m.inverse.byID {
		if o.framework == f {
			own = append(own, o)
		}
	}
	slices.SortFunc(own, func(a, b *inverseOffer) int { return cmp.Compare(a.seq, b.seq) })
	return own
}

// unquiet asks a framework again on every agent where it answered.
func (m *Machine) unquiet(f *framework) {
	for _, a := range slices.SortedFunc(maps.Keys(f.quietAt), func(a, b *agent) int { return a.seq - b.seq }) {
		m.emit(CancelTimer{timerQuiet + "/" + quietKey(a, f)})
		m.endQuiet(a, f)
	}
}

func (m *Machine) endQuiet(a *agent, f *framework) {
	delete(f.quietAt, a)
	if a.pleas != nil && a.pleas.quiet[f] {
		delete(a.pleas.quiet, f)
		m.stir(a)
	}
}

// answerInverse is ACCEPT_INVERSE_OFFERS or DECLINE_INVERSE_OFFERS; offers that
// are unknown, or another's, are passed over.
func (m *Machine) answerInverse(f *framework, ids []*mesos.OfferID, said allocator.InverseOfferStatus_Status, filters *mesos.Filters) {
	for _, id := range ids {
		o := m.inverse.byID[OfferID(id.GetValue())]
		if o == nil || o.framework != f {
			m.note(Debug, "Passed over an answer to an inverse offer that is no longer valid", Field{"offer", id.GetValue()})
			continue
		}
		m.endInverseOffer(o)
		reply := &allocator.InverseOfferStatus{Status: said.Enum(), FrameworkId: f.view.Info.GetId(), Timestamp: timeInfo(m.now)}
		m.changeAgent(o.agent, func(v *view.Agent) { v.Maintenance = v.Maintenance.Reply(reply) })
		m.keepQuiet(o.agent, f, max(refusal(filters), shortestRefusal))
	}
}

// keepQuiet does not ask a framework again for a time.
func (m *Machine) keepQuiet(a *agent, f *framework, span time.Duration) {
	a.pleas.quiet[f] = true
	if f.quietAt == nil {
		f.quietAt = make(map[*agent]bool)
	}
	f.quietAt[a] = true
	m.emit(SetTimer{timerQuiet + "/" + quietKey(a, f), span})
}

// The time for which an answer counts: unless named, at least, so that who
// answers at once is not asked in a circle, and at most.
const (
	defaultRefusal  = 5 * time.Second
	shortestRefusal = time.Second
	longestRefusal  = 365 * 24 * time.Hour
)

// refusal is for how long a framework does not want to be asked again.
func refusal(f *mesos.Filters) time.Duration {
	seconds := defaultRefusal.Seconds()
	if f != nil {
		seconds = f.GetRefuseSeconds()
	}
	switch {
	case math.IsNaN(seconds) || seconds < 0:
		return defaultRefusal
	case seconds >= longestRefusal.Seconds():
		return longestRefusal
	}
	return time.Duration(seconds * float64(time.Second))
}

func quietKey(a *agent, f *framework) string { return string(a.id()) + "/" + string(f.id()) }

// quietTimedOut asks a framework again that answered.
func (m *Machine) quietTimedOut(key string) {
	agent, framework, _ := strings.Cut(key, "/")
	a, f := m.agents.byID[AgentID(agent)], m.frameworks.byID[FrameworkID(framework)]
	if a != nil && f != nil {
		m.endQuiet(a, f)
	}
}

func (m *Machine) expireInverse(id OfferID) {
	if o := m.inverse.byID[id]; o != nil {
		m.rescindInverse(o)
		m.stir(o.agent)
	}
}

// checkNotScheduled refuses to drain an agent whose machine is in the schedule
// of maintenance: which of the two ends first would say when it is offered
// again.
func (m *Machine) checkNotScheduled(a *agent) error {
	if a == nil || a.view.Maintenance == nil {
		return nil
	}
	return field.Invalid("agent_id", string(a.id()), "is on machine %q, which is in the schedule of maintenance", strings.Trim(a.view.Maintenance.Machine, "@"))
}
