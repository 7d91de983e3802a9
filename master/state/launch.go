package state

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/redact"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

// launchTask takes a task's resources from what is left and sends it to its
// agent.
func (m *Machine) launchTask(b *bargain, info *mesos.TaskInfo) error {
	if err := validate.TaskInfo(info); err != nil {
		return field.In("task", err)
	}
	if err := m.checkTask(b, info); err != nil {
		return field.In("task", err)
	}
	if err := checkOwner(info.GetExecutor(), b.framework.id()); err != nil {
		return field.In("task", err)
	}
	need, err := b.needOf(info)
	if err != nil {
		return field.In("task", err)
	}
	e, more, err := m.executorFor(b, info.GetExecutor())
	if err != nil {
		return err
	}
	sum := need.Add(more)
	if !b.take(sum) {
		return notContained("task.resources", sum, b.rest)
	}
	runs := e != nil
	if info.Executor != nil && !runs {
		e = m.addExecutor(b.framework, b.agent, info.GetExecutor(), b.role, more)
	}
	m.addTask(b.framework, b.agent, e, &view.Task{
		TaskSpec: specOf(b, info, need, ExecutorID(info.GetExecutor().GetExecutorId().GetValue())),
		State:    mesos.TaskState_TASK_STAGING,
	})
	m.send(b.agent.peer(), &cluster.RunTask{
		Framework: b.framework.view.Info, Task: b.sent(info), ExecutorRuns: ifTrue(runs),
	})
	return nil
}

// startGroup takes the resources of a group and sends it to its agent, or does
// nothing.
func (m *Machine) startGroup(b *bargain, group *mesos.Offer_Operation_LaunchGroup) error {
	info := group.GetExecutor()
	if err := validate.TaskGroup(info, group.GetTaskGroup()); err != nil {
		return err
	}
	if err := checkOwner(info, b.framework.id()); err != nil {
		return err
	}
	e, sum, err := m.executorFor(b, info)
	if err != nil {
		return err
	}
	more := sum
	needs := make([]resources.Resources, 0, len(group.GetTaskGroup().GetTasks()))
	for i, t := range group.GetTaskGroup().GetTasks() {
		need, err := b.needOf(t)
		if err == nil {
			err = m.checkTask(b, t)
		}
		if err != nil {
			return field.At("task_group.tasks", i, err)
		}
		needs = append(needs, need)
		sum = sum.Add(need)
	}
	if !b.take(sum) {
		return notContained("task_group", sum, b.rest)
	}
	runs := e != nil
	if !runs {
		e = m.addExecutor(b.framework, b.agent, info, b.role, more)
	}
	run := &cluster.RunTaskGroup{
		Framework: b.framework.view.Info, Executor: b.executorWithRole(info), TaskGroup: &mesos.TaskGroupInfo{}, ExecutorRuns: ifTrue(runs),
	}
	for i, t := range group.GetTaskGroup().GetTasks() {
		m.addTask(b.framework, b.agent, e, &view.Task{
			TaskSpec: specOf(b, t, needs[i], e.view.ID), State: mesos.TaskState_TASK_STAGING,
		})
		run.TaskGroup.Tasks = append(run.TaskGroup.Tasks, b.withRole(t))
	}
	m.send(b.agent.peer(), run)
	return nil
}

// ifTrue is absent when it is false, as most are.
func ifTrue(on bool) *bool {
	if !on {
		return nil
	}
	return &on
}

// checkTask holds a task against what else there is.
func (m *Machine) checkTask(b *bargain, info *mesos.TaskInfo) error {
	id := TaskID(info.GetTaskId().GetValue())
	switch f := b.framework; {
	case f.tasks[id] != nil:
		return field.Invalid("task_id", string(id), "Task has duplicate ID")
	case f.unreachableByID[id] != nil:
		return field.Invalid("task_id", string(id), "Task reuses the ID of an unreachable task")
	case info.GetAgentId().GetValue() != string(b.agent.id()):
		return field.Invalid("agent_id", info.GetAgentId().GetValue(), "is not the offers' agent %s", b.agent.id())
	case len(info.GetLimits()) > 0 && !b.agent.has(mesos.AgentInfo_Capability_TASK_RESOURCE_LIMITS):
		return field.Invalid("limits", nil, "Agent is not capable of handling task resource limits")
	case m.cfg.RefuseRoot && userOf(info, f.view.Info) == "root":
		return field.Invalid("command.user", "root", "is not allowed by this master")
	}
	return nil
}

// needOf returns what a task asks for itself.
func (b *bargain) needOf(info *mesos.TaskInfo) (resources.Resources, error) {
	need, role, err := b.framework.shapeOf(info.GetResources())
	switch {
	case err != nil:
		return need, err
	case role != "" && role != b.role:
		return need, field.Invalid("resources", role, "is not the offers' role %q", b.role)
	case need.IsEmpty():
		return need, field.Invalid("resources", nil, "Task uses no resources")
	}
	return need, nil
}

