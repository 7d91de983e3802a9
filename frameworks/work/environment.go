package work

import (
	"maps"
	"slices"
	"strconv"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// environment is Env in order, and the ports' numbers.
func (t *Task) environment(ports []uint64) *mesos.Environment {
	e := &mesos.Environment{}
	add := func(name, value string) {
		e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: &name, Value: &value})
	}
	for i, p := range ports {
		number := strconv.FormatUint(p, 10)
		if i == 0 {
			add("PORT", number)
		}
		add("PORT"+strconv.Itoa(i), number)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		add(name, t.Env[name])
	}
	return e
}

// pickPorts takes n ports out of what is left of an offer, beginning at the
// turn-th, so that a port just given back is not the next to be taken.
func pickPorts(left resources.Resources, n int, turn uint64) (ports []uint64, ok bool) {
	free := left.Ranges(resources.Ports)
	count := free.Count()
	if count < uint64(n) {
		return nil, false
	}
	for i := range uint64(n) {
		ports = append(ports, nth(free, (turn+i)%count))
	}
	return ports, true
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

// portsResource is n ports as a resource.
func portsResource(ports []uint64) *mesos.Resource {
	r := &mesos.Resource{
		Name: new(resources.Ports), Type: mesos.Value_RANGES.Enum(), Ranges: &mesos.Value_Ranges{},
	}
	for _, p := range ports {
		r.Ranges.Range = append(r.Ranges.Range, &mesos.Value_Range{Begin: new(p), End: new(p)})
	}
	return r
}
