package validate

import (
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// TaskRules are what an agent and an operator allow tasks.
type TaskRules struct {
	// The agent can hold tasks to limits.
	Limits     bool
	RefuseRoot bool
	// Who runs a task that does not say.
	DefaultUser string
}

// NoID checks that an operation that launches does not ask for feedback.
func NoID(op *mesos.Offer_Operation) error {
	if op.Id != nil {
		return field.Invalid("operation.id", op.GetId().GetValue(), "must not be set for %s", op.GetType())
	}
	return nil
}

// Task checks what a task says of itself, whoever executes it.
func Task(info *mesos.TaskInfo, rules TaskRules) error {
	if err := names.CheckID("task.task_id", info.GetTaskId().GetValue()); err != nil {
		return err
	}
	if err := checks(info); err != nil {
		return field.In("task", err)
	}
	if info.GetKillPolicy().GetGracePeriod().GetNanoseconds() < 0 {
		return field.Invalid("task.kill_policy.grace_period", info.GetKillPolicy().GetGracePeriod().GetNanoseconds(), "must be non-negative")
	}
	if info.GetMaxCompletionTime().GetNanoseconds() < 0 {
		return field.Invalid("task.max_completion_time", info.GetMaxCompletionTime().GetNanoseconds(), "must be non-negative")
	}
	if info.Command != nil {
		if err := command(info.GetCommand()); err != nil {
			return field.In("task.command", err)
		}
	}
	if rules.RefuseRoot && userOf(info, rules.DefaultUser) == "root" {
		return field.Invalid("task.command.user", "root", "is not allowed by this master")
	}
	if err := revocability(info.GetResources()); err != nil {
		return field.In("task", err)
	}
	return limits(info, rules.Limits)
}

func userOf(info *mesos.TaskInfo, otherwise string) string {
	if user := info.GetCommand().GetUser(); user != "" {
		return user
	}
	if user := info.GetExecutor().GetCommand().GetUser(); user != "" {
		return user
	}
	return otherwise
}

// command checks what a shell or a program is told.
func command(c *mesos.CommandInfo) error {
	if c.GetShell() && c.GetValue() == "" && c.Shell != nil && *c.Shell {
		return field.Invalid("value", c.GetValue(), "must be set when 'shell' is")
	}
	for i, v := range c.GetEnvironment().GetVariables() {
		if v.GetName() == "" {
			return field.At("environment.variables", i, field.Invalid("name", v.GetName(), "must not be empty"))
		}
	}
	for i, u := range c.GetUris() {
		if u.GetValue() == "" {
			return field.At("uris", i, field.Invalid("value", u.GetValue(), "must not be empty"))
		}
	}
	return nil
}

// revocability refuses revocable and other resources of one name together.
func revocability(list []*mesos.Resource) error {
	for i, r := range list {
		for _, other := range list[:i] {
			if r.GetName() == other.GetName() && (r.Revocable == nil) != (other.Revocable == nil) {
				return field.At("resources", i, field.Invalid("name", r.GetName(), "Cannot use both revocable and non-revocable resources of one name"))
			}
		}
	}
	return nil
}

// limits checks that what a task may use at most is no less than it asks for.
func limits(info *mesos.TaskInfo, able bool) error {
	if len(info.GetLimits()) == 0 {
		return nil
	}
	if !able {
		return field.Invalid("task.limits", sortedKeys(info.GetLimits()), "Agent is not capable of handling task resource limits")
	}
	for _, name := range sortedKeys(info.GetLimits()) {
		if name != "cpus" && name != "mem" {
			return field.Invalid("task.limits", name, "only cpus and mem may be limited")
		}
		asked, any := 0.0, false
		for _, r := range info.GetResources() {
			if r.GetName() == name {
				asked, any = asked+r.GetScalar().GetValue(), true
			}
		}
		limit := info.GetLimits()[name].GetValue()
		if !any {
			return field.Invalid("task.limits", name, "is limited but not asked for")
		}
		if !(limit >= asked) {
			return field.Invalid("task.limits."+name, limit, "is below the %v asked for", asked)
		}
	}
	return nil
}

// OwnExecutor checks a task of a LAUNCH: it is either a command or has an
// executor of its framework's own.
func OwnExecutor(info *mesos.TaskInfo, framework string) error {
	if (info.Command == nil) == (info.Executor == nil) {
		return field.Invalid("task", info.GetTaskId().GetValue(), "should have at least one (but not both) of CommandInfo or ExecutorInfo present")
	}
	if info.Executor == nil {
		return nil
	}
	e := info.GetExecutor()
	if err := executor(e, framework); err != nil {
		return field.In("task.executor", err)
	}
	if e.Type != nil && e.GetType() != mesos.ExecutorInfo_CUSTOM {
		return field.Invalid("task.executor.type", e.GetType().String(), "'ExecutorInfo.type' must be 'CUSTOM'")
	}
	if e.Command == nil {
		return field.Invalid("task.executor.command", nil, "'ExecutorInfo.command' must be set")
	}
	return field.In("task.executor.command", command(e.GetCommand()))
}

func executor(e *mesos.ExecutorInfo, framework string) error {
	if err := names.CheckID("executor_id", e.GetExecutorId().GetValue()); err != nil {
		return err
	}
	if given := e.GetFrameworkId().GetValue(); given != "" && given != framework {
		return field.Invalid("framework_id", given, "is not the framework's own id %s", framework)
	}
	for i, r := range e.GetResources() {
		if r.Shared != nil {
			return field.At("resources", i, field.Invalid("shared", r.GetName(), "executors may not have shared resources"))
		}
	}
	if e.GetShutdownGracePeriod().GetNanoseconds() < 0 {
		return field.Invalid("shutdown_grace_period", e.GetShutdownGracePeriod().GetNanoseconds(), "must be non-negative")
	}
	return revocability(e.GetResources())
}

// Least amounts of an executor for task groups.
const (
	minCPUs = 0.01
	minMem  = 32
)

// Group checks the executor of a LAUNCH_GROUP and what its tasks are to each
// other.
func Group(group *mesos.Offer_Operation_LaunchGroup, framework string) error {
	e := group.GetExecutor()
	if err := executor(e, framework); err != nil {
		return field.In("executor", err)
	}
	if err := groupExecutor(e); err != nil {
		return field.In("executor", err)
	}
	if len(group.GetTaskGroup().GetTasks()) == 0 {
		return field.Invalid("task_group.tasks", nil, "must not be empty")
	}
	var ids []string
	for i, t := range group.GetTaskGroup().GetTasks() {
		path := "task_group.tasks"
		switch id := t.GetTaskId().GetValue(); {
		case slices.Contains(ids, id):
			return field.At(path, i, field.Invalid("task_id", id, "Task has duplicate ID"))
		case t.Executor != nil && t.GetExecutor().GetExecutorId().GetValue() != e.GetExecutorId().GetValue():
			return field.At(path, i, field.Invalid("executor.executor_id", t.GetExecutor().GetExecutorId().GetValue(), "is not the group's executor"))
		case t.Command == nil && e.GetType() == mesos.ExecutorInfo_DEFAULT:
			return field.At(path, i, field.Invalid("command", nil, "must be set for a task under the default executor"))
		case t.GetContainer().GetType() == mesos.ContainerInfo_DOCKER && t.Container != nil:
			return field.At(path, i, field.Invalid("container.type", "DOCKER", "Docker ContainerInfo is not supported on the task"))
		default:
			ids = append(ids, id)
		}
	}
	return nil
}

func groupExecutor(e *mesos.ExecutorInfo) error {
	switch e.GetType() {
	case mesos.ExecutorInfo_DEFAULT:
		if e.Command != nil {
			return field.Invalid("command", e.GetCommand().GetValue(), "must not be set for the default executor")
		}
		if e.Container != nil && e.GetContainer().GetType() == mesos.ContainerInfo_DOCKER {
			return field.Invalid("container.type", "DOCKER", "Docker ContainerInfo is not supported on the executor")
		}
	case mesos.ExecutorInfo_CUSTOM:
		if e.Command == nil {
			return field.Invalid("command", nil, "'ExecutorInfo.command' must be set")
		}
	default:
		return field.Invalid("type", e.GetType().String(), "'ExecutorInfo.type' must be set")
	}
	amount := map[string]float64{}
	for _, r := range e.GetResources() {
		amount[r.GetName()] += r.GetScalar().GetValue()
	}
	switch {
	case amount["cpus"] < minCPUs:
		return field.Invalid("resources.cpus", amount["cpus"], "must be at least %v", minCPUs)
	case amount["mem"] < minMem:
		return field.Invalid("resources.mem", amount["mem"], "must be at least %v", minMem)
	case amount["disk"] <= 0:
		return field.Invalid("resources.disk", amount["disk"], "must be above 0")
	}
	return nil
}
