package app

import (
	"errors"
	"fmt"
	"slices"
)

// ErrPortsExhausted is that no service port is left; an operator must widen the
// range.
var ErrPortsExhausted = errors.New("no service port is left")

// ServicePorts gives apps the service ports that they leave open.
type ServicePorts struct {
	next, last int
	taken      map[int]bool
}

// NewServicePorts makes a book of the ports from first to last, of which those
// that apps of the root have are taken.
func NewServicePorts(first, last int, root *Group) *ServicePorts {
	s := &ServicePorts{next: first, last: last, taken: map[int]bool{}}
	for a := range root.All() {
		for _, p := range a.servicePorts() {
			s.taken[*p] = true
		}
	}
	return s
}

// Assign is a with every service port that is 0 replaced: by the one that old,
// which a replaces, has at that place, or else by the lowest that nobody has. old
// may be nil. The error is ErrPortsExhausted, with the range.
func (s *ServicePorts) Assign(a, old *App) (*App, error) {
	a = a.Clone()
	if a.Container != nil {
		c := *a.Container
		c.Mappings = slices.Clone(c.Mappings)
		a.Container = &c
	}
	a.Ports = slices.Clone(a.Ports)
	ports := a.servicePorts()
	own := map[int]bool{}
	for _, p := range ports {
		own[*p] = true
	}
	var before []*int
	if old != nil {
		before = old.servicePorts()
	}
	for i, p := range ports {
		if *p == 0 && i < len(before) && !own[*before[i]] {
			*p = *before[i]
			own[*p] = true
		}
	}
	for _, p := range ports {
		if *p != 0 {
			continue
		}
		for s.next <= s.last && (s.taken[s.next] || own[s.next]) {
			s.next++
		}
		if s.next > s.last {
			return nil, fmt.Errorf("app %s: %w up to %d", a.ID, ErrPortsExhausted, s.last)
		}
		*p = s.next
		s.taken[s.next] = true
		own[s.next] = true
	}
	return a, nil
}
