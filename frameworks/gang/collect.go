package gang

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/work"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// held is an offer that some member has a place on.
type held struct {
	offer *mesos.Offer
	left  resources.Resources
	users int
}

// offers lets one gang after the other take what it needs, until one has not
// enough: that one holds what it has, and those behind it wait.
func (m *Machine) offers(list []*mesos.Offer) {
	for _, o := range list {
		m.fleet[o.GetAgentId().GetValue()] = match.HostOf(o)
	}
	for b := m.first(); b != nil; b = m.first() {
		list = m.collect(b, list)
		if b.phase == queued {
			break
		}
	}
	if len(list) > 0 {
		m.do(Unused{Offers: list})
	}
}

// first is the gang whose turn it is: one that holds something, or the one
// that is queued longest.
func (m *Machine) first() *band {
	i := slices.IndexFunc(m.order, func(b *band) bool { return b.phase == queued })
	if i < 0 {
		return nil
	}
	return m.order[i]
}

// collect finds places for the members of a gang that have none, and launches
// it when all have one. It returns the offers that it has no use for.
func (m *Machine) collect(b *band, list []*mesos.Offer) []*mesos.Offer {
	none := !b.holds()
	var offers []*held
	for _, o := range list {
		if left, err := resources.New(o.GetResources()...); err == nil {
			offers = append(offers, &held{offer: o, left: left})
		}
	}
	seating := m.seating(b, offers)
	complete := true
	for _, u := range b.members {
		if u.place.held == nil && !seating.settle(u) {
			complete = false
		}
	}
	if complete {
		m.launch(b)
	} else if none && b.holds() {
		m.timer(b, timerHold, b.gang.Hold)
	}
	used := map[*mesos.Offer]bool{}
	for _, h := range offers {
		used[h.offer] = h.users > 0
	}
	return slices.DeleteFunc(slices.Clone(list), func(o *mesos.Offer) bool { return used[o] })
}

func (b *band) holds() bool {
	return slices.ContainsFunc(b.members, func(u *member) bool { return u.place.held != nil })
}

// offersHeld are the offers of a gang, each once, by the first member there.
func (b *band) offersHeld() []*held {
	var all []*held
	for _, u := range b.members {
		if h := u.place.held; h != nil && !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	return all
}

// drop takes the places on some offers from the members.
func (b *band) drop(void func(*held) bool) {
	for _, u := range b.members {
		if u.place.held != nil && void(u.place.held) {
			u.place = place{}
		}
	}
}

func all(*held) bool { return true }

// giveBack returns everything a gang holds and makes it wait.
func (m *Machine) giveBack(b *band) {
	wait := m.wait(b)
	d := Decline{Refuse: max(wait, time.Second)}
	for _, h := range b.offersHeld() {
		d.Offers = append(d.Offers, h.offer.GetId())
	}
	b.drop(all)
	if len(d.Offers) > 0 {
		m.do(d)
	}
	m.rest(b, wait)
}

// launch starts every member on its place.
func (m *Machine) launch(b *band) {
	b.attempt++
	b.phase = started
	more := b.environment()
	byOffer := map[*held][]*mesos.TaskInfo{}
	offers := b.offersHeld()
	for _, u := range b.members {
		u.id, u.ran, u.over, u.last = u.task.ID, false, false, nil
		if b.attempt > 1 {
			u.id += "." + strconv.Itoa(b.attempt)
		}
		info := u.task.Info(u.id, u.place.held.offer, u.place.taken, u.place.numbers)
		variables := info.GetCommand().GetEnvironment()
		variables.Variables = append(variables.Variables, variable("GANG_RANK", strconv.Itoa(u.rank)))
		variables.Variables = append(variables.Variables, more...)
		if u.task.Edit != nil {
			u.task.Edit(info)
		}
		u.at = work.PlaceOf(u.place.held.offer, info, u.place.numbers)
		byOffer[u.place.held] = append(byOffer[u.place.held], info)
		m.live[u.id] = seat{b, u}
	}
	for _, h := range offers {
		m.do(Launch{Offer: h.offer, Tasks: byOffer[h]})
	}
	b.drop(all)
	m.timer(b, timerStart, b.gang.Start)
}

// environment is what members know of each other.
func (b *band) environment() []*mesos.Environment_Variable {
	var hosts, first []string
	for _, u := range b.members {
		hosts = append(hosts, u.place.held.offer.GetHostname())
		if len(u.place.numbers) > 0 {
			first = append(first, strconv.FormatUint(u.place.numbers[0], 10))
		}
	}
	all := []*mesos.Environment_Variable{
		variable("GANG_SIZE", strconv.Itoa(len(b.members))), variable("GANG_HOSTS", strings.Join(hosts, ",")),
	}
	if len(first) == len(b.members) {
		all = append(all, variable("GANG_PORTS", strings.Join(first, ",")))
	}
	return all
}

func variable(name, value string) *mesos.Environment_Variable {
	return &mesos.Environment_Variable{Name: &name, Value: &value}
}

// seat is a member of a gang.
type seat struct {
	band   *band
	member *member
}
