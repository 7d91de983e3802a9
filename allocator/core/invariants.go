package core

import (
	"fmt"
	"maps"
	"slices"

	"troupe/messages/resources"
)

// Check returns an error when what the allocator counts does not add up: on
// each agent, what is free and what is held must be the total, and every
// client's count in the order of fairness must be the sum of its holdings. It
// looks at everything; tests and the simulator call it.
func (a *Allocator) Check() error {
	held := make(map[*leaf]resources.Quantities)
	holdings := make(map[*leaf]int)
	var total resources.Quantities
	for _, g := range a.agents {
		if err := g.check(); err != nil {
			return fmt.Errorf("agent %s: %w", g.id, err)
		}
		if err := a.checkLayers(g); err != nil {
			return fmt.Errorf("agent %s: %w", g.id, err)
		}
		if listed := g.rest >= 0 && a.rest[g.rest] == g; listed == g.unused.isEmpty() {
			return fmt.Errorf("agent %s: listed as having something unused: %v, it has %s", g.id, listed, g.unused.all)
		}
		total.Add(g.total.sum)
		for _, h := range g.held {
			sum := held[h.leaf]
			sum.Add(h.amount.counted)
			held[h.leaf] = sum
			holdings[h.leaf]++
		}
	}
	if err := a.checkQuota(); err != nil {
		return err
	}
	if err := a.order.Check(total); err != nil {
		return err
	}
	for _, f := range a.frameworks {
		for _, l := range f.leaves {
			if sum := a.order.Allocated(l.node); !sum.Equal(held[l]) || l.holdings != holdings[l] {
				return fmt.Errorf("framework %s in role %s: counted %v in %d holdings, has %v in %d",
					f.id, l.role, sum, l.holdings, held[l], holdings[l])
			}
		}
	}
	return nil
}

func (g *agent) check() error {
	var held resources.Resources
	for _, h := range g.held {
		if h.amount.isEmpty() {
			return fmt.Errorf("an empty holding of framework %s is kept", h.leaf.framework.id)
		}
		held = held.Add(h.amount.apart.all)
	}
	if !g.total.all.Contains(held) {
		if g.total.all.Without(held).Equal(g.free.all) {
			return nil // the total shrank below what is held
		}
	} else if held.Add(g.free.all).Equal(g.total.all) {
		return nil
	}
	return fmt.Errorf("free %s and held %s are not the total %s", g.free.all, held, g.total.all)
}

// checkLayers checks that what is unused is what nobody has for himself, and who
// has what in which layer.
func (a *Allocator) checkLayers(g *agent) error {
	unused := g.total.all
	for i, h := range g.held {
		switch at, _ := g.find(h.leaf, h.layer); {
		case at != i:
			return fmt.Errorf("framework %s has two holdings in layer %d", h.leaf.framework.id, h.layer)
		case h.layer == alone:
			unused = unused.Without(h.amount.apart.all)
		case h.layer < 0 || h.layer > a.options.Overlap || !a.overlaps():
			return fmt.Errorf("framework %s is offered %s in layer %d of %d", h.leaf.framework.id, h.amount.all, h.layer, a.options.Overlap)
		}
	}
	if !unused.Equal(g.unused.all) {
		return fmt.Errorf("%s counted as unused, there is %s", g.unused.all, unused)
	}
	return nil
}

// checkQuota counts anew what the sums behind quota say.
func (a *Allocator) checkQuota() error {
	consumed := make(map[*top]resources.Quantities)
	count := func(t *top, q resources.Quantities) {
		sum := consumed[t]
		sum.Add(q)
		consumed[t] = sum
	}
	var headroom, required resources.Quantities
	for _, g := range a.agents {
		if g.active {
			headroom.Add(g.free.open)
		}
		for _, c := range g.total.claims {
			count(a.tops[c.top], c.amount)
		}
		for _, h := range g.held {
			count(h.leaf.top, h.amount.open)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.tops)) {
		t := a.tops[name]
		if !t.consumed.Equal(consumed[t]) {
			return fmt.Errorf("role %s: %v counted as consumed, there is %v", name, t.consumed, consumed[t])
		}
		for n := range t.guarantees {
			required.Set(n, required.Of(n)+t.lack(n))
		}
		if t.hungry != t.isHungry() || t.capped != a.isCapped(t) {
			return fmt.Errorf("role %s: hungry %v, capped %v are out of date", name, t.hungry, t.capped)
		}
	}
	if !a.headroom.Equal(headroom) || !a.required.Equal(required) {
		return fmt.Errorf("headroom %v and required %v counted, there is %v and %v", a.headroom, a.required, headroom, required)
	}
	return nil
}
