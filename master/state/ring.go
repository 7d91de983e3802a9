package state

// ring keeps the newest max of what is added. A negative max keeps nothing.
type ring[T any] struct {
	max   int
	items []T
	first int
}

// add returns what had to give way.
func (r *ring[T]) add(item T) (gone T, any bool) {
	if r.max <= 0 {
		return item, true
	}
	if len(r.items) < r.max {
		r.items = append(r.items, item)
		return gone, false
	}
	gone, r.items[r.first] = r.items[r.first], item
	r.first = (r.first + 1) % r.max
	return gone, true
}
