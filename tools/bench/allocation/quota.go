package allocation

import (
	"fmt"

	"troupe/allocator/core"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

const addFrameworks = "add frameworks"

// quotaOf guarantees a role what the text says.
func quotaOf(role, guarantee string) *cluster.UpdateQuota {
	c := &quota.QuotaConfig{Role: &role, Guarantees: make(map[string]*mesos.Value_Scalar)}
	for _, r := range listed(guarantee) {
		c.Guarantees[r.GetName()] = r.Scalar
	}
	return &cluster.UpdateQuota{Configs: []*quota.QuotaConfig{c}}
}

// limitOf limits a role to so many cpus and no memory.
func limitOf(role string, cpus int) *cluster.UpdateQuota {
	amount, none := float64(cpus), 0.0
	return &cluster.UpdateQuota{Configs: []*quota.QuotaConfig{{
		Role: &role, Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: &amount}, "mem": {Value: &none}},
	}}}
}

// drawn is an allocator whose order is by lot at both levels, or that of fairness.
func drawn(lots bool) *rig {
	if lots {
		return newRigOf(core.Options{Roles: core.ByLot, Frameworks: core.ByLot})
	}
	return newRig()
}

// LargeAndSmallQuota offers agents to roles with quota, each with one framework:
// the small ones want half an agent, the large ones two agents. Then all is
// looked at in vain.
func LargeAndSmallQuota(lots bool, small, large int) []Figure {
	r := drawn(lots)
	name := func(i int) (string, string) {
		if i < small {
			return fmt.Sprint("smallQuotaRole", i), "cpus:1;mem:1024;disk:1024"
		}
		return fmt.Sprint("largeQuotaRole", i-small), "cpus:4;mem:4096;disk:4096"
	}
	for i := range small/5 + large*5 {
		r.tell(agent(i, "cpus:2;mem:2048;disk:2048"))
	}
	add := messagesOf(small+large, func(i int) *cluster.AddFramework {
		role, _ := name(i)
		return framework(i, role)
	})
	figures := []Figure{{What: addFrameworks, Took: timed(func() { r.tell(add...) })}}
	for i := range small + large {
		r.tell(quotaOf(name(i)))
	}
	figures = append(figures, Figure{What: "allocate", Took: r.allocate()})
	role, _ := name(0)
	r.tell(framework(0, role)) // has all looked at again
	return append(figures, Figure{What: "idle pass", Took: r.allocate()})
}

// NonQuotaVsQuota offers two agents for each role, which has two frameworks,
// and a quota of both agents or none.
func NonQuotaVsQuota(lots bool, roles int, quotas bool) []Figure {
	r := drawn(lots)
	for i := range 2 * roles {
		r.tell(agent(i, "cpus:2;mem:2048;disk:2048"))
	}
	role := func(i int) string { return fmt.Sprint("role", i%roles) }
	add := messagesOf(2*roles, func(i int) *cluster.AddFramework { return framework(i, role(i)) })
	figures := []Figure{{What: addFrameworks, Took: timed(func() { r.tell(add...) })}}
	for i := range roles {
		if quotas {
			r.tell(quotaOf(role(i), "cpus:4;mem:4096;disk:4096"))
		}
	}
	figures = append(figures, Figure{What: "allocate", Took: r.allocate()})
	r.tell(framework(0, role(0)))
	return append(figures, Figure{What: "idle pass", Took: r.allocate()})
}
