package match

// Victims chooses which n instances to end so that those that stay are spread
// as evenly as GROUP_BY wants. placed has the host of each, those that shall
// rather go first; it returns places in it, the first to end first. Where
// GROUP_BY does not mind, the order of placed decides. There are at most
// len(placed).
//
// Among several GROUP_BY, the instance goes that has most others beside it in
// all its groups together.
func (cs Constraints) Victims(placed []Host, n int) []int {
	groups := cs.groups(placed)
	gone := make([]bool, len(placed))
	var chosen []int
	for range min(n, len(placed)) {
		best, most := -1, -1
		for i := range placed {
			if gone[i] {
				continue
			}
			if crowd := groups.crowd(i); crowd > most {
				best, most = i, crowd
			}
		}
		gone[best] = true
		groups.leave(best)
		chosen = append(chosen, best)
	}
	return chosen
}

// groupings are the GROUP_BY constraints, each with its value of every
// instance and the number of instances by value.
type groupings []grouping

type grouping struct {
	// group is a number of the instance's value, -1 without one.
	group []int
	count []int
}

func (cs Constraints) groups(placed []Host) groupings {
	var all groupings
	for _, c := range cs {
		if c.operator != GroupBy {
			continue
		}
		g := grouping{}
		numbers := map[string]int{}
		for _, h := range placed {
			v, ok := h.Value(c.field)
			if !ok {
				g.group = append(g.group, -1)
				continue
			}
			n, known := numbers[v]
			if !known {
				n = len(numbers)
				numbers[v] = n
				g.count = append(g.count, 0)
			}
			g.count[n]++
			g.group = append(g.group, n)
		}
		all = append(all, g)
	}
	return all
}

func (gs groupings) crowd(i int) int {
	sum := 0
	for _, g := range gs {
		if n := g.group[i]; n >= 0 {
			sum += g.count[n]
		}
	}
	return sum
}

func (gs groupings) leave(i int) {
	for _, g := range gs {
		if n := g.group[i]; n >= 0 {
			g.count[n]--
		}
	}
}
