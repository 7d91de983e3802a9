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

// timeout ends MultiFrameworkAllocations, as it does at Mesos.
const timeout = 30 * time.Second

// Launched is what MultiFrameworkAllocations came to.
type Launched struct {
	Tasks, Of, Rounds int
	Passes            time.Duration // all together
}

// MultiFrameworkAllocations lets 554 frameworks of three kinds, with 19,500
// tasks in all, launch what they can on 80 agents: round after round, as long as
// there are tasks to launch and more says so. What an offer leaves comes back
// without a filter. Those that have launched all go on to be offered their turn,
// so that the order of fairness soon offers little to who has much already, as
// at Mesos; unless they suppress offers then, as frameworks should.
func MultiFrameworkAllocations(suppress bool, more func(rounds int) bool) (l Launched, err error) {
	r, kinds := crowd()
	for _, k := range kinds {
		l.Of += k.tasks
	}
	for l.Tasks < l.Of && more(l.Rounds) {
		l.Rounds++
		l.Passes += r.allocate()
		for _, g := range r.take() {
			k := kinds[g.FrameworkId.GetValue()]
			n, err := r.launch(g, k)
			if err != nil {
				return l, err
			}
			l.Tasks += n
			if n > 0 && k.tasks == 0 && suppress {
				r.tell(&cluster.SuppressOffers{FrameworkId: g.FrameworkId})
			}
		}
	}
	return l, nil
}

// crowd is the cluster of MultiFrameworkAllocations, and what its frameworks
// have to launch.
func crowd() (*rig, map[string]*kind) {
	marathon := kind{4000, 100, resources.MustParse("cpus:0.07;mem:400")}
	jenkins := kind{5, 1, resources.MustParse("cpus:0.1;mem:4000")}
	spark := kind{20, 5, resources.MustParse("cpus:1;mem:1000")}
	r := newRig()
	for i := range 80 {
		r.tell(agent(i, "cpus:64;mem:488000"))
	}
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
	return r, kinds
}

// multiFramework is the work.
func multiFramework(suppress bool) ([]Figure, error) {
	began := time.Now()
	l, err := MultiFrameworkAllocations(suppress, func(int) bool { return time.Since(began) < timeout })
	what := fmt.Sprintf("mean of %d passes, %d of %d tasks launched", l.Rounds, l.Tasks, l.Of)
	return []Figure{{What: what, Took: l.Passes / time.Duration(max(1, l.Rounds))}}, err
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
