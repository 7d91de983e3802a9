package simulate

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state"
)

// bodily is what befalls a container, which the seed and its id alone decide on.
type bodily struct {
	// How long it takes until it is made.
	making time.Duration
	// When it runs into a limit, from its launch; 0 is never.
	limited time.Duration
	// Whether its program has ended well when its host dies, and that is recorded.
	recorded bool
}

// bodilyOf draws nothing where chance decides on no faults.
func (c *simulation) bodilyOf(container string) bodily {
	if c.options.FaultEvery <= 0 {
		return bodily{}
	}
	r := seeded(c.seed, "container/"+container)
	b := bodily{recorded: r.IntN(2) == 0}
	if r.IntN(10) == 0 {
		b.making = time.Duration(r.Int64N(int64(90 * time.Second)))
	}
	if r.IntN(12) == 0 {
		b.limited = 200*time.Millisecond + time.Duration(r.Int64N(int64(20*time.Second)))
	}
	return b
}

// progressEvery is how often a host tells that it is making a container.
const progressEvery = 5 * time.Second

// fetch lets the making of a container take its time.
func (c *containerNode) fetch(left time.Duration, then func()) {
	h := c.host
	if left <= 0 || c.dead {
		then()
		return
	}
	h.toAgent("host", &cluster.ContainerProgress{ContainerId: c.id, Doing: proto.String("fetching")})
	h.later(min(left, progressEvery), func() { c.fetch(left-progressEvery, then) })
}

// exceed ends a container for a limit, which is all that its tasks are told.
func (c *containerNode) exceed() {
	if c.dead {
		return
	}
	o := c.oracle()
	for _, t := range c.tasks {
		if f := o.fates[t.id()]; f != nil && !terminal(t.state) {
			f.taken.limited = c.host
		}
	}
	c.limit = &cluster.ContainerLimit{
		Reason: mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("it wanted more"),
		Resources: resources.MustParse("mem:1").Proto(),
	}
	c.end(9, "it ran into a limit")
}

// record keeps how programs had ended when their host dies: that of a task which
// brought no executor, and those of some tasks of groups.
func (c *containerNode) record() {
	for n, t := range c.tasks {
		p := state.Program{Container: state.ContainerID(c.id.GetValue())}
		if c.kind == cluster.LaunchContainer_DEFAULT {
			p.Task = state.TaskID(t.id())
		}
		if !c.recorded || c.kind == cluster.LaunchContainer_CUSTOM || terminal(t.state) || n%3 == 2 {
			continue
		}
		c.host.agent.exits[p] = 0
		if f := c.oracle().fates[t.id()]; f != nil {
			f.taken.recorded = true
		}
	}
}

// recordedOf is what is recorded of containers: of their own programs, and of the
// tasks in them that the agent asks for.
func (a *agentNode) recordedOf(list []state.Remains) map[state.Program]int32 {
	found := make(map[state.Program]int32)
	look := func(p state.Program) {
		if status, is := a.exits[p]; is {
			found[p] = status
		}
	}
	for _, r := range list {
		look(state.Program{Container: r.Container})
		for _, id := range r.Tasks {
			look(state.Program{Container: r.Container, Task: id})
		}
	}
	return found
}

// fits judges what a container may use when a task is started in it: law 1 holds
// for what the kernel is told, too.
func (o *oracle) fits(a *agentNode, c *containerNode, started *taskNode) {
	var needs resources.Resources
	if c.charged() {
		needs = unallocated(c.info.Resources)
	}
	for _, t := range c.tasks {
		if !terminal(t.state) {
			needs = needs.Add(unallocated(t.info.Resources))
		}
	}
	cpus, mem := needs.Scalar(resources.CPUs).Float(), needs.Scalar(resources.Mem).Float()
	if got := c.amounts; got.GetCpus() < cpus || got.GetMem() < mem {
		o.broken(1, started.id(), "is started on %s in a container that may use %v; its tasks were given %s", a.address, got, needs)
	}
}

// endReasoned judges why an agent says that a task has ended.
func (o *oracle) endReasoned(a *agentNode, f *fate, s *mesos.TaskStatus) {
	unknown := s.GetReason() == mesos.TaskStatus_REASON_EXECUTOR_TERMINATED ||
		s.GetReason() == mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT
	_, said := f.made[string(s.GetUuid())]
	switch {
	case said || s.GetSource() != mesos.TaskStatus_SOURCE_AGENT || s.Reason == nil || !unknown:
	case f.taken.limited != nil && !f.taken.limited.over:
		o.broken(2, f.id, "ran into a limit, and %s calls that %s", a.address, s.GetReason())
	case f.taken.recorded:
		o.broken(2, f.id, "had ended well when its host died, and %s calls that %s", a.address, s.GetReason())
	}
}

// launchCut judges an agent that gives up a container while its host says that it
// is being made: law 3.
func (o *oracle) launchCut(c *containerNode) {
	if c.kind != cluster.LaunchContainer_COMMAND || c.begun || o.cluster.manners.lending {
		return // an agent may take back what it has lent at any time
	}
	id := c.info.GetExecutorId().GetValue() // which is the task's
	t := &taskNode{container: c, info: &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}}}
	if !o.excused(t) {
		o.broken(3, id, "on %s is given up while its container is made", c.host.agent.address)
	}
}
