package state

import (
	"slices"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
)

// exit is how the program of a task had ended, which nobody told.
type exit struct {
	status int32 // as wait(2) has it
	// Its executor had asked it to end.
	asked bool
}

// pod tells that the executor is that of groups, whose tasks have containers, and
// records of their ends, of their own.
func (e *executor) pod() bool { return e.kind == cluster.LaunchContainer_DEFAULT }

// untold are the tasks of groups whose ends may be recorded, and are not known.
func (e *executor) untold() []TaskID {
	var ids []TaskID
	for _, t := range e.inOrder() {
		if e.pod() && t.launch.sent && !check.Over(t.next) {
			ids = append(ids, t.id())
		}
	}
	return ids
}

// found are the ends of programs that were recorded, of tasks that have no news of
// theirs.
func (e *executor) found(recorded map[Program]int32) map[TaskID]exit {
	all := map[TaskID]exit{}
	for _, t := range e.inOrder() {
		p := Program{Container: e.container}
		if e.pod() {
			p.Task = t.id()
		}
		status, known := recorded[p]
		if !known || status < 0 || !e.pod() && !e.generated() || check.Over(t.next) {
			continue
		}
		all[t.id()] = exit{status: status, asked: t.kill != nil || e.phase >= view.Terminating}
	}
	for _, t := range e.inOrder() {
		if x, is := all[t.id()]; is && x.forced() && t.forsaken(all) {
			x.asked = true
			all[t.id()] = x
		}
	}
	return all
}

// The signals by which executors end tasks.
const (
	sigkill = 9
	sigterm = 15
)

// forced tells that an executor may have ended the program.
func (x exit) forced() bool { return x.status&0x7f == sigterm || x.status&0x7f == sigkill }

// forsaken tells that another task of the group came to no good end by itself, or
// was to be killed, for which the executor has asked this one to end.
func (t *task) forsaken(found map[TaskID]exit) bool {
	for _, other := range t.launch.tasks {
		if !t.launch.group || other == t {
			continue
		}
		if x, is := found[other.id()]; other.kill != nil || is && x.status != 0 && !x.forced() ||
			check.Over(other.next) && other.next != mesos.TaskState_TASK_FINISHED {
			return true
		}
	}
	return false
}

// forgetExit lets go of what is recorded of a task's end, which is durable
// otherwise now. Of an executor that is gone all records go with its sandbox.
func (m *Machine) forgetExit(t *task) {
	if e := t.executor; e.pod() && e.phase < view.Terminated && check.Over(t.state) {
		m.emit(ForgetExit{e.container, t.id()})
	}
}

// lastNews is what a task is told that ends with its container.
func (m *Machine) lastNews(t *task, f fate, how ending) news {
	if x, is := how.found[t.id()]; is && t.decides() {
		return m.outcomeNews(t, x)
	}
	n := m.ownNews(t.key(), t, f.state, f.reason, f.message)
	if f.limit != nil {
		n.status.Limitation = &mesos.TaskResourceLimitation{Resources: f.limit.GetResources()}
	}
	return n
}

// decides tells that how a task's own program ended is its fate: its host, whose
// executor would have told, was lost. The agent had not decided otherwise; what it
// has assumed of an executor that nobody claims is no decision.
func (t *task) decides() bool {
	e := t.executor
	return t.launch.sent && (e.fate == fate{} || e.unclaimed())
}

// outcomeNews says what the executor would have said.
func (m *Machine) outcomeNews(t *task, x exit) news {
	state := mesos.TaskState_TASK_FAILED
	switch {
	case x.asked:
		state = mesos.TaskState_TASK_KILLED
	case x.status == 0:
		state = mesos.TaskState_TASK_FINISHED
	}
	n := m.ownNews(t.key(), t, state, 0, "The task's program "+exitText(x.status)+"; its host was lost before it could tell")
	n.status.Reason = nil // as executors have none
	if c := t.container(); c != nil {
		n.status.ContainerStatus.ContainerId = c
	}
	m.markDrained(t.executor, n.status)
	t.next = n.status.GetState()
	return n
}

// container is the task's own, as its executor has said; nil if that has not, or
// it has none.
func (t *task) container() *mesos.ContainerID {
	for _, u := range slices.Backward(t.statuses) {
		if u.GetSource() == mesos.TaskStatus_SOURCE_EXECUTOR {
			return u.GetContainerStatus().GetContainerId()
		}
	}
	return nil
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
