package resources

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Range is the whole numbers from Begin to End, both included.
type Range struct{ Begin, End uint64 }

// Ranges is a set of whole numbers: ascending ranges of which no two overlap
// or touch. A Ranges is never changed in place.
type Ranges []Range

// RangesOf unites ranges, which may overlap. A range that ends before it
// begins counts as empty.
func RangesOf(ranges ...Range) Ranges {
	sorted := make(Ranges, 0, len(ranges))
	for _, r := range ranges {
		if r.Begin <= r.End {
			sorted = append(sorted, r)
		}
	}
	return united(sorted)
}

// united merges ranges in place, of which none is empty; mostly they ascend.
func united(rs Ranges) Ranges {
	if !slices.IsSortedFunc(rs, byBegin) {
		slices.SortFunc(rs, byBegin)
	}
	return coalesce(rs)
}

func byBegin(a, b Range) int { return cmp.Compare(a.Begin, b.Begin) }

// coalesce merges in place what overlaps or touches; rs ascends by Begin.
func coalesce(rs Ranges) Ranges {
	if len(rs) == 0 {
		return nil
	}
	last := 0
	for _, r := range rs[1:] {
		end := rs[last].End
		switch {
		case end != math.MaxUint64 && r.Begin > end+1:
			last++
			rs[last] = r
		case r.End > end:
			rs[last].End = r.End
		}
	}
	return rs[:last+1]
}

// Plus returns the numbers in rs or o.
func (rs Ranges) Plus(o Ranges) Ranges {
	if len(o) == 0 {
		return rs
	}
	if len(rs) == 0 {
		return o
	}
	merged := make(Ranges, 0, len(rs)+len(o))
	for len(rs) > 0 && len(o) > 0 {
		if rs[0].Begin <= o[0].Begin {
			merged, rs = append(merged, rs[0]), rs[1:]
		} else {
			merged, o = append(merged, o[0]), o[1:]
		}
	}
	return coalesce(append(append(merged, rs...), o...))
}

// Minus returns the numbers in rs and not in o.
func (rs Ranges) Minus(o Ranges) Ranges {
	if len(o) == 0 {
		return rs
	}
	var rest Ranges
	for _, r := range rs {
		for len(o) > 0 && o[0].End < r.Begin {
			o = o[1:]
		}
		rest = appendMinus(rest, r, o)
	}
	return rest
}

// appendMinus appends what of r is not in o, whose first range does not end
// before r.
func appendMinus(rest Ranges, r Range, o Ranges) Ranges {
	for _, hole := range o {
		if hole.Begin > r.End {
			break
		}
		if hole.Begin > r.Begin {
			rest = append(rest, Range{r.Begin, hole.Begin - 1})
		}
		if hole.End >= r.End {
			return rest
		}
		r.Begin = hole.End + 1
	}
	return append(rest, r)
}

// Contains tells whether every number of o is in rs.
func (rs Ranges) Contains(o Ranges) bool {
	for _, r := range o {
		for len(rs) > 0 && rs[0].End < r.Begin {
			rs = rs[1:]
		}
		if len(rs) == 0 || rs[0].Begin > r.Begin || rs[0].End < r.End {
			return false
		}
	}
	return true
}

// Has tells whether n is in rs.
func (rs Ranges) Has(n uint64) bool {
	i, found := slices.BinarySearchFunc(rs, n, func(r Range, n uint64) int { return cmp.Compare(r.Begin, n) })
	return found || i > 0 && n <= rs[i-1].End
}

// Equal tells whether rs and o have the same numbers.
func (rs Ranges) Equal(o Ranges) bool { return slices.Equal(rs, o) }

// Count returns how many numbers are in rs, at most math.MaxUint64.
func (rs Ranges) Count() uint64 {
	var n uint64
	for _, r := range rs {
		size := r.End - r.Begin
		if size == math.MaxUint64 || n+size+1 < n {
			return math.MaxUint64
		}
		n += size + 1
	}
	return n
}

// String prints "[1-5, 7-7]".
func (rs Ranges) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, r := range rs {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatUint(r.Begin, 10))
		b.WriteByte('-')
		b.WriteString(strconv.FormatUint(r.End, 10))
	}
	b.WriteByte(']')
	return b.String()
}