// executorFor finds the executor that info means on the agent, or says what a
// new one takes. Neither for a task without one.
func (m *Machine) executorFor(b *bargain, info *mesos.ExecutorInfo) (*executor, resources.Resources, error) {
	if info == nil {
		return nil, resources.Resources{}, nil
	}
	id := ExecutorID(info.GetExecutorId().GetValue())
	if e := b.agent.executors[executorKey{b.framework, id}]; e != nil {
		if !sameExecutor(e.view.Info, info) {
			return nil, resources.Resources{}, field.Invalid("executor.executor_id", string(id), "Task has invalid executor: one with this id runs on the agent with another ExecutorInfo")
		}
		if role := e.view.Role; len(info.GetResources()) > 0 && role != b.role { // without resources it is nobody's
			return nil, resources.Resources{}, field.Invalid("executor.executor_id", string(id), "Task has invalid executor: its resources are those of role %q, and the offers are for %q", role, b.role)
		}
		return e, resources.Resources{}, nil
	}
	need, role, err := unallocated(info.GetResources())
	if err == nil && role != "" && role != b.role {
		err = field.Invalid("resources", role, "is not the offers' role %q", b.role)
	}
	return nil, need, field.In("executor", err)
}

// sameExecutor compares two infos, of which one may be complete: with the
// framework's id, and with the role of its resources, or without its secrets.
func sameExecutor(a, b *mesos.ExecutorInfo) bool {
	if a == b || proto.Equal(a, b) {
		return true
	}
	x, y := proto.CloneOf(redact.Executor(a)), proto.CloneOf(redact.Executor(b))
	for _, e := range []*mesos.ExecutorInfo{x, y} {
		e.FrameworkId = nil
		for _, r := range e.GetResources() {
			r.AllocationInfo = nil
		}
	}
	return proto.Equal(x, y)
}

// specOf keeps what is shown of a task, and nothing of what it runs.
func specOf(b *bargain, info *mesos.TaskInfo, need resources.Resources, executor ExecutorID) *view.TaskSpec {
	s := &view.TaskSpec{
		ID: TaskID(info.GetTaskId().GetValue()), Name: info.GetName(),
		Framework: b.framework.id(), Agent: b.agent.id(), Executor: executor, Role: b.role, Resources: need,
	}
	if s.Name == string(s.ID) {
		s.Name = string(s.ID) // equal, but in memory of its own
	}
	user := info.GetCommand().GetUser()
	if info.Executor != nil {
		user = info.GetExecutor().GetCommand().GetUser()
	}
	if user != "" || info.Labels != nil || info.Discovery != nil || info.Container != nil ||
		info.HealthCheck != nil || info.KillPolicy != nil || len(info.GetLimits()) > 0 {
		s.Extra = &view.TaskExtra{
			User: user, Labels: info.Labels, Discovery: info.Discovery, Container: redact.Container(info.Container),
			HealthCheck: redact.HealthCheck(info.HealthCheck), KillPolicy: info.KillPolicy, Limits: info.GetLimits(),
		}
	}
	return s
}

// sent is a task as its agent gets it. Custom executors read there to whom its
// resources are allocated; the agent's own do not need that of a framework with
// one role.
func (b *bargain) sent(info *mesos.TaskInfo) *mesos.TaskInfo {
	if info.Executor == nil && len(b.framework.view.Roles) < 2 {
		return info
	}
	return b.withRole(info)
}

// withRole is info with its resources, and its executor's, allocated to the
// offers' role.
func (b *bargain) withRole(info *mesos.TaskInfo) *mesos.TaskInfo {
	if !missesRole(info.GetResources()) && !missesRole(info.GetExecutor().GetResources()) {
		return info
	}
	info = proto.CloneOf(info)
	b.allocate(info.GetResources())
	b.allocate(info.GetExecutor().GetResources())
	return info
}

func missesRole(list []*mesos.Resource) bool {
	return slices.ContainsFunc(list, func(r *mesos.Resource) bool { return r.GetAllocationInfo().GetRole() == "" })
}

// allocate allocates a list that is nobody else's.
func (b *bargain) allocate(list []*mesos.Resource) {
	for _, r := range list {
		r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &b.role}
	}
}

// executorWithRole is withRole of an executor alone.
func (b *bargain) executorWithRole(info *mesos.ExecutorInfo) *mesos.ExecutorInfo {
	if !missesRole(info.GetResources()) {
		return info
	}
	info = proto.CloneOf(info)
	b.allocate(info.GetResources())
	return info
}
