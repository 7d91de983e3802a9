package resources

import "troupe/messages/mesos"

// Total returns the scalar of all copies, but of one when they are shared; 0
// for other kinds.
func (e Entry) Total() Milli { return e.total() }

// Divisible tells whether a part of the resource can be had.
func (e Entry) Divisible() bool { return !indivisible(e.form) }

// Shrink returns r with as much of each scalar as keep returns for its entry,
// in the order of All: all of it when that is no less than its Total, nothing
// when it is 0 or less, or when the entry cannot be divided. Ranges and sets
// stay as they are; keep is not asked about them.
func (r Resources) Shrink(keep func(Entry) Milli) Resources {
	kept := make([]Entry, 0, len(r.entries))
	for _, e := range r.entries {
		if e.value.kind != mesos.Value_SCALAR {
			kept = append(kept, e)
			continue
		}
		switch amount := keep(e); {
		case amount >= e.total():
			kept = append(kept, e)
		case amount > 0 && e.Divisible():
			e.value.scalar = amount
			kept = append(kept, e)
		}
	}
	return Resources{kept}
}

// Hash returns a number that is equal for what is Equal, and seldom for what
// is not. It is no defence against those who choose what is hashed.
func (r Resources) Hash() uint64 {
	h := uint64(14695981039346656037)
	mix := func(x uint64) {
		h = (h ^ x) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	for _, e := range r.entries {
		mix(hashKey(e.key))
		mix(uint64(e.value.scalar))
		mix(uint64(e.copies))
		for _, x := range e.value.ranges {
			mix(x.Begin)
			mix(x.End)
		}
		for _, item := range e.value.set {
			mix(hashKey(item))
		}
	}
	return h
}

// hashKey looks at the length and at both ends, where keys differ most often.
func hashKey(key string) uint64 {
	h := uint64(len(key))
	for i := range min(len(key), 8) {
		h = h*31 + uint64(key[i])
	}
	for i := max(8, len(key)-8); i < len(key); i++ {
		h = h*31 + uint64(key[i])
	}
	return h
}
