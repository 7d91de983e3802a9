package simulate

import (
	"fmt"
	"maps"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

func terminal(s mesos.TaskState) bool { return tasks.Terminal(s) }

// oracle watches what really happens and what everybody is told, and knows
// nothing of how the machines work.
//
//   - Law 1: what runs on an agent never needs more than the agent has. When
//     all is over, a guest is offered all there is.
//   - Law 2: a framework sees each task that it launched reach exactly one
//     terminal state, and updates in the order in which they were made; no
//     task runs twice, or after its framework was told of its end.
//   - Law 3: a task ends before its time only if its framework wanted that, or
//     something befell its machine or its host.
//   - Law 4: nobody says what would be forgotten if all processes died now; an
//     end that an executor was told is durable is what its framework hears.
//   - Law 5: once a leader has read the registry, no earlier one writes it; and
//     nobody does what a master says that he does not follow.
type oracle struct {
	cluster *simulation
	fates   map[string]*fate // by task id, which is unique here
	used    map[*agentNode]resources.Resources
	total   resources.Resources // of each agent
	counts  map[mesos.TaskState]int
	over    map[string]bool // frameworks whose end is durable
	// Frameworks whose authors began others.
	forgotten  map[string]bool
	lapsed     map[string]bool // frameworks that were away for longer than they may
	known      durable
	operations operationsKnown
	wishes     wishes
	plans      plans
	loans      loans
	bounds     bounds
	reader     uint64 // the newest epoch that read the registry
}

// fate is what is known of one task.
type fate struct {
	id        string
	plan      plan
	framework string
	role      string
	aware     bool           // of partitions: its framework is told more than LOST
	made      map[string]int // updates of its executor by uuid, in order
	seen      map[string]bool
	told      map[mesos.TaskState]bool // what its framework has heard
	newest    int                      // the latest of made that was delivered
	last      mesos.TaskState          // the newest that its framework was told
	agent     string                   // where it was launched
	over      bool
	end       mesos.TaskState // valid when over
	life      string          // of the scheduler that was told of the end
	acked     mesos.TaskState // the end that its executor was told is durable
	runs      int             // containers that it was started in
	alive     bool            // in a container
	unwanted  bool            // its framework wants it to end
	needs     resources.Resources
	taken     taken
}

// taken is whether and how a task was taken what it uses.
type taken struct {
	// The agent's process that took back what it was lent; empty if none did. And
	// the uuid of the end that came of it.
	evicted, evictedEnd string
	// The leader that killed it for another role's guarantee; empty if none did. And
	// whether a master has heard that it is over.
	preempted string
	returned  bool
	// The uuid of its end in the journal of its agent, and whether the journal knows
	// that its framework knows.
	ended string
	known bool
	// The host whose container it was in when that ran into a limit; nil if it did
	// not. And whether its program had ended well when its host died.
	limited  *hostNode
	recorded bool
}

func newOracle(c *simulation) *oracle {
	return &oracle{
		cluster: c, fates: make(map[string]*fate), used: make(map[*agentNode]resources.Resources),
		total: resources.MustParse(c.options.AgentResources), counts: make(map[mesos.TaskState]int),
		over: make(map[string]bool), forgotten: make(map[string]bool), lapsed: make(map[string]bool), known: newDurable(), operations: newOperationsKnown(),
		plans: newPlans(), loans: newLoans(), bounds: newBounds(),
		wishes: wishes{unwanted: make(map[string]bool), ending: make(map[string]bool)},
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

// taskLaunched tells that an author accepts an offer for a task.
func (o *oracle) taskLaunched(a *author, role string, info *mesos.TaskInfo) {
	id := info.TaskId.GetValue()
	o.fates[id] = &fate{
		id: id, role: role, plan: o.cluster.planOf(id, a.kind.partitionAware), framework: a.id.GetValue(), aware: a.kind.partitionAware, made: make(map[string]int),
		seen: make(map[string]bool), told: make(map[mesos.TaskState]bool), newest: -1, agent: info.AgentId.GetValue(), needs: unallocated(info.Resources),
	}
}

// taskStarted tells that an executor has been given a task.
func (o *oracle) taskStarted(a *agentNode, t *taskNode) {
	if f := o.fateOf(t.id()); f != nil {
		f.runs++
		f.alive = true
		switch {
		case f.runs > 1:
			o.broken(2, t.id(), "is started for the second time, on %s", a.address)
		case f.over && !guess(f, f.end):
			o.broken(2, t.id(), "is started on %s after its framework saw %s", a.address, f.end)
		}
	}
	o.uses(a, t.id(), t.info.Resources)
}

// containerStarted tells of an executor, which needs something itself, but for
// those that nobody is charged for.
func (o *oracle) containerStarted(a *agentNode, c *containerNode) {
	if c.charged() {
		o.uses(a, "of "+c.info.ExecutorId.GetValue(), c.info.Resources)
	}
}

func (o *oracle) containerEnded(a *agentNode, c *containerNode) {
	if c.charged() {
		o.used[a] = o.used[a].Without(unallocated(c.info.Resources))
		o.borrowed(a, "")
	}
}

func (o *oracle) uses(a *agentNode, who string, needs []*mesos.Resource) {
	o.used[a] = o.used[a].Add(unallocated(needs))
	if firm := firmOf(o.used[a]); !o.has(a, firm) {
		o.broken(1, who, "makes the tasks on %s need %s of %s", a.address, firm, o.stockOf(a))
	}
	o.borrowed(a, who)
}

func unallocated(list []*mesos.Resource) resources.Resources {
	r, err := resources.New(list...)
	if err != nil {
		return resources.Resources{}
	}
	return r.Unallocate()
}

// taskEnded tells that a task runs no more.
func (o *oracle) taskEnded(a *agentNode, t *taskNode) {
	o.used[a] = o.used[a].Without(unallocated(t.info.Resources))
	o.borrowed(a, t.id())
	if f := o.fates[t.id()]; f != nil {
		f.alive = false
	}
}

func (o *oracle) updateMade(u *mesos.TaskStatus) {
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
	if uuid != "" && uuid == f.taken.evictedEnd && u.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		o.broken(2, id, "was evicted, and its framework is told %s", u.GetReason())
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
	case f.over && f.life != s.pid("") && (uuid == "" || terminal(state) || f.told[state]):
		// A scheduler that forgot, in a crash, which tasks had ended, or whose
		// successor was told, may hear old news again, or of an end from
		// somebody else; its author knows better.
	case f.over && guess(f, f.end):
		// It may be taken back.
	case f.over && state != f.end:
		o.broken(2, id, "is told to be %s, after %s (%s: %s)", state, f.end, u.GetReason(), u.GetMessage())
	case terminal(state) && f.alive && !guess(f, state) && !o.takenDown(f, state):
		o.broken(2, id, "is told to be %s while it runs (%s: %s)", state, u.GetReason(), u.GetMessage())
	case !f.over && terminal(state):
		f.over, f.end, f.life = true, state, s.pid("")
		o.counts[state]++
	}
}

// guess tells of an end that a master tells although the task may run: to a
// framework that knows nothing of partitions, and of an agent that an operator
// says is gone.
func guess(f *fate, s mesos.TaskState) bool {
	return !f.aware && s == mesos.TaskState_TASK_LOST || s == mesos.TaskState_TASK_GONE_BY_OPERATOR
}

// frameworkRemoved judges a master that has given up a framework.
func (o *oracle) frameworkRemoved(a *author) {
	if id := a.id.GetValue(); !a.leaving && !o.wasAway(id) {
		o.cluster.fail("law 2: framework %s was removed, and had not been away for %s", id, a.kind.failover)
	}
}

// frameworkHears tells that a master speaks to a framework.
func (o *oracle) frameworkHears(a *author) {
	if o.cluster.net.now.Sub(a.heard) >= a.kind.failover {
		o.lapsed[a.id.GetValue()] = true
	}
	a.heard = o.cluster.net.now
}

// wasAway tells that a framework has been away for longer than it may: it may
// be removed.
func (o *oracle) wasAway(id string) bool {
	for _, s := range o.cluster.schedulers {
		if s.author.id.GetValue() == id && o.cluster.net.now.Sub(s.heard) >= s.kind.failover {
			return true
		}
	}
	return o.lapsed[id]
}

// atTheEnd judges what must have come about some time after the last fault.
func (o *oracle) atTheEnd() {
	o.operationsAtTheEnd()
	for _, id := range slices.Sorted(maps.Keys(o.fates)) {
		switch f := o.fates[id]; {
		case o.over[f.framework] && f.alive:
			o.broken(2, id, "still runs, and its framework was ended")
		case o.over[f.framework] || o.forgotten[f.framework]:
		case f.over && terminal(f.acked) && f.acked != f.end && !guess(f, f.end):
			o.broken(4, id, "ended as %s, durably as its executor heard, and its framework saw %s", f.acked, f.end)
		case !o.endAcknowledged(f):
			o.broken(2, id, "was taken its resources, and its agent did not hear that its framework knows, long after the last fault")
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
