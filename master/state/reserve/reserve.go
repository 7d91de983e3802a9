// Package reserve plans how standing reservations come true: which RESERVE and
// UNRESERVE to issue next, given what agents have and what of it is free. It is
// pure; the master's machine imports it.
//
// What is reserved by a standing reservation carries its id as a label, so that
// whoever leads next knows it again. A plan unreserves first: what is more than
// wanted, and what belongs to a reservation that is no more. Then it reserves
// what is missing, on as few agents as will do. It takes what is free alone, and
// of that rather what is not offered; the rest waits for another plan.
package reserve

import (
	"cmp"
	"math/bits"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Label is the key of the label that holds the id of a standing reservation.
// What carries it is the master's to give back.
const Label = "troupe.reservation"

// Whole is all of the cluster, as Share.Percent has it.
const Whole resources.Milli = 100_000

// Share is how much of one scalar resource is wanted: Amount, or Percent of what
// all agents have.
type Share struct {
	Name            string
	Amount, Percent resources.Milli
}

// Rule is a standing reservation.
type Rule struct {
	ID, Role string
	// Principal is that of its reservations; may be empty.
	Principal string
	Shares    []Share
}

// Agent is what a plan knows of an agent; all is allocated to nobody.
type Agent struct {
	// Total is all that it has.
	Total resources.Resources
	// Free is what of it may be taken: neither used nor worked on.
	Free resources.Resources
	// Idle is what of Free is not offered.
	Idle resources.Resources
}

// Move is an operation that an agent should carry out. Those of one agent come
// in their order, and Free has all that they consume.
type Move struct {
	Agent     int // in the list of agents
	Operation *mesos.Offer_Operation
}

// Plan returns the moves that bring what is reserved to what rules want, as far
// as what is free allows; none when nothing can be done. Where there is not
// enough for all rules the first ones have it.
func Plan(rules []Rule, agents []Agent) []Move {
	p := &planner{agents: slices.Clone(agents), release: make([][]*mesos.Resource, len(agents)), claim: make([][]*mesos.Resource, len(agents))}
	for _, a := range agents {
		p.Add(a.Total)
	}
	wanted := make(map[owner]map[string]resources.Milli)
	for _, rule := range rules {
		wanted[owner{rule.ID, rule.Role}] = p.targets(rule)
	}
	p.releaseAll(wanted)
	for _, rule := range rules {
		p.claimAll(rule, wanted[owner{rule.ID, rule.Role}])
	}
	return p.moves()
}

// Standing tells whether r has anything that was reserved by a standing
// reservation.
func Standing(r resources.Resources) bool {
	for e := range r.All() {
		if _, standing := ownerOf(e); standing {
			return true
		}
	}
	return false
}

// owner is whom a reservation belongs to: one that was made for another role
// than its rule has now is nobody's.
type owner struct{ id, role string }

func (o owner) compare(other owner) int {
	return cmp.Or(cmp.Compare(o.id, other.id), cmp.Compare(o.role, other.role))
}

// ownerOf finds the reservation in e's stack that carries the label: others may
// have refined it since.
func ownerOf(e resources.Entry) (owner, bool) {
	for _, reservation := range e.Reservations() {
		for _, label := range reservation.GetLabels().GetLabels() {
			if label.GetKey() == Label && reservation.GetType() == mesos.Resource_ReservationInfo_DYNAMIC {
				return owner{label.GetValue(), reservation.GetRole()}, true
			}
		}
	}
	return owner{}, false
}

// countable tells whether e is of what shares are about.
func countable(e resources.Entry) bool {
	return e.Kind() == mesos.Value_SCALAR && !e.Revocable()
}

// returnable tells whether e can be unreserved: it is no volume, and nothing
// refines its standing reservation.
func returnable(e resources.Entry) bool {
	return len(e.Reservations()) == 1 && e.Disk() == nil && e.Kind() == mesos.Value_SCALAR
}

type planner struct {
	Survey
	agents []Agent
	// By agent.
	release, claim [][]*mesos.Resource
}

// portion is that percentage of all, rounded down.
func portion(all, percent resources.Milli) resources.Milli {
	high, low := bits.Mul64(uint64(all), uint64(percent))
	amount, _ := bits.Div64(high, low, uint64(Whole))
	return resources.Milli(amount)
}

// piece is some of an agent's scalar resource.
type piece struct {
	agent  int
	entry  resources.Entry
	amount resources.Milli
	idle   resources.Milli // of amount, what is not offered
}

// largestFirst keeps the number of moves small, and offers where they are.
func largestFirst(a, b piece) int {
	return cmp.Or(cmp.Compare(b.idle, a.idle), cmp.Compare(b.amount, a.amount), cmp.Compare(a.agent, b.agent))
}

// releaseAll unreserves what is more than wanted.
func (p *planner) releaseAll(wanted map[owner]map[string]resources.Milli) {
	owners := make([]owner, 0, len(p.has))
	for who := range p.has {
		owners = append(owners, who)
	}
	slices.SortFunc(owners, owner.compare)
	for _, who := range owners {
		names := make([]string, 0, len(p.has[who]))
		for name := range p.has[who] {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			p.releaseSome(who, name, p.has[who][name]-wanted[who][name])
		}
	}
}

func (p *planner) releaseSome(who owner, name string, excess resources.Milli) {
	if excess <= 0 {
		return
	}
	for _, piece := range p.pieces(name, func(e resources.Entry) bool {
		owner, standing := ownerOf(e)
		return standing && owner == who && returnable(e)
	}) {
		amount := min(excess, piece.amount)
		if amount == 0 {
			return
		}
		excess -= amount
		p.has[who][name] -= amount
		p.release[piece.agent] = append(p.release[piece.agent], some(piece.entry, amount))
		p.convert(piece, amount, func(m *mesos.Resource) { m.Reservations = nil })
	}
}

// claimAll reserves what a rule misses.
func (p *planner) claimAll(rule Rule, targets map[string]resources.Milli) {
	reservation := reservationOf(rule)
	for _, share := range rule.Shares {
		missing := targets[share.Name] - p.has[owner{rule.ID, rule.Role}][share.Name]
		if missing <= 0 {
			continue
		}
		for _, piece := range p.pieces(share.Name, resources.Entry.Plain) {
			amount := min(missing, piece.amount)
			if amount == 0 {
				break
			}
			missing -= amount
			claimed := some(piece.entry, amount)
			claimed.Reservations = []*mesos.Resource_ReservationInfo{reservation}
			p.claim[piece.agent] = append(p.claim[piece.agent], claimed)
			p.convert(piece, amount, func(m *mesos.Resource) { m.Reservations = claimed.Reservations })
		}
	}
}

func reservationOf(rule Rule) *mesos.Resource_ReservationInfo {
	r := &mesos.Resource_ReservationInfo{
		Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &rule.Role,
		Labels: &mesos.Labels{Labels: []*mesos.Label{{Key: new(Label), Value: &rule.ID}}},
	}
	if rule.Principal != "" {
		r.Principal = &rule.Principal
	}
	return r
}

// pieces lists what of name is free and fits, the best first.
func (p *planner) pieces(name string, fits func(resources.Entry) bool) []piece {
	var list []piece
	for i, a := range p.agents {
		for e := range a.Free.All() {
			if e.Name() == name && fits(e) {
				idle := a.Idle.Filter(func(o resources.Entry) bool { return o.Same(e) }).Scalar(name)
				list = append(list, piece{agent: i, entry: e, amount: e.Amount(), idle: min(idle, e.Amount())})
			}
		}
	}
	slices.SortFunc(list, largestFirst)
	return list
}

// convert notes that some of a piece becomes something else.
func (p *planner) convert(of piece, amount resources.Milli, change func(*mesos.Resource)) {
	part, err := resources.New(some(of.entry, amount))
	if err != nil {
		return // not of what an agent has
	}
	a := &p.agents[of.agent]
	a.Free = a.Free.Without(part).Add(part.Convert(change))
	if a.Idle.Contains(part) {
		a.Idle = a.Idle.Without(part).Add(part.Convert(change))
	}
}

// some is an amount of an entry.
func some(e resources.Entry, amount resources.Milli) *mesos.Resource {
	m := e.Proto()
	m.Scalar = &mesos.Value_Scalar{Value: new(amount.Float())}
	return m
}

func (p *planner) moves() []Move {
	var list []Move
	for i := range p.agents {
		if r := p.release[i]; len(r) > 0 {
			list = append(list, Move{i, &mesos.Offer_Operation{
				Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: r},
			}})
		}
		if r := p.claim[i]; len(r) > 0 {
			list = append(list, Move{i, &mesos.Offer_Operation{
				Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: r},
			}})
		}
	}
	return list
}
