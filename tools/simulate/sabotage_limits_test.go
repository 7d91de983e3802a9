package simulate

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// limitSabotages are about what containers may use, and how they end.
var limitSabotages = []sabotage{
	{"amounts that hosts do not hear of", deafHosts, []string{"law 1", "in a container that may use"}, nil},
	{"limits that hosts keep to themselves", secretLimits, []string{"law 2", "ran into a limit, and agent"}, nil},
	{
		"recorded ends that nobody reads", unreadExits,
		[]string{"law 2", "had ended well when its host died, and agent"},
		at(30*time.Second, "host agent0", "host agent1", "host agent2", "host agent3"),
	},
	{"launches whose progress is not heard", silentHosts, []string{"law 3", "is given up while its container is made"}, nil},
}

var deafHosts = onMessage(func(*simulation, *process, string, string, *cluster.UpdateContainer) bool { return false })

var secretLimits = onMessage(func(_ *simulation, p *process, who, to string, e *cluster.ContainerEnded) bool {
	if e.Limit == nil {
		return true
	}
	forged := proto.CloneOf(e)
	forged.Limit = nil
	p.carry(who, to, forged)
	return false
})

// unreadExits has agents write down that they know nothing.
func unreadExits(c *simulation) {
	for _, a := range c.agents {
		a.disk = func(records []*cluster.JournalRecord) []*cluster.JournalRecord {
			list := make([]*cluster.JournalRecord, len(records))
			for i, r := range records {
				list[i] = r
				if s := r.GetUpdate().GetStatus(); s.GetSource() == mesos.TaskStatus_SOURCE_AGENT && s.GetState() == mesos.TaskState_TASK_FINISHED {
					list[i] = proto.CloneOf(r)
					list[i].GetUpdate().Status.Reason = mesos.TaskStatus_REASON_EXECUTOR_TERMINATED.Enum()
				}
			}
			return list
		}
	}
}

func silentHosts(c *simulation) {
	c.manners.lending = false
	onMessage(func(*simulation, *process, string, string, *cluster.ContainerProgress) bool { return false })(c)
}
