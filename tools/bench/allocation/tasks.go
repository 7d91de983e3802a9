package allocation

import (
	"fmt"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/resources"
)

// kind is what frameworks of one kind launch.
type kind struct {
	tasks    int // each framework's
	perOffer int
	task     resources.Resources
}

// MultiFrameworkAllocations lets 554 frameworks of three kinds, with 19,500
// tasks in all, launch what they can on 80 agents in 100 rounds. Those that
// have launched all refuse what they are offered, but for no time, so that in
// the end few others are offered anything: that is what the order of fairness
// makes of it. It returns how many tasks were launched.
func MultiFrameworkAllocations() (figures []Figure, tasks int, err error) {
	const rounds = 100
	marathon := kind{4000, 100, resources.MustParse("cpus:0.07;mem:400")}
	jenkins := kind{5, 1, resources.MustParse("cpus:0.1;mem:4000")}
	spark := kind{20, 5, resources.MustParse("cpus:1;mem:1000")}
	r := newRig()
	kinds := make(map[string]*kind)
	for i := range 554 {
		role, of := "roleB", jenkins
		switch {
		case i < 4:
			role, of = fmt.Sprint("roleA-", i), marathon
		case i < 54:
			role, of = fmt.Sprint("roleC-", i), spark
		}
		r.tell(framework(i, role))
		kinds[frameworkID(i).GetValue()] = &of
	}
	for i := range 80 {
		r.tell(agent(i, "cpus:64;mem:488000"))
	}
	var total time.Duration
	for range rounds {
		total += r.allocate()
		for _, g := range r.take() {
			n, err := r.launch(g, kinds[g.FrameworkId.GetValue()])
			if err != nil {
				return nil, tasks, err
			}
			tasks += n
		}
	}
	return []Figure{{What: "mean of passes", Took: total / rounds}}, tasks, nil
}

// launch keeps of an offer what tasks of the kind need, gives the rest back,
// and returns how many tasks there are.
func (r *rig) launch(g *cluster.Allocations_Allocation, k *kind) (tasks int, err error) {
	rest, err := resources.New(g.Resources...)
	if err != nil {
		return 0, err
	}
	for ; tasks < k.perOffer && k.tasks > 0 && rest.Contains(k.task); tasks++ {
		rest = rest.Without(k.task)
		k.tasks--
	}
	r.tell(&cluster.RecoverResources{
		FrameworkId: g.FrameworkId, AgentId: g.AgentId, Role: g.Role, Resources: rest.Proto(),
	})
	return tasks, nil
}
