package ensemble

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// candidate is a znode of an election.
type candidate struct {
	name   string
	number int64
}

// candidates picks those of a path's children, and sorts them: the first
// leads. There may be other things there as well.
func candidates(label string, children []string) []candidate {
	var all []candidate
	for _, name := range children {
		if c, ok := parseCandidate(label, name); ok {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
	})
	return all
}

func parseCandidate(label, name string) (candidate, bool) {
	digits, ok := strings.CutPrefix(name, label)
	if !ok {
		return candidate{}, false
	}
	number, err := strconv.ParseUint(digits, 10, 63)
	return candidate{name, int64(number)}, err == nil
}
