package reserve

import (
	"maps"

	"troupe/messages/resources"
)

// Survey counts what all agents have, and what of it is reserved already; it is
// kept as agents come, go and change, so that whether there is anything to plan
// is told without a look at them. The zero value is of no agents.
type Survey struct {
	has     map[owner]map[string]resources.Milli // none of it 0
	cluster map[string]resources.Milli
}

// Add counts what an agent has.
func (s *Survey) Add(total resources.Resources) { s.count(total, 1) }

// Remove takes back what Add counted.
func (s *Survey) Remove(total resources.Resources) { s.count(total, -1) }

func (s *Survey) count(total resources.Resources, sign resources.Milli) {
	if s.has == nil {
		s.has, s.cluster = make(map[owner]map[string]resources.Milli), make(map[string]resources.Milli)
	}
	for e := range total.All() {
		if !countable(e) {
			continue
		}
		s.cluster[e.Name()] += sign * e.Total()
		if who, standing := ownerOf(e); standing {
			s.own(who, e.Name(), sign*e.Total())
		}
	}
}

func (s *Survey) own(who owner, name string, amount resources.Milli) {
	if s.has[who] == nil {
		s.has[who] = make(map[string]resources.Milli)
	}
	s.has[who][name] += amount
	if s.has[who][name] == 0 {
		delete(s.has[who], name)
	}
	if len(s.has[who]) == 0 {
		delete(s.has, who)
	}
}

// Standing tells whether anything is reserved by standing reservations.
func (s *Survey) Standing() bool { return len(s.has) > 0 }

// Equal tells whether s and o count the same.
func (s *Survey) Equal(o *Survey) bool {
	for name, amount := range s.cluster {
		if o.cluster[name] != amount {
			return false
		}
	}
	for name, amount := range o.cluster {
		if s.cluster[name] != amount {
			return false
		}
	}
	return maps.EqualFunc(s.has, o.has, maps.Equal[map[string]resources.Milli, map[string]resources.Milli])
}

// Settled tells whether rules have what they want, and nobody has more: then
// Plan has nothing to do.
func (s *Survey) Settled(rules []Rule) bool {
	settled := 0 // resources of owners
	for _, rule := range rules {
		has := s.has[owner{rule.ID, rule.Role}]
		for name, amount := range s.targets(rule) {
			if has[name] != amount {
				return false
			}
			if amount > 0 {
				settled++
			}
		}
	}
	all := 0
	for _, has := range s.has {
		all += len(has)
	}
	return settled == all
}

// targets is how much of each resource a rule wants now.
func (s *Survey) targets(rule Rule) map[string]resources.Milli {
	targets := make(map[string]resources.Milli, len(rule.Shares))
	for _, share := range rule.Shares {
		amount := share.Amount
		if share.Percent > 0 {
			amount = portion(s.cluster[share.Name], min(share.Percent, Whole))
		}
		if share.Name == resources.GPUs {
			amount -= amount % 1000
		}
		targets[share.Name] = amount
	}
	return targets
}
