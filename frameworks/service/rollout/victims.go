package rollout

import (
	"cmp"
	"slices"

	"troupe/frameworks/match"
)

// Candidate is an instance that could be ended.
type Candidate struct {
	Class Class
	Age   int // smaller is older
	Host  match.Host
}

// Victims chooses n of the candidates to be ended, as places in the list: by class
// first; within the class that is not ended as a whole those that GROUP_BY wants
// away, and then the youngest, or the oldest.
func Victims(rules match.Constraints, oldest bool, from []Candidate, n int) []int {
	before := func(a, b int) int {
		age := cmp.Compare(from[b].Age, from[a].Age)
		if oldest {
			age = -age
		}
		return cmp.Or(cmp.Compare(from[a].Class, from[b].Class), age)
	}
	order := make([]int, len(from))
	for i := range order {
		order[i] = i
	}
	if n == 1 && len(order) > 0 && !grouped(rules) { // so it is in most rollouts
		return []int{slices.MinFunc(order, before)}
	}
	slices.SortFunc(order, before)
	n = min(n, len(order))
	if n <= 0 || n == len(order) || !grouped(rules) {
		return order[:max(n, 0)]
	}
	first, last := n, n
	for first > 0 && from[order[first-1]].Class == from[order[n]].Class {
		first--
	}
	for last < len(order) && from[order[last]].Class == from[order[n]].Class {
		last++
	}
	part := order[first:last]
	hosts := make([]match.Host, len(part))
	for i, at := range part {
		hosts[i] = from[at].Host
	}
	chosen := order[:first:first]
	for _, i := range rules.Victims(hosts, n-first) {
		chosen = append(chosen, part[i])
	}
	return chosen
}

func grouped(rules match.Constraints) bool {
	return slices.ContainsFunc(rules, func(c match.Constraint) bool { return c.Operator() == match.GroupBy })
}
