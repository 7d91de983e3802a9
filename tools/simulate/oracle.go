package simulate

import (
	"fmt"
	"maps"
	"slices"

	"troupe/master/registry"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

func terminal(s mesos.TaskState) bool { return tasks.Terminal(s) }

// oracle watches what really happens and what frameworks are told, and knows
// nothing of how the machines work.
//
//   - Law 1: what the tasks that run on an agent need is never more than the
//     agent has.
//   - Law 2: a framework sees each task that it launched reach exactly one
//     terminal state, and updates in the order in which they were made; no
//     task runs twice, or after its framework was told of its end.
//   - Law 4: an end that an executor was told is durable is what its framework
//     hears.
type oracle struct {
	cluster *simulation
	fates   map[string]*fate // by task id, which is unique here
	used    map[*agentNode]resources.Resources
	counts  map[mesos.TaskState]int
	reader  uint64 // the newest epoch that read the registry
}

// fate is what is known of one task.
type fate struct {
	id     string
	made   map[string]int // updates of its executor by uuid, in order
	seen   map[string]bool
	told   map[mesos.TaskState]bool // what its framework has heard
	newest int                      // the latest of made that was delivered
	last   mesos.TaskState          // the newest that its framework was told
	agent  string                   // where it was launched
	over   bool
	end    mesos.TaskState // valid when over
	life   int             // of the scheduler that was told of the end
	acked  mesos.TaskState // the end that its executor was told is durable
	runs   int             // containers that it was started in
	alive  bool            // in a container
}

func newOracle(c *simulation) *oracle {
	return &oracle{
		cluster: c, fates: make(map[string]*fate), used: make(map[*agentNode]resources.Resources),
		counts: make(map[mesos.TaskState]int),
	}
}

// fateOf returns nil, after a complaint, for a task that nobody launched.
func (o *oracle) fateOf(id string) *fate {
	f := o.fates[id]
	if f == nil {
		o.broken(2, id, "is spoken of, but was never launched")
	}
	return f
}

func (o *oracle) broken(law int, task, format string, args ...any) {
	o.cluster.failTask(task, "law %d: task %s %s", law, task, fmt.Sprintf(format, args...))
}

func (o *oracle) taskLaunched(_ *schedulerNode, info *mesos.TaskInfo) {
	id := info.TaskId.GetValue()
	o.fates[id] = &fate{
		id: id, made: make(map[string]int), seen: make(map[string]bool), told: make(map[mesos.TaskState]bool),
		newest: -1, agent: info.AgentId.GetValue(),
	}
}

// taskStarted tells that an executor has been given a task.
func (o *oracle) taskStarted(a *agentNode, c *containerNode) {
	id := c.task.TaskId.GetValue()
	if f := o.fateOf(id); f != nil {
		f.runs++
		f.alive = true
		switch {
		case f.runs > 1:
			o.broken(2, id, "is started for the second time, on %s", a.address)
		case f.over:
			o.broken(2, id, "is started on %s after its framework saw %s", a.address, f.end)
		}
	}
	o.used[a] = o.used[a].Add(needs(c.task))
	if total := resources.MustParse(o.cluster.options.AgentResources); !total.Contains(o.used[a]) {
		o.broken(1, id, "makes the tasks on %s need %s of %s", a.address, o.used[a], total)
	}
}

func needs(t *mesos.TaskInfo) resources.Resources {
	r, err := resources.New(t.Resources...)
	if err != nil {
		return resources.Resources{}
	}
	return r.Unallocate()
}

// taskEnded tells that a task runs no more.
func (o *oracle) taskEnded(a *agentNode, c *containerNode) {
	o.used[a] = o.used[a].Without(needs(c.task))
	if f := o.fates[c.task.TaskId.GetValue()]; f != nil {
		f.alive = false
	}
}

func (o *oracle) updateMade(_ string, u *mesos.TaskStatus) {
	if f := o.fates[u.TaskId.GetValue()]; f != nil {
		f.made[string(u.Uuid)] = len(f.made)
	}
}

// acknowledged tells that an executor was told that an update is durable.
func (o *oracle) acknowledged(u *mesos.TaskStatus) {
	if f := o.fates[u.TaskId.GetValue()]; f != nil && terminal(u.GetState()) {
		f.acked = u.GetState()
	}
}

// told judges an update that an author has taken in for good.
func (o *oracle) told(s *schedulerNode, u *mesos.TaskStatus) {
	id, state, uuid := u.TaskId.GetValue(), u.GetState(), string(u.GetUuid())
	f := o.fateOf(id)
	if f == nil || uuid != "" && f.seen[uuid] {
		return // again, after a crash of somebody
	}
	if uuid != "" {
		f.seen[uuid] = true
	}
	if n, ok := f.made[uuid]; ok {
		if n < f.newest {
			o.broken(2, id, "is told to be %s after a later update", state)
		}
		f.newest = n
	}
	f.last = state
	defer func() { f.told[state] = true }()
	switch {
	case f.over && f.life != s.life && (terminal(state) || f.told[state]):
		// A scheduler that forgot, in a crash, which tasks had ended may hear
		// old news again, or of an end from somebody else; its author knows
		// better.
	case f.over && state != f.end:
		o.broken(2, id, "is told to be %s, after %s (%s: %s)", state, f.end, u.GetReason(), u.GetMessage())
	case terminal(state) && f.alive:
		o.broken(2, id, "is told to be %s while it runs (%s: %s)", state, u.GetReason(), u.GetMessage())
	case !f.over && terminal(state):
		f.over, f.end, f.life = true, state, s.life
		o.counts[state]++
	}
}

// atTheEnd judges what must have come about some time after the last fault.
func (o *oracle) atTheEnd() {
	for _, id := range slices.Sorted(maps.Keys(o.fates)) {
		switch f := o.fates[id]; {
		case f.over && f.alive:
			o.broken(2, id, "still runs, and its framework saw %s", f.end)
		case f.over && terminal(f.acked) && f.acked != f.end:
			o.broken(4, id, "ended as %s, durably as its executor heard, and its framework saw %s", f.acked, f.end)
		case !f.over && !o.lostForever(f):
			o.broken(2, id, "has no terminal state, long after the last fault; the last was %s, and it runs: %v", f.last, f.alive)
		}
	}
}

// lostForever tells that a task's agent never came back: it died before it had
// written down its id. Its master says so, and nobody but an operator can know
// that it is for good.
func (o *oracle) lostForever(f *fate) bool {
	there := slices.ContainsFunc(o.cluster.agents, func(a *agentNode) bool { return a.identity() == f.agent })
	vague := f.last == mesos.TaskState_TASK_UNREACHABLE || f.last == mesos.TaskState_TASK_UNKNOWN
	return vague && !there && !f.alive
}

// registryRead tells that a leader begins with what the registry holds.
func (o *oracle) registryRead(epoch uint64) {
	if epoch < o.reader {
		o.cluster.fail("law 5: epoch %d begins after epoch %d", epoch, o.reader)
	}
	o.reader = epoch
}

// registryWritten judges a write that the store let in: a leader must not have
// begun since the writer lost the election.
func (o *oracle) registryWritten(epoch uint64, _ []registry.Change) {
	if epoch < o.reader {
		o.cluster.fail("law 5: epoch %d wrote the registry after epoch %d had read it", epoch, o.reader)
	}
}
