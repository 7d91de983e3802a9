package simulate

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// preemptionSabotages are about quotas, and what is done for them.
var preemptionSabotages = []sabotage{
	{"preemption within a guarantee", greedyPreemption, []string{"law 1: task", "is preempted", "is guaranteed to the role"}, at(20*time.Second, "role guarantee *", "role guarantee eng", "role guarantee ops")},
	{"preemption that is told as something else", mistoldPreemption, []string{"law 2", "was preempted by", "which calls that"}, at(20*time.Second, "role guarantee *", "role guarantee eng", "role guarantee ops")},
	{"limits that the allocator does not hear of", unlimited, []string{"law 1: role", "and its limit is"}, at(20*time.Second, "role limit *", "role limit eng", "role limit ops")},
	{"a volume that is taken away from a task", takenVolume, []string{"law 1: the journal of", "and its tasks use"}, nil},
	{"acknowledgements that never come", unheard, []string{"law 2", "was taken its resources, and its agent did not hear"}, nil},
	{"a kill that nobody asked for", wantonKill, []string{"law 3", "is killed, and nobody asked for that"}, nil},
}

// takenVolume writes down that nothing of an agent is reserved any more, when some
// task uses something that is.
func takenVolume(c *simulation) {
	for _, a := range c.agents {
		a.disk = func(records []*cluster.JournalRecord) []*cluster.JournalRecord {
			for e := range c.oracle.used[a].All() {
				if e.Disk().GetPersistence() != nil {
					return append(records, &cluster.JournalRecord{Record: &cluster.JournalRecord_Resources{Resources: &cluster.ResourcesConverted{}}})
				}
			}
			return records
		}
	}
}

// unheard keeps from agents that the ends of what they evicted are known.
var unheard = onMessage(func(c *simulation, _ *process, _, _ string, m *cluster.StatusUpdateAck) bool {
	f := c.oracle.fates[m.GetTaskId().GetValue()]
	return f == nil || f.taken.ended != string(m.GetUuid())
})

var wantonKill = onMessage(func(_ *simulation, p *process, who, to string, run *cluster.RunTask) bool {
	p.later(time.Second, func() {
		p.carry(who, to, &cluster.KillTask{FrameworkId: run.GetFramework().GetId(), TaskId: run.Task.TaskId})
	})
	return true
})

// greedyPreemption asks for all that a framework uses of an agent, soon after it
// was allocated there.
var greedyPreemption = onMessage(func(_ *simulation, p *process, who, to string, m *cluster.Allocations) bool {
	for _, l := range m.Allocations {
		p.later(20*time.Second, func() {
			p.carry(who, to, &cluster.Preempt{
				Epoch: m.Epoch, FrameworkId: l.FrameworkId, Role: l.Role, AgentId: l.AgentId,
				Resources: resources.MustParse("cpus:1000").Proto(),
			})
		})
	}
	return true
})

func mistoldPreemption(c *simulation) {
	greedyPreemption(c)
	greedy := c.net.tamper
	c.net.tamper = func(p *process, who, to string, m proto.Message) bool {
		if e, ok := m.(*scheduler.Event); ok && e.GetUpdate().GetStatus().GetReason() == mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
			forged := proto.CloneOf(e)
			forged.Update.Status.Reason = mesos.TaskStatus_REASON_EXECUTOR_TERMINATED.Enum()
			c.net.judge(p, forged)
		}
		return greedy(p, who, to, m)
	}
	c.manners.lending = false
}

// unlimited keeps limits from allocators.
func unlimited(c *simulation) {
	c.net.tamper = func(p *process, who, to string, m proto.Message) bool {
		switch m := m.(type) {
		case *cluster.UpdateQuota:
			return false
		case *cluster.StartAllocator:
			forged := proto.CloneOf(m)
			forged.Quotas = nil
			p.carry(who, to, forged)
			return false
		}
		return true
	}
}
