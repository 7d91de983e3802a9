package core

import (
	"fmt"

	"troupe/messages/resources"
)

// Check returns an error when what the allocator counts does not add up: on
// each agent, what is free and what is held must be the total, and every
// client's count in the order of fairness must be the sum of its holdings. It
// looks at everything; tests and the simulator call it.
func (a *Allocator) Check() error {
	held := make(map[*leaf]resources.Quantities)
	agents := make(map[*leaf]int)
	var total resources.Quantities
	for _, g := range a.order {
		if err := g.check(); err != nil {
			return fmt.Errorf("agent %s: %w", g.id, err)
		}
		total.Add(a.quantities(g.total))
		for _, h := range g.held {
			sum := held[h.leaf]
			sum.Add(a.quantities(h.amount))
			held[h.leaf] = sum
			agents[h.leaf]++
		}
	}
	if err := a.tree.Check(total); err != nil {
		return err
	}
	for _, f := range a.frameworks {
		for _, l := range f.leaves {
			if sum := a.tree.Allocated(l.node); !sum.Equal(held[l]) || l.agents != agents[l] {
				return fmt.Errorf("framework %s in role %s: counted %v on %d agents, holds %v on %d",
					f.id, l.role, sum, l.agents, held[l], agents[l])
			}
		}
	}
	return nil
}

func (g *agent) check() error {
	var held resources.Resources
	for _, h := range g.held {
		if h.amount.IsEmpty() {
			return fmt.Errorf("an empty holding of framework %s is kept", h.leaf.framework.id)
		}
		held = held.Add(h.amount)
	}
	if !g.total.Contains(held) {
		if g.total.Without(held).Equal(g.free) {
			return nil // the total shrank below what is held
		}
	} else if held.Add(g.free).Equal(g.total) {
		return nil
	}
	return fmt.Errorf("free %s and held %s are not the total %s", g.free, held, g.total)
}
