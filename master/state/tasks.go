package state

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// task is one that is live: its launch was let through, and its terminal
// update, if there is one already, is not acknowledged.
type task struct {
	// The picture last published.
	view      *view.Task
	framework *framework
	agent     *agent
	// Nil when the task has a command executor to itself, and once it ended.
	executor *executor
	// Where it is in agent.tasks and framework.order.
	place, rank int32
	// Of the agent's last update, and what it said; meaningless until updated.
	uuid     [16]byte
	reported mesos.TaskState
	updated  bool
	// That update came in a message of its own, and waits at the agent until the
	// framework acknowledges it. One that a registration told of is not known to
	// wait; if it does, it comes right behind.
	waiting bool
	// Its resources are no longer counted as used.
	freed bool
	// Somebody asked for its end; and that was the allocator.
	killed, preempted bool
	born              uint64 // counts the tasks that this master came to know
}

func (t *task) terminal() bool { return tasks.Terminal(t.view.State) }

func (t *task) protoID() *mesos.TaskID { return &mesos.TaskID{Value: new(string(t.view.ID))} }

// addTask makes a task part of the cluster. Its resources are counted as used
// by the caller.
func (m *Machine) addTask(f *framework, a *agent, e *executor, picture *view.Task) *task {
	t := &task{
		view: picture, framework: f, agent: a,
		place: int32(len(a.tasks)), rank: int32(len(f.order)),
		freed: tasks.Terminal(picture.State),
	}
	m.frameworks.born++
	t.born = m.frameworks.born
	if e != nil && !t.freed {
		t.executor = e
		e.tasks++
	}
	a.tasks = append(a.tasks, t)
	f.order = append(f.order, t)
	f.tasks[picture.ID] = t
	m.publish(view.TaskAdded{Task: picture})
	return t
}

// removeTask takes a task off the tables.
func (m *Machine) removeTask(t *task, fate view.TaskFate) {
	m.free(t)
	a, f := t.agent, t.framework
	last := a.tasks[len(a.tasks)-1]
	a.tasks[t.place], last.place = last, t.place
	a.tasks[len(a.tasks)-1] = nil
	a.tasks = a.tasks[:len(a.tasks)-1]
	last = f.order[len(f.order)-1]
	f.order[t.rank], last.rank = last, t.rank
	f.order[len(f.order)-1] = nil
	f.order = f.order[:len(f.order)-1]
	delete(f.tasks, t.view.ID)
	if fate == view.Unreachable {
		f.giveUp(t.view, m.cfg.Limits.UnreachableTasks)
	}
	m.publish(view.TaskRemoved{Task: t.view, Rank: int(t.rank), Fate: fate})
	m.checkDrained(a)
}

// giveUp remembers a task on an unreachable agent, and forgets the oldest of
// them beyond limit.
func (f *framework) giveUp(t *view.Task, limit int) {
	if limit <= 0 {
		return
	}
	f.unreachableByID[t.ID] = t
	f.unreachableAt[t.Agent]++
	f.unreachable = append(f.unreachable, t)
	if len(f.unreachable) > limit {
		f.forgetUnreachable(f.unreachable[0])
		f.unreachable[0] = nil
		f.unreachable = f.unreachable[1:]
	}
}

// takeBack forgets a task on an unreachable agent that came back. It is false
// when there is no such task.
func (f *framework) takeBack(id TaskID) bool {
	t := f.unreachableByID[id]
	if t == nil {
		return false
	}
	f.forgetUnreachable(t)
	f.unreachable = slices.DeleteFunc(f.unreachable, func(other *view.Task) bool { return other == t })
	return true
}

// forgetUnreachable takes a task off the indexes.
func (f *framework) forgetUnreachable(t *view.Task) {
	delete(f.unreachableByID, t.ID)
	if f.unreachableAt[t.Agent]--; f.unreachableAt[t.Agent] == 0 {
		delete(f.unreachableAt, t.Agent)
	}
}

// free gives back what a task held, once.
func (m *Machine) free(t *task) {
	if t.freed {
		return
	}
	t.freed = true
	t.agent.used = t.agent.used.Without(t.view.Resources.Underlying())
	if !m.withhold(t.agent, t.view.Resources) {
		m.recover(t.framework, t.agent, t.view.Role, t.view.Resources, nil)
	}
	m.taskEnded(t)
}

// updateTask records a status, which may be nil, and the newest state. A task
// that is terminal keeps its state.
func (m *Machine) updateTask(t *task, status *mesos.TaskStatus, newest mesos.TaskState) {
	next, before := *t.view, t.view.State
	if status != nil {
		next.Statuses = withStatus(next.Statuses, status)
	}
	if !t.terminal() {
		next.State = newest
	}
	t.view = &next
	if t.terminal() {
		m.free(t)
	}
	m.publish(view.TaskUpdated{Task: t.view, Before: before, Rank: int(t.rank), Status: status})
}

