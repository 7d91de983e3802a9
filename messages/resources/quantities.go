package resources

import "slices"

// Index numbers the names of scalar resources from 0, in the order in which it
// first meets them, so that a Quantities can be a plain vector. The zero value
// is ready. It is not safe for concurrent use.
type Index struct {
	numbers map[string]int
	names   []string
}

// Number returns the number of name, which it gives it if it has none.
func (x *Index) Number(name string) int {
	if n, ok := x.numbers[name]; ok {
		return n
	}
	if x.numbers == nil {
		x.numbers = make(map[string]int)
	}
	n := len(x.names)
	x.numbers[name] = n
	x.names = append(x.names, name)
	return n
}

// Name returns the name that has number n.
func (x *Index) Name(n int) string { return x.names[n] }

// Len returns how many names have numbers.
func (x *Index) Len() int { return len(x.names) }

// Quantities returns how much of each scalar r has, whatever its identity.
// Of ranges and sets it has nothing, of what is shared one copy.
func (x *Index) Quantities(r Resources) Quantities {
	return x.AddTo(make(Quantities, 0, max(len(x.names), len(r.entries))), r)
}

// AddTo adds the scalars of r to q and returns the result, which shares q's
// memory when q has room.
func (x *Index) AddTo(q Quantities, r Resources) Quantities {
	for _, e := range r.entries {
		if e.value.scalar == 0 {
			continue
		}
		n := x.Number(e.Name())
		q = q.grown(n + 1)
		q[n] = q[n].plus(e.total())
	}
	return q
}

// String prints q as text, for messages.
func (x *Index) String(q Quantities) string {
	var text []byte
	for n, amount := range q {
		if amount == 0 {
			continue
		}
		if len(text) > 0 {
			text = append(text, "; "...)
		}
		text = append(append(append(text, x.names[n]...), ':'), amount.String()...)
	}
	return string(text)
}

// Quantities is an amount of each scalar resource by its number in an Index.
// What is beyond its end is 0. Methods that change it take a pointer and
// allocate only when it must grow.
type Quantities []Milli

func (q Quantities) grown(n int) Quantities {
	if n <= len(q) {
		return q
	}
	old := len(q)
	q = slices.Grow(q, n-old)[:n]
	clear(q[old:])
	return q
}

// Of returns the amount of number n.
func (q Quantities) Of(n int) Milli {
	if n < len(q) {
		return q[n]
	}
	return 0
}

// Set makes the amount of number n be m.
func (q *Quantities) Set(n int, m Milli) {
	*q = q.grown(n + 1)
	(*q)[n] = m
}

// Add adds o to q.
func (q *Quantities) Add(o Quantities) {
	*q = q.grown(len(o))
	sum := *q
	for i, m := range o {
		sum[i] = sum[i].plus(m)
	}
}

// Sub takes o from q; what o has more of becomes negative.
func (q *Quantities) Sub(o Quantities) {
	*q = q.grown(len(o))
	rest := *q
	for i, m := range o {
		rest[i] = rest[i].plus(-m)
	}
}

// SubFloor takes o from q; what o has more of becomes 0.
func (q *Quantities) SubFloor(o Quantities) {
	for i, m := range *q {
		(*q)[i] = max(0, m.plus(-o.Of(i)))
	}
}

// CopyFrom makes q equal to o and reuses q's memory.
func (q *Quantities) CopyFrom(o Quantities) { *q = append((*q)[:0], o...) }

// Clone returns a copy of q.
func (q Quantities) Clone() Quantities { return slices.Clone(q) }

// Contains tells whether q has at least as much of everything as o.
func (q Quantities) Contains(o Quantities) bool {
	for i, m := range o {
		if m > q.Of(i) {
			return false
		}
	}
	for i := len(o); i < len(q); i++ {
		if q[i] < 0 {
			return false
		}
	}
	return true
}

// Equal tells whether q and o have the same of everything.
func (q Quantities) Equal(o Quantities) bool { return q.Contains(o) && o.Contains(q) }

// IsZero tells whether q has nothing of anything.
func (q Quantities) IsZero() bool {
	for _, m := range q {
		if m != 0 {
			return false
		}
	}
	return true
}
