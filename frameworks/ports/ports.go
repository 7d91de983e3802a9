// Package ports picks port numbers out of what an offer has: any, or certain
// ones, and says as what resources they come (whose reservation, which role).
//
// It is a core: chance is an input. Frameworks and everything they are made of
// may import it.
package ports

import (
	"fmt"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	// Any is the number that stands for any port.
	Any = 0
	// Most is how many ports a host can have.
	Most = 1<<16 - 1
)

// Dynamic wants n ports, any; n should be at most Most.
func Dynamic(n int) []uint64 { return make([]uint64, max(n, 0)) }

// Picked are ports taken from an offer.
type Picked struct {
	// Numbers are in the order in which they were wanted.
	Numbers []uint64
	// Resources are the ports as the offer has them.
	Resources resources.Resources
	// Rest is what is left of the offer.
	Rest resources.Resources
}

// Shortage is why there are not enough ports.
type Shortage struct {
	// Missing are the certain ports that are not there, or are wanted twice.
	Missing []uint64
	// Wanted is how many are wanted, Free how many there are.
	Wanted int
	Free   uint64
}

// Error says what is missing.
func (s *Shortage) Error() string {
	if len(s.Missing) > 0 {
		return fmt.Sprintf("ports %v are not offered", s.Missing)
	}
	return fmt.Sprintf("%d ports are wanted, %d are offered", s.Wanted, s.Free)
}

// Pick takes ports from what is offered: those that are named, and another for
// each Any. These are consecutive, as far as they are free, from the start-th
// free port on and begin again at the lowest after the highest; start may be
// any number, best a random one, so that a port just given back is seldom the
// next to be taken. What may be taken away at any time, being revocable, is
// left alone.
//
// An error is a *Shortage. Picking nothing always succeeds.
func Pick(from resources.Resources, want []uint64, start uint64) (Picked, error) {
	if len(want) == 0 {
		return Picked{Rest: from}, nil
	}
	offered := from.Filter(func(e resources.Entry) bool { return e.Name() == resources.Ports && !e.Revocable() })
	free := offered.Ranges(resources.Ports).Minus(resources.Ranges{{Begin: Any, End: Any}})
	named, missing := required(free, want)
	total := free.Count()
	if len(missing) > 0 || uint64(len(want)) > total {
		return Picked{}, &Shortage{Missing: missing, Wanted: len(want), Free: total}
	}
	numbers := fill(free.Minus(named), want, start)
	p := Picked{Numbers: numbers, Rest: from}
	need, err := resources.New(resource(numbers))
	if err != nil {
		return Picked{}, fmt.Errorf("ports %v: %w", numbers, err)
	}
	var ok bool
	if p.Resources, p.Rest, ok = from.Take(need); !ok {
		return Picked{}, &Shortage{Missing: numbers, Wanted: len(want), Free: total}
	}
	return p, nil
}

// required are the ports that are named, and which of them cannot be had.
func required(free resources.Ranges, want []uint64) (named resources.Ranges, missing []uint64) {
	for _, n := range want {
		switch {
		case n == Any:
			continue
		case !free.Has(n) || named.Has(n):
			missing = append(missing, n)
		}
		named = named.Plus(resources.RangesOf(resources.Range{Begin: n, End: n}))
	}
	return named, missing
}

// fill is want with numbers of free for each Any; there must be enough.
func fill(free resources.Ranges, want []uint64, start uint64) []uint64 {
	count := free.Count()
	var numbers []uint64
	if count > 0 {
		start %= count
	}
	for _, n := range want {
		if n == Any {
			n = nth(free, start)
			start = (start + 1) % count
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// nth is the n-th number of ranges that have more than n.
func nth(ranges resources.Ranges, n uint64) uint64 {
	for _, r := range ranges {
		size := r.End - r.Begin + 1
		if n < size {
			return r.Begin + n
		}
		n -= size
	}
	return 0
}

// resource is ports as a resource of nobody's.
func resource(numbers []uint64) *mesos.Resource {
	r := &mesos.Resource{
		Name: new(resources.Ports), Type: mesos.Value_RANGES.Enum(), Ranges: &mesos.Value_Ranges{},
	}
	for _, n := range numbers {
		r.Ranges.Range = append(r.Ranges.Range, &mesos.Value_Range{Begin: new(n), End: new(n)})
	}
	return r
}