// withStatus is list with a status added. A run of equal states keeps only its
// last status. The list itself is shared and stays as it is.
func withStatus(list []view.Status, status *mesos.TaskStatus) []view.Status {
	s := view.Status{
		State: status.GetState(), Source: status.GetSource(), Reason: view.NoReason,
		Timestamp: status.GetTimestamp(), Message: status.GetMessage(),
	}
	if status.Reason != nil {
		s.Reason = status.GetReason()
	}
	if uuid, ok := uuidOf(status.GetUuid()); ok {
		s.UUID = uuid
	}
	var before *view.StatusDetail
	if n := len(list); n > 0 {
		before = list[n-1].Detail
		if list[n-1].State == s.State {
			list = list[: n-1 : n-1]
		}
	}
	s.Detail = detailOf(status, before)
	return append(list, s)
}

// detailOf shares what it can with the status before.
func detailOf(status *mesos.TaskStatus, before *view.StatusDetail) *view.StatusDetail {
	d := view.StatusDetail{
		Healthy: status.Healthy, Labels: status.GetLabels(), Check: status.GetCheckStatus(),
		Container: status.GetContainerStatus(), Limitation: status.GetLimitation(), Unreachable: status.GetUnreachableTime(),
	}
	if d == (view.StatusDetail{}) {
		return nil
	}
	if before == nil {
		return &d
	}
	if d.Container != nil && proto.Equal(d.Container, before.Container) {
		d.Container = before.Container
	}
	if d == *before {
		return before
	}
	return &d
}

// shapeOf returns what a list of resources comes to, allocated to nobody, and
// the role they are allocated to; the role is empty when they do not say.
func (f *framework) shapeOf(list []*mesos.Resource) (resources.Resources, string, error) {
	if f.last.protos != nil && sameScalars(list, f.last.protos) {
		return f.last.value, f.last.role, nil
	}
	value, role, err := unallocated(list)
	if err == nil && len(list) > 0 {
		f.last = taskShape{protos: list, value: value, role: role}
	}
	return value, role, err
}

func unallocated(list []*mesos.Resource) (value resources.Resources, role string, err error) {
	for i, r := range list {
		switch named := r.GetAllocationInfo().GetRole(); {
		case named == "" || named == role:
		case role != "":
			return value, role, field.Invalid(indexed("resources", i), named, "is allocated to another role than %q", role)
		default:
			role = named
		}
	}
	value, err = resources.New(list...)
	if err != nil {
		return value, role, field.In("resources", err)
	}
	if role != "" {
		value = value.Unallocate()
	}
	return value, role, nil
}

// anyRole is the role of everybody.
const anyRole = "*"

// allocated is shapeOf for resources whose role nobody vouches for: when
// they name none it is one of the framework's.
func allocated(f *framework, list []*mesos.Resource) (resources.Resources, string, error) {
	value, role, err := f.shapeOf(list)
	if role == "" {
		role = anyRole
		if len(f.view.Roles) > 0 {
			role = f.view.Roles[0]
		}
	}
	return value, role, err
}

// sameScalars tells whether two lists are equal and hold nothing but plain
// amounts; false is always a safe answer.
func sameScalars(a, b []*mesos.Resource) bool {
	if len(a) != len(b) {
		return false
	}
	for i, x := range a {
		y := b[i]
		if x == y {
			continue
		}
		if !plain(x) || !plain(y) || x.GetName() != y.GetName() || x.GetScalar().GetValue() != y.GetScalar().GetValue() ||
			x.GetRole() != y.GetRole() || x.GetAllocationInfo().GetRole() != y.GetAllocationInfo().GetRole() {
			return false
		}
	}
	return true
}

func plain(r *mesos.Resource) bool {
	return r.GetType() == mesos.Value_SCALAR && r.Type != nil && r.Scalar != nil && r.Ranges == nil && r.Set == nil &&
		r.ProviderId == nil && r.Reservation == nil && len(r.Reservations) == 0 && r.Disk == nil &&
		r.Revocable == nil && r.Shared == nil && len(r.ProtoReflect().GetUnknown()) == 0
}

// uuidOf returns the 16 bytes of a status's uuid.
func uuidOf(b []byte) (uuid [16]byte, ok bool) {
	copy(uuid[:], b)
	return uuid, len(b) == len(uuid)
}

func sameUUID(t *task, b []byte) bool { return t.updated && bytes.Equal(t.uuid[:], b) }
