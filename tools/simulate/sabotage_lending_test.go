package simulate

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// lendingSabotages are about what agents lend.
var lendingSabotages = []sabotage{
	{"what is lent, used twice", lentTwice, []string{"law 1: task", "of what it lends, and it never lent as much"}, nil},
	{"what is lent, offered to whom it is no use", strangeOffers(func(r *mesos.Resource) { r.Revocable = &mesos.Resource_RevocableInfo{} }, func(a abilities) bool { return a.revocable }), []string{"law 1", "which is revocable, and has no capability for that"}, nil},
	{"a shared volume, offered to whom it is no use", strangeOffers(func(r *mesos.Resource) { r.Shared = &mesos.Resource_SharedInfo{} }, func(a abilities) bool { return a.shared }), []string{"law 1", "which is shared, and has no capability for that"}, nil},
	{"evictions that are written down as something else", misnamedEvictions, []string{"law 2", "was evicted, and agent", "calls that"}, nil},
	{"evictions that are told as something else", mistoldEvictions, []string{"law 2", "was evicted, and its framework is told"}, nil},
}

var lentTwice = onMessage(func(c *simulation, p *process, who, to string, run *cluster.RunTask) bool {
	ghost := proto.CloneOf(run)
	ghost.Task.TaskId.Value = proto.String(run.Task.TaskId.GetValue() + "-ghost")
	ghost.Task.Resources = lent(lentMost + 1).Proto()
	c.oracle.taskLaunched(c.schedulers[0].author, "*", ghost.Task)
	p.carry(who, to, ghost)
	return true
})

// strangeOffers changes the first resource of offers to frameworks that could use
// it as it was.
func strangeOffers(change func(*mesos.Resource), can func(abilities) bool) func(*simulation) {
	return onMessage(func(c *simulation, p *process, who, to string, e *scheduler.Event) bool {
		able := slices.ContainsFunc(c.schedulers, func(s *schedulerNode) bool { return s.pid("scheduler") == to && can(s.able) })
		if e.Offers == nil || able {
			return true
		}
		forged := proto.CloneOf(e)
		for _, o := range forged.Offers.Offers {
			change(o.Resources[0])
		}
		p.carry(who, to, forged)
		return false
	})
}

func misnamedEvictions(c *simulation) {
	for _, a := range c.agents {
		a.disk = func(records []*cluster.JournalRecord) []*cluster.JournalRecord {
			list := make([]*cluster.JournalRecord, len(records))
			for i, r := range records {
				list[i] = r
				if r.GetUpdate().GetStatus().GetReason() == mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
					list[i] = proto.CloneOf(r)
					list[i].GetUpdate().Status.Reason = mesos.TaskStatus_REASON_EXECUTOR_TERMINATED.Enum()
				}
			}
			return list
		}
	}
}

var mistoldEvictions = onMessage(func(_ *simulation, p *process, who, to string, e *scheduler.Event) bool {
	if e.GetUpdate().GetStatus().GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		return true
	}
	forged := proto.CloneOf(e)
	forged.Update.Status.Reason = mesos.TaskStatus_REASON_EXECUTOR_TERMINATED.Enum()
	p.carry(who, to, forged)
	return false
})
