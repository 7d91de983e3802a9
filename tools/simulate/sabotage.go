package simulate

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// sabotage breaks a law on purpose, to show that its oracle sees it.
type sabotage int

const (
	_ sabotage = iota // none
	// Agents are given tasks that no master knows of.
	ghostTasks
	// Schedulers hear of the end of tasks that run.
	falseEnd
	// Every update of some task is lost on its way.
	muteTask
	// The updates of an agent overtake each other.
	disorder
	// Agents are told that a checkpoint is durable, which it is not.
	forgetfulDisk
)

// sabotage puts what was asked for between the processes.
func (c *simulation) sabotage() {
	switch c.options.sabotage {
	case ghostTasks:
		c.net.tamper = c.addGhosts
	case falseEnd:
		c.net.tamper = c.forgeEnd
	case muteTask:
		c.net.tamper = func(_, _ string, m proto.Message) bool {
			e, ok := m.(*scheduler.Event)
			return !ok || e.GetUpdate().GetStatus().GetTaskId().GetValue() != "f0-t7"
		}
	case disorder:
		c.net.tamper = c.shuffleUpdates()
	}
}

func (c *simulation) addGhosts(_, to string, m proto.Message) bool {
	run, ok := m.(*cluster.RunTask)
	if !ok {
		return true
	}
	for i := range 4 {
		ghost := proto.CloneOf(run)
		ghost.Task.TaskId.Value = proto.String(run.Task.TaskId.GetValue() + "-ghost" + string(rune('0'+i)))
		c.oracle.taskLaunched(nil, ghost.Task)
		c.master.carry("master", to, ghost)
	}
	return true
}

func (c *simulation) forgeEnd(_, to string, m proto.Message) bool {
	e, ok := m.(*scheduler.Event)
	if ok && e.GetUpdate().GetStatus().GetState() == mesos.TaskState_TASK_RUNNING {
		forged := proto.CloneOf(e)
		forged.Update.Status.State = mesos.TaskState_TASK_GONE.Enum()
		forged.Update.Status.Uuid = nil
		c.master.carry("master", to, forged)
	}
	return true
}

// shuffleUpdates makes an executor's second update carry the name of the
// first, and the other way round.
func (c *simulation) shuffleUpdates() func(from, to string, m proto.Message) bool {
	kept := make(map[string][]byte)
	return func(_, _ string, m proto.Message) bool {
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
