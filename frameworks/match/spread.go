package match

import (
	"fmt"
	"strconv"
)

// Spread is where instances are, counted for one set of constraints, so that
// checking a host costs the same however many there are. It is not safe for
// concurrent use.
type Spread struct {
	rules []rule
	fleet []Host
	// placed counts the instances.
	placed int
}

// rule is a constraint with what it must know of the instances.
type rule struct {
	Constraint
	// count is how many instances have each value.
	count map[string]int
	// known are the values in the fleet that the other constraints leave open.
	known map[string]bool
	// first is the value of the first instance, which may have none.
	first    string
	hasFirst bool
}

// Spread counts instances. placed are the hosts of all that are alive, of any
// version, a host for each, in the order in which they were launched; fleet
// are all hosts that are known, whether they offer anything now or not. With
// no fleet GROUP_BY knows just the values that instances have, as Marathon
// does.
func (cs Constraints) Spread(placed, fleet []Host) *Spread {
	s := &Spread{fleet: fleet}
	for _, c := range cs {
		s.rules = append(s.rules, rule{Constraint: c, count: map[string]int{}})
	}
	for _, h := range placed {
		s.count(h)
	}
	s.look()
	return s
}

// Place counts one more instance, launched on h.
func (s *Spread) Place(h Host) {
	s.count(h)
	if s.placed == 1 { // CLUSTER is bound from here on
		s.look()
	}
}

func (s *Spread) count(h Host) {
	for i := range s.rules {
		r := &s.rules[i]
		v, ok := h.Value(r.field)
		if ok {
			r.count[v]++
		}
		if s.placed == 0 {
			r.first, r.hasFirst = v, ok
		}
	}
	s.placed++
}

// look finds the values that GROUP_BY spreads over: those of hosts which the
// constraints that do not depend on counting let in. A rack that another
// constraint rules out would otherwise be the emptiest for ever. Who gives a
// number relies on that, as with Marathon.
func (s *Spread) look() {
	for i := range s.rules {
		r := &s.rules[i]
		if r.operator != GroupBy || r.number > 0 {
			continue
		}
		r.known = map[string]bool{}
		for _, h := range s.fleet {
			if v, ok := h.Value(r.field); ok && !r.known[v] && s.open(h) {
				r.known[v] = true
			}
		}
	}
}

func (s *Spread) open(h Host) bool {
	for i := range s.rules {
		switch r := &s.rules[i]; r.operator {
		case Like, Unlike, Is, Cluster:
			if r.check(h, s.placed) != nil {
				return false
			}
		}
	}
	return true
}

// Refusal is why a host is refused.
type Refusal struct {
	// Constraint is the first that does not hold.
	Constraint Constraint
	// Value is what the host has; "" when it lacks the field, and Missing.
	Value   string
	Missing bool
	// Reason says why, for people: "rack is "a", which 2 instances have: 1 is
	// the most".
	Reason string
}

// String is the constraint and the reason.
func (r *Refusal) String() string { return r.Constraint.String() + ": " + r.Reason }

// Check says why one more instance must not be placed on h; nil if it may.
func (s *Spread) Check(h Host) *Refusal {
	for i := range s.rules {
		if no := s.rules[i].check(h, s.placed); no != nil {
			return no
		}
	}
	return nil
}

func (r *rule) check(h Host, placed int) *Refusal {
	v, ok := h.Value(r.field)
	if !ok {
		if r.operator == Unlike {
			return nil
		}
		return &Refusal{Constraint: r.Constraint, Missing: true, Reason: "the host has no " + r.field}
	}
	why := r.judge(h, v, placed)
	if why == "" {
		return nil
	}
	return &Refusal{Constraint: r.Constraint, Value: v, Reason: fmt.Sprintf("%s is %q, %s", r.field, v, why)}
}

// judge says what is wrong with a value; "" if nothing is.
func (r *rule) judge(h Host, v string, placed int) string {
	switch r.operator {
	case Unique:
		if r.count[v] > 0 {
			return "which an instance has already"
		}
	case MaxPer:
		if n := r.count[v]; n >= r.number {
			return fmt.Sprintf("which %d instances have: %d is the most", n, r.number)
		}
	case Cluster:
		return r.judgeCluster(v, placed)
	case GroupBy:
		return r.judgeGroup(v)
	case Like:
		if !r.matches(v) {
			return fmt.Sprintf("which does not match %q", r.value)
		}
	case Unlike:
		if r.matches(v) {
			return fmt.Sprintf("which matches %q", r.value)
		}
	case Is:
		if v != r.value && !r.sameNumber(h) {
			return fmt.Sprintf("not %q", r.value)
		}
	}
	return ""
}

func (r *rule) judgeCluster(v string, placed int) string {
	switch {
	case r.value != "" && v != r.value:
		return fmt.Sprintf("not %q", r.value)
	case r.value != "" || placed == 0:
		return ""
	case !r.hasFirst:
		return "and the first instance has none"
	case v != r.first:
		return fmt.Sprintf("not %q as with the first instance", r.first)
	}
	return ""
}

// judgeGroup wants the least filled value. A value that no instance has is
// always among those; with a number, the others wait until as many values have
// instances.
func (r *rule) judgeGroup(v string) string {
	n := r.count[v]
	switch {
	case n == 0:
		return ""
	case len(r.count) < r.number:
		return fmt.Sprintf("which %d instances have, and only %d of %d values are used", n, len(r.count), r.number)
	}
	emptier, has := "", n
	for other := range r.known {
		emptier, has = least(emptier, has, other, r.count[other])
	}
	for other, count := range r.count {
		emptier, has = least(emptier, has, other, count)
	}
	if has < n {
		return fmt.Sprintf("which %d instances have, and only %d have %q", n, has, emptier)
	}
	return ""
}

// least is the value with fewer instances, of two with as many the smaller
// one, so that the order of a map does not show.
func least(a string, countA int, b string, countB int) (string, int) {
	if countB < countA || countB == countA && b < a {
		return b, countB
	}
	return a, countA
}

// sameNumber compares an attribute that is a number by its value: "1.50" is
// 1.5.
func (r *rule) sameNumber(h Host) bool {
	has, ok := h.scalar(r.field)
	if !ok {
		return false
	}
	want, err := strconv.ParseFloat(r.value, 64)
	return err == nil && inThousandths(want) == has
}
