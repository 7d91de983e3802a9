package simulate

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// What follows breaks one law each, on purpose: between the machines and the
// world, so that none of them knows.

// ghostTasks gives agents tasks that no master knows of.
func ghostTasks(c *simulation) {
	c.net.tamper = func(p *process, who, to string, m proto.Message) bool {
		run, ok := m.(*cluster.RunTask)
		if !ok {
			return true
		}
		for i := range 4 {
			ghost := proto.CloneOf(run)
			ghost.Task.TaskId.Value = proto.String(run.Task.TaskId.GetValue() + "-ghost" + string(rune('0'+i)))
			c.oracle.taskLaunched(c.schedulers[0].author, ghost.Task)
			p.carry(who, to, ghost)
		}
		return true
	}
}

// falseEnd lets schedulers hear of the end of tasks that run.
func falseEnd(c *simulation) {
	c.net.tamper = func(p *process, who, to string, m proto.Message) bool {
		e, ok := m.(*scheduler.Event)
		if ok && e.GetUpdate().GetStatus().GetState() == mesos.TaskState_TASK_RUNNING {
			forged := proto.CloneOf(e)
			forged.Update.Status.State = mesos.TaskState_TASK_GONE.Enum()
			forged.Update.Status.Uuid = nil
			p.carry(who, to, forged)
		}
		return true
	}
}

// muteTask loses every update of some task on its way.
func muteTask(c *simulation) {
	c.net.tamper = func(_ *process, _, _ string, m proto.Message) bool {
		e, ok := m.(*scheduler.Event)
		return !ok || e.GetUpdate().GetStatus().GetTaskId().GetValue() != "f0-t7"
	}
}

// disorder makes an executor's second update carry the name of the first, and
// the other way round.
func disorder(c *simulation) {
	kept := make(map[string][]byte)
	c.net.tamper = func(_ *process, _, _ string, m proto.Message) bool {
		e, ok := m.(*scheduler.Event)
		if !ok || e.Update == nil || len(e.Update.Status.Uuid) == 0 {
			return true
		}
		id := e.Update.Status.TaskId.GetValue()
		f := c.oracle.fates[id]
		if n, made := f.made[string(e.Update.Status.Uuid)]; made && n == 0 {
			kept[id] = e.Update.Status.Uuid
			f.made[string(e.Update.Status.Uuid)] = 1
		} else if made && n == 1 && kept[id] != nil {
			f.made[string(e.Update.Status.Uuid)] = 0
		}
		return true
	}
}

// forgetfulDisk tells agents that checkpoints are durable, which they are not.
func forgetfulDisk(c *simulation) {
	for _, a := range c.agents {
		a.disk = func(records []*cluster.JournalRecord) []*cluster.JournalRecord {
			if a.identity() == "" {
				return records
			}
			return nil
		}
	}
}

// staleStore lets masters write that lost their election.
func staleStore(c *simulation) { c.quorum.unfenced = true }
