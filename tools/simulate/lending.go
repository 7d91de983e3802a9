package simulate

import (
	"fmt"
	"slices"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state"
)

// lentMost is the most cpus that an agent ever lends.
const lentMost = 3

// lent is so many cpus that may be taken back.
func lent(cpus int) resources.Resources {
	if cpus == 0 {
		return resources.Resources{}
	}
	return revocable(resources.MustParse(fmt.Sprintf("cpus:%d", cpus)))
}

// revocable is r, with the cpus in it as they are lent.
func revocable(r resources.Resources) resources.Resources {
	return r.Convert(func(m *mesos.Resource) {
		if m.GetName() == resources.CPUs {
			m.Revocable = &mesos.Resource_RevocableInfo{}
		}
	})
}

func lentOf(r resources.Resources) resources.Resources { return r.Filter(resources.Entry.Revocable) }

func firmOf(r resources.Resources) resources.Resources {
	return r.Filter(func(e resources.Entry) bool { return !e.Revocable() })
}

// lend lets an agent's process find again and again how much it may lend, and
// now and then that it needs some of that itself.
func (a *agentNode) lend() {
	if !a.cluster.manners.lending {
		return
	}
	a.later(a.net.between(time.Second, 40*time.Second), func() {
		life := a.life
		a.estimate(a.net.chance.IntN(lentMost + 1))
		if a.up && a.life == life && a.net.oneIn(4) {
			a.correct(a.net.oneIn(3))
		}
		if a.up && a.life == life {
			a.lend()
		}
	})
}

// estimate lets an agent lend so many cpus from now on.
func (a *agentNode) estimate(cpus int) {
	a.cluster.oracle.estimated(a, lent(cpus))
	a.net.note("%s lends %d cpus", a.address, cpus)
	a.step(state.Estimated{Resources: lent(cpus)})
}

// correct lets an agent end containers that were lent something, all or one of
// them.
func (a *agentNode) correct(all bool) {
	life := a.life
	for _, h := range a.machine.Held() {
		if lentOf(h.Allocated).IsEmpty() {
			continue
		}
		a.evict(h.Container)
		if !all || !a.up || a.life != life {
			return
		}
	}
}

func (a *agentNode) evict(id state.ContainerID) {
	a.net.note("%s evicts %s", a.address, id)
	effects := a.machine.Step(a.now(), state.Preempted{Container: id, Why: "others need it"})
	destroyed := slices.ContainsFunc(effects, func(e state.Effect) bool {
		s, ok := e.(state.Send)
		if !ok {
			return false
		}
		d, ok := s.Message.(*cluster.DestroyContainer)
		return ok && d.GetContainerId().GetValue() == string(id)
	})
	a.cluster.oracle.evicted(a, string(id), destroyed)
	a.performAll(effects)
}

// loans is what is known of what agents lend.
type loans struct {
	estimates map[*agentNode][]estimate // in order
	idle      map[*agentNode]time.Time  // when nothing that is lent was used last
}

type estimate struct {
	at   time.Time
	lent resources.Resources
}

func newLoans() loans {
	return loans{estimates: make(map[*agentNode][]estimate), idle: make(map[*agentNode]time.Time)}
}

func (o *oracle) estimated(a *agentNode, lent resources.Resources) {
	o.loans.estimates[a] = append(o.loans.estimates[a], estimate{o.cluster.net.now, lent})
}

// hearsay is how long a master may believe an agent's word that is not true any
// more: until it notices that their link is gone, or the agent is continued.
const hearsay = 5 * time.Minute

// borrowed judges what is used of what an agent lends: it must have lent as much
// at once, while it was used or shortly before.
func (o *oracle) borrowed(a *agentNode, who string) {
	used := lentOf(o.used[a])
	if used.IsEmpty() {
		o.loans.idle[a] = o.cluster.net.now
		return
	}
	since := o.loans.idle[a].Add(-hearsay)
	list := o.loans.estimates[a]
	for i, e := range list {
		over := i+1 < len(list) && list[i+1].at.Before(since)
		if !over && e.lent.Contains(used) {
			return
		}
	}
	o.broken(1, who, "makes the tasks on %s need %s of what it lends, and it never lent as much", a.address, used)
}

// evicted notes whom an agent takes back what it lent.
func (o *oracle) evicted(a *agentNode, container string, destroyed bool) {
	for _, id := range a.ids {
		c := a.hosts[id].find(container)
		if c == nil {
			continue
		}
		for _, t := range c.tasks {
			if f := o.fates[t.id()]; f != nil && !terminal(t.state) {
				f.unwanted = true
				if destroyed {
					f.taken.evicted = a.pid("agent") + fmt.Sprint(a.life)
				}
			}
		}
	}
}

// endWritten judges an end that an agent has written down. One whose container
// it took back says so, unless the executor had an end to tell itself.
func (o *oracle) endWritten(a *agentNode, s *mesos.TaskStatus) {
	f := o.fates[s.GetTaskId().GetValue()]
	if f == nil || !terminal(s.GetState()) {
		return
	}
	uuid := string(s.GetUuid())
	f.taken.ended = uuid
	o.endReasoned(a, f, s)
	if f.taken.limited != nil || f.taken.recorded {
		return // which comes first
	}
	if _, said := f.made[uuid]; said || f.taken.evicted == "" || f.taken.evicted != a.pid("agent")+fmt.Sprint(a.life) {
		return
	}
	f.taken.evictedEnd = uuid
	if s.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		o.broken(2, f.id, "was evicted, and %s calls that %s", a.address, s.GetReason())
	}
}

// offered judges what a framework is offered: of what is lent only what it can
// use.
func (o *oracle) offered(who string, able abilities, offer *mesos.Offer) {
	for i, r := range offer.GetResources() {
		switch {
		case r.Revocable != nil && !able.revocable:
			o.cluster.fail("law 1: %s is offered resource %d of %s, which is revocable, and has no capability for that", who, i, offer.GetId().GetValue())
		case r.Shared != nil && !able.shared:
			o.cluster.fail("law 1: %s is offered resource %d of %s, which is shared, and has no capability for that", who, i, offer.GetId().GetValue())
		}
	}
}

// abilities are what a framework may be offered beyond what all may.
type abilities struct{ revocable, shared bool }

func (a abilities) capabilities() (list []*mesos.FrameworkInfo_Capability) {
	add := func(yes bool, t mesos.FrameworkInfo_Capability_Type) {
		if yes {
			list = append(list, &mesos.FrameworkInfo_Capability{Type: t.Enum()})
		}
	}
	add(a.revocable, mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES)
	add(a.shared, mesos.FrameworkInfo_Capability_SHARED_RESOURCES)
	return list
}
