package allocation

import (
	"fmt"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// UpdateAllocation has an agent with a reservation of four resources for each
// of so many roles, given to a framework each. One of them unreserves what it
// has, and reserves it again, 20 times: the master tells of the agent anew.
func UpdateAllocation(roles int) []Figure {
	r := newRig()
	reserved, unreserved := updated(roles, true), updated(roles, false)
	for i := range roles {
		r.tell(framework(i, roleOf(i)))
	}
	r.tell(reserved)
	r.allocate()
	const times = 20
	reserve, unreserve := Figure{What: "reserve"}, Figure{What: "unreserve"}
	for range times {
		unreserve.Took += timed(func() { r.tell(unreserved) }) / times
		r.allocate()
		reserve.Took += timed(func() { r.tell(reserved) }) / times
		r.allocate()
	}
	return []Figure{reserve, unreserve}
}

func roleOf(i int) string { return fmt.Sprintf("role-%036d", i) }

// updated is the agent, with the reservation of the first role or without.
func updated(roles int, first bool) *cluster.AddAgent {
	m := agent(0, "cpus:1")
	m.Agent.Resources = nil
	for i := range roles {
		role := roleOf(i)
		list := listed("cpus:100;mem:100;disk:100;port:[2-2]")
		if i > 0 || first {
			label := label("Label", fmt.Sprintf("%036d", i))
			list = reserve(role, list, &mesos.Labels{Labels: []*mesos.Label{label}})
		}
		m.Agent.Resources = append(m.Agent.Resources, clones(list)...)
		m.Used = append(m.Used, used(i, role, list)...)
	}
	return m
}
