package state

import (
	"troupe/messages/mesos"
)

// lastNews is what a task is told that ends with its container.
func (m *Machine) lastNews(t *task, f fate, how ending) news {
	if t.outcome(how) {
		return m.outcomeNews(t, how)
	}
	n := m.ownNews(t.key(), t, f.state, f.reason, f.message)
	if f.limit != nil {
		n.status.Limitation = &mesos.TaskResourceLimitation{Resources: f.limit.GetResources()}
	}
	return n
}

// outcome tells that how a task's own program ended is known, and is its fate:
// its host, whose executor would have told, was lost. The agent had not decided
// otherwise; what it has assumed of an executor that nobody claims is no decision.
func (t *task) outcome(how ending) bool {
	e := t.executor
	return how.found && e.generated() && t.launch.sent && (e.fate == fate{} || e.unclaimed())
}

// outcomeNews says what the executor would have said.
func (m *Machine) outcomeNews(t *task, how ending) news {
	state := mesos.TaskState_TASK_FAILED
	switch {
	case t.kill != nil || how.asked:
		state = mesos.TaskState_TASK_KILLED
	case *how.status == 0:
		state = mesos.TaskState_TASK_FINISHED
	}
	n := m.ownNews(t.key(), t, state, 0, "The task's program "+exitText(*how.status)+"; its host was lost before it could tell")
	n.status.Reason = nil // as executors have none
	m.markDrained(t.executor, n.status)
	t.next = n.status.GetState()
	return n
}

// straysFound ends and removes the containers that no journal and no host knows,
// once every host of the earlier agent process has said what it holds, or has
// ended. What was launched since they were looked for is known by now.
func (m *Machine) straysFound(found []ContainerID) {
	var strays []Remains
	for _, c := range found {
		if m.containers[c] != nil || m.hostOf(c) != nil {
			continue
		}
		m.note(Warn, "A container was found that is nobody's, and is removed", Field{"container", string(c)})
		strays = append(strays, Remains{Container: c})
	}
	if len(strays) > 0 {
		m.emit(RemoveStrays{strays})
	}
}
