package resources

import (
	"cmp"
	"iter"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// Names of the resources that every agent has.
const (
	CPUs  = "cpus"  // cores
	Mem   = "mem"   // MB
	Disk  = "disk"  // MB
	GPUs  = "gpus"  // whole devices
	Ports = "ports" // ranges
)

// Resources is an immutable amount of resources. The zero value is none. It
// holds no two entries that add up and none that is empty, and it is in the
// form with stacks of reservations, whatever form it was made from.
type Resources struct {
	entries []Entry // ascending by key
}

// New sums up list. It fails, naming the element, when Validate does. The
// messages of list are kept and must not change afterwards.
func New(list ...*mesos.Resource) (Resources, error) {
	if err := Validate(list); err != nil {
		return Resources{}, err
	}
	entries := make([]Entry, 0, len(list))
	for _, r := range list {
		entries = append(entries, entryOf(r, valueOf(r)))
	}
	return normal(entries), nil
}

// normal sorts and merges entries in place.
func normal(entries []Entry) Resources {
	entries = slices.DeleteFunc(entries, Entry.isEmpty)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.key, b.key) })
	merged := entries[:0]
	for _, e := range entries {
		if n := len(merged); n > 0 && merged[n-1].key == e.key {
			merged[n-1] = merged[n-1].plus(e)
		} else {
			merged = append(merged, e)
		}
	}
	return Resources{merged}
}

// IsEmpty tells whether there is nothing.
func (r Resources) IsEmpty() bool { return len(r.entries) == 0 }

// Len returns the number of entries.
func (r Resources) Len() int { return len(r.entries) }

// All yields the entries in a fixed order: by name, then by identity.
func (r Resources) All() iter.Seq[Entry] { return slices.Values(r.entries) }

// Add returns r and the others together. Ranges and sets unite: what is in
// several counts once. Amounts saturate.
func (r Resources) Add(others ...Resources) Resources {
	sum, own := r.entries, false
	for _, o := range others {
		switch {
		case o.IsEmpty():
		case len(sum) == 0:
			sum = o.entries
		case !own || !addInPlace(sum, o.entries):
			sum, own = merged(sum, o.entries), true
		}
	}
	return Resources{sum}
}

// merged is a new list of a and b together.
func merged(a, b []Entry) []Entry {
	sum := make([]Entry, 0, len(a)+len(b))
	for x, y := range pairs(a, b) {
		switch {
		case y == nil:
			sum = append(sum, *x)
		case x == nil:
			sum = append(sum, *y)
		default:
			sum = append(sum, x.plus(*y))
		}
	}
	return sum
}

// addInPlace adds b to sum, which is nobody else's, unless b has something
// that is not in sum at all.
func addInPlace(sum, b []Entry) bool {
	i := 0
	for _, e := range b {
		for i < len(sum) && sum[i].key < e.key {
			i++
		}
		if i == len(sum) || sum[i].key != e.key {
			return false
		}
	}
	i = 0
	for _, e := range b {
		for sum[i].key != e.key {
			i++
		}
		sum[i] = sum[i].plus(e)
	}
	return true
}

// Subtract returns r without o. It fails, naming the first resource that r has
// too little of, unless r contains o.
func (r Resources) Subtract(o Resources) (Resources, error) {
	if e, ok := r.firstMissing(o); ok {
		return r, field.Invalid(e.Name(), e.String(), "is not contained in %s", r)
	}
	return r.Without(o), nil
}

// Without returns r without what of each of the others it has.
func (r Resources) Without(others ...Resources) Resources {
	rest, own := r.entries, false
	for _, o := range others {
		if len(rest) == 0 || o.IsEmpty() {
			continue
		}
		into := rest[:0]
		if !own {
			into, own = make([]Entry, 0, len(rest)), true
		}
		rest = appendWithout(into, rest, o.entries)
	}
	return Resources{rest}
}

