package match

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawFleet is some hosts in some racks; every rack has one.
func drawFleet(rt *rapid.T) []Host {
	racks := rapid.IntRange(1, 5).Draw(rt, "racks")
	var fleet []Host
	for i := range racks + rapid.IntRange(0, 10).Draw(rt, "more") {
		fleet = append(fleet, host(fmt.Sprintf("h%d rack:r%d", i, i%racks)))
	}
	return fleet
}

// tally counts hosts by a field.
func tally(list []Host, field string) map[string]int {
	count := map[string]int{}
	for _, h := range list {
		v, _ := h.Value(field)
		count[v]++
	}
	return count
}

func uneven(list, fleet []Host, field string) int {
	least, most := len(list), 0
	count := tally(list, field)
	for v := range tally(fleet, field) {
		least, most = min(least, count[v]), max(most, count[v])
	}
	return most - least
}

// Whatever offers come in whatever order, what is placed keeps the
// constraints: GROUP_BY is never more uneven than 1, UNIQUE never doubles,
// MAX_PER is never exceeded, CLUSTER has one value. When offers of all hosts
// come, everything that can be placed is.
func TestPlacementKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fleet := drawFleet(rt)
		limit := rapid.IntRange(1, 4).Draw(rt, "limit")
		all := must(t, "rack GROUP_BY", "hostname UNIQUE", fmt.Sprintf("rack MAX_PER %d", limit), "rack CLUSTER")
		rules := Constraints{}
		for i, c := range all {
			if rapid.Bool().Draw(rt, string(all[i].operator)) {
				rules = append(rules, c)
			}
		}
		var placed []Host
		s := rules.Spread(nil, fleet)
		offer := func(h Host) bool {
			no := s.Check(h)
			if fresh := rules.Spread(placed, fleet).Check(h); (no == nil) != (fresh == nil) {
				rt.Fatalf("%v after Place, %v when counted anew", no, fresh)
			}
			if no == nil {
				s.Place(h)
				placed = append(placed, h)
			}
			return no == nil
		}
		for range rapid.IntRange(0, 30).Draw(rt, "offers") {
			offer(fleet[rapid.IntRange(0, len(fleet)-1).Draw(rt, "offer")])
			holds(rt, rules, placed, fleet, limit)
		}
		for moved, rounds := true, 0; moved && rounds < 30; rounds++ {
			moved = false
			for _, h := range fleet {
				moved = offer(h) || moved
			}
		}
		holds(rt, rules, placed, fleet, limit)
		if len(placed) == 0 {
			rt.Fatal("nothing was placed")
		}
	})
}

func holds(rt *rapid.T, rules Constraints, placed, fleet []Host, limit int) {
	clustered := slices.ContainsFunc(rules, func(c Constraint) bool { return c.operator == Cluster })
	for _, c := range rules {
		count := tally(placed, c.field)
		switch c.operator {
		case GroupBy:
			if u := uneven(placed, fleet, c.field); !clustered && u > 1 {
				rt.Fatalf("uneven by %d: %v", u, count)
			}
		case Unique, MaxPer:
			most := map[Operator]int{Unique: 1, MaxPer: limit}[c.operator]
			for v, n := range count {
				if n > most {
					rt.Fatalf("%d instances with %s", n, v)
				}
			}
		case Cluster:
			if len(count) > 1 {
				rt.Fatalf("several values: %v", count)
			}
		}
	}
}

// With a number and without a fleet, as with Marathon: at least so many values
// are used before one is used twice.
func TestGroupByANumber(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fleet := drawFleet(rt)
		n := rapid.IntRange(1, 6).Draw(rt, "number")
		s := must(t, fmt.Sprintf("rack GROUP_BY %d", n)).Spread(nil, fleet)
		var placed []Host
		for range 40 {
			h := fleet[rapid.IntRange(0, len(fleet)-1).Draw(rt, "offer")]
			if s.Check(h) != nil {
				continue
			}
			s.Place(h)
			placed = append(placed, h)
			if used := tally(placed, "rack"); len(used) < n && len(placed) > len(used) {
				rt.Fatalf("%v before %d are used", used, n)
			}
		}
	})
}

// Scaling down never makes things more uneven than they were, or than 1.
func TestVictimsKeepItEven(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fleet := drawFleet(rt)
		var placed []Host
		for range rapid.IntRange(0, 20).Draw(rt, "instances") {
			placed = append(placed, fleet[rapid.IntRange(0, len(fleet)-1).Draw(rt, "host")])
		}
		n := rapid.IntRange(0, 22).Draw(rt, "victims")
		victims := must(t, "rack GROUP_BY").Victims(placed, n)
		if len(victims) != min(n, len(placed)) {
			rt.Fatalf("%d victims of %d, asked for %d", len(victims), len(placed), n)
		}
		before := uneven(placed, fleet, "rack")
		gone := map[int]bool{}
		for _, v := range victims {
			if gone[v] {
				rt.Fatalf("%d is chosen twice", v)
			}
			gone[v] = true
			var left []Host
			for i, h := range placed {
				if !gone[i] {
					left = append(left, h)
				}
			}
			now := uneven(left, fleet, "rack")
			if now > max(before, 1) {
				rt.Fatalf("uneven by %d after %d, before by %d", now, before, before)
			}
			before = now
		}
	})
}
