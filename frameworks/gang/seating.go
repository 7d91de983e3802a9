package gang

import (
	"fmt"
	"slices"

	"troupe/frameworks/match"
	"troupe/frameworks/ports"
)

// seating finds places for members while the same offers are looked at.
type seating struct {
	machine *Machine
	// offers are those that the gang holds and the new ones.
	offers []*held
	placed []match.Host
	// from is the first offer that may have room for members of a kind: in one
	// seating there is ever less room.
	from map[string]int
	// spreads count the places of the gang, by constraints.
	spreads map[string]*match.Spread
}

func (m *Machine) seating(b *band, offers []*held) *seating {
	s := &seating{
		machine: m, offers: slices.Concat(b.offersHeld(), offers), from: map[string]int{}, spreads: map[string]*match.Spread{},
	}
	for _, u := range b.members {
		if h := u.place.held; h != nil {
			s.placed = append(s.placed, match.HostOf(h.offer))
		}
	}
	return s
}

// settle finds a place for a member, on the first offer that has one.
func (s *seating) settle(u *member) bool {
	spread := s.spread(u)
	kind := fmt.Sprintf("%s;ports=%d", u.task.Resources, u.task.Ports)
	for i := s.from[kind]; i < len(s.offers); i++ {
		h := s.offers[i]
		host := match.HostOf(h.offer)
		if u.task.Accepts != nil && !u.task.Accepts(h.offer) || spread != nil && spread.Check(host) != nil {
			continue
		}
		if s.machine.take(u, h) {
			s.placed = append(s.placed, host)
			for _, spread := range s.spreads {
				spread.Place(host)
			}
			return true
		}
		if i == s.from[kind] {
			s.from[kind]++
		}
	}
	return false
}

// take gives a member a place on an offer, if it has room.
func (m *Machine) take(u *member, h *held) bool {
	taken, rest, ok := h.left.Take(u.needs)
	if !ok {
		return false
	}
	picked, err := ports.Pick(rest, ports.Dynamic(u.task.Ports), m.turn)
	if err != nil {
		return false
	}
	m.turn += uint64(u.task.Ports)
	h.left, h.users = picked.Rest, h.users+1
	u.place = place{held: h, taken: taken.Add(picked.Resources), numbers: picked.Numbers}
	return true
}

// spread counts the places of the gang for a member's constraints; nil without
// any.
func (s *seating) spread(u *member) *match.Spread {
	if len(u.rules) == 0 {
		return nil
	}
	key := fmt.Sprintf("%q", u.task.Constraints)
	if s.spreads[key] == nil {
		var fleet []match.Host
		for _, h := range s.machine.fleet { // in any order: only which values there are counts
			fleet = append(fleet, h)
		}
		s.spreads[key] = u.rules.Spread(s.placed, fleet)
	}
	return s.spreads[key]
}
