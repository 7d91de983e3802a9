package resources

import (
	"slices"
	"strings"
)

// Set is a set of strings: ascending, each once. A Set is never changed in
// place.
type Set []string

// SetOf returns the set of items.
func SetOf(items ...string) Set {
	sorted := slices.Sorted(slices.Values(items))
	return Set(slices.Compact(sorted))
}

// Plus returns the items in s or o.
func (s Set) Plus(o Set) Set {
	if len(o) == 0 {
		return s
	}
	if len(s) == 0 {
		return o
	}
	return SetOf(slices.Concat(s, o)...)
}

// Minus returns the items in s and not in o.
func (s Set) Minus(o Set) Set {
	var rest Set
	for _, item := range s {
		if !o.Has(item) {
			rest = append(rest, item)
		}
	}
	return rest
}

// Contains tells whether every item of o is in s.
func (s Set) Contains(o Set) bool {
	for _, item := range o {
		if !s.Has(item) {
			return false
		}
	}
	return true
}

// Has tells whether item is in s.
func (s Set) Has(item string) bool {
	_, found := slices.BinarySearch(s, item)
	return found
}

// Equal tells whether s and o have the same items.
func (s Set) Equal(o Set) bool { return slices.Equal(s, o) }

// String prints "{a, b}".
func (s Set) String() string { return "{" + strings.Join(s, ", ") + "}" }