// appendWithout appends a without b to rest, which may share a's memory.
func appendWithout(rest, a, b []Entry) []Entry {
	for _, e := range a {
		for len(b) > 0 && b[0].key < e.key {
			b = b[1:]
		}
		if len(b) > 0 && b[0].key == e.key {
			e = e.minus(b[0])
		}
		if !e.isEmpty() {
			rest = append(rest, e)
		}
	}
	return rest
}

// Contains tells whether r has all of o.
func (r Resources) Contains(o Resources) bool {
	_, missing := r.firstMissing(o)
	return !missing
}

// firstMissing returns the first entry of o that r has too little of.
func (r Resources) firstMissing(o Resources) (Entry, bool) {
	for a, b := range pairs(r.entries, o.entries) {
		if b != nil && (a == nil || !a.contains(*b)) {
			return *b, true
		}
	}
	return Entry{}, false
}

// Equal tells whether r and o have the same.
func (r Resources) Equal(o Resources) bool {
	return slices.EqualFunc(r.entries, o.entries, func(a, b Entry) bool {
		return a.key == b.key && a.copies == b.copies && a.value.equal(b.value)
	})
}

// Filter returns the entries that keep accepts.
func (r Resources) Filter(keep func(Entry) bool) Resources {
	var kept []Entry
	for _, e := range r.entries {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return Resources{kept}
}

// Allocate returns r as given to role, or to nobody in particular when role is
// empty, whatever it was given to before.
func (r Resources) Allocate(role string) Resources {
	var info *mesos.Resource_AllocationInfo
	if role != "" {
		info = &mesos.Resource_AllocationInfo{Role: &role}
	}
	return r.Convert(func(form *mesos.Resource) { form.AllocationInfo = info })
}

// Unallocate returns r as given to nobody.
func (r Resources) Unallocate() Resources { return r.Allocate("") }

// Scalar returns the amount of name over all entries, whatever their identity.
// Of what is shared it counts one copy.
func (r Resources) Scalar(name string) Milli {
	var sum Milli
	for _, e := range r.entries {
		if e.Name() == name {
			sum = sum.plus(e.total())
		}
	}
	return sum
}

// Ranges returns the numbers of name over all entries.
func (r Resources) Ranges(name string) Ranges {
	var all Ranges
	for _, e := range r.entries {
		if e.Name() == name {
			all = all.Plus(e.value.ranges)
		}
	}
	return all
}

// Set returns the items of name over all entries.
func (r Resources) Set(name string) Set {
	var all Set
	for _, e := range r.entries {
		if e.Name() == name {
			all = all.Plus(e.value.set)
		}
	}
	return all
}

// ProtoFor is Proto of what was given to nobody yet, as given to role.
func (r Resources) ProtoFor(role string) []*mesos.Resource {
	list := r.Proto()
	info := &mesos.Resource_AllocationInfo{Role: &role}
	for _, m := range list {
		m.AllocationInfo = info
	}
	return list
}

// Proto returns r as messages, one for each entry and copy, in the order of
// All. They share parts with each other and with what r was made from, and
// must not be changed.
func (r Resources) Proto() []*mesos.Resource {
	list := make([]*mesos.Resource, 0, len(r.entries))
	for _, e := range r.entries {
		m := e.Proto()
		for range e.copies {
			list = append(list, m)
		}
	}
	return list
}

// pairs walks two ascending lists at once: it yields each key's entry in a, or
// nil, and its entry in b, or nil.
func pairs(a, b []Entry) iter.Seq2[*Entry, *Entry] {
	return func(yield func(x, y *Entry) bool) {
		for len(a) > 0 || len(b) > 0 {
			var x, y *Entry
			if len(b) == 0 || len(a) > 0 && a[0].key <= b[0].key {
				x = &a[0]
			}
			if len(a) == 0 || len(b) > 0 && b[0].key <= a[0].key {
				y = &b[0]
			}
			if x != nil {
				a = a[1:]
			}
			if y != nil {
				b = b[1:]
			}
			if !yield(x, y) {
				return
			}
		}
	}
}
