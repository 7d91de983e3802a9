package validate

import (
	"maps"
	"math"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// TaskInfo checks a task that is launched by itself: it has a command or an
// executor, and that executor is not the built-in one for groups.
func TaskInfo(t *mesos.TaskInfo) error {
	if err := task(t); err != nil {
		return err
	}
	if (t.Executor == nil) == (t.Command == nil) {
		return field.Invalid("", t.GetTaskId().GetValue(), "must have either a command or an executor")
	}
	if t.Executor != nil {
		if t.GetExecutor().GetType() == mesos.ExecutorInfo_DEFAULT {
			return field.Invalid("executor.type", t.GetExecutor().GetType(), "must be CUSTOM for a task outside a group")
		}
		if err := field.In("executor", ExecutorInfo(t.GetExecutor())); err != nil {
			return err
		}
	}
	if info := t.GetContainer().GetLinuxInfo(); info != nil && !info.GetShareCgroups() {
		return field.Invalid("container.linux_info.share_cgroups", false, "must be true for a task outside a group")
	}
	return field.In("resources", both(t.GetExecutor().GetResources(), t.GetResources()))
}

func both(executor, task []*mesos.Resource) error {
	var c claim
	if err := c.add(executor); err != nil {
		return err
	}
	return c.add(task)
}

// TaskGroup checks an executor and the tasks of a group that it is to run.
func TaskGroup(e *mesos.ExecutorInfo, g *mesos.TaskGroupInfo) error {
	if e.GetType() == mesos.ExecutorInfo_UNKNOWN {
		return field.Invalid("executor.type", e.GetType(), "must be DEFAULT or CUSTOM")
	}
	if err := field.In("executor", ExecutorInfo(e)); err != nil {
		return err
	}
	if len(g.GetTasks()) == 0 {
		return field.Missing("task_group.tasks")
	}
	var c claim
	if err := field.In("executor.resources", c.add(e.GetResources())); err != nil {
		return err
	}
	if err := enoughForGroup(c.sum); err != nil {
		return err
	}
	ids := map[string]bool{}
	for i, t := range g.GetTasks() {
		if err := groupTask(e, t); err != nil {
			return field.At("task_group.tasks", i, err)
		}
		id := t.GetTaskId().GetValue()
		if ids[id] {
			return field.At("task_group.tasks", i, field.Invalid("task_id.value", id, "is there twice"))
		}
		ids[id] = true
		if err := c.add(t.GetResources()); err != nil {
			return field.At("task_group.tasks", i, field.In("resources", err))
		}
	}
	return sameSharing(g.GetTasks())
}

// enoughForGroup checks that an executor of groups has what it needs itself.
func enoughForGroup(r resources.Resources) error {
	for _, least := range []struct {
		name   string
		amount resources.Milli
	}{{resources.CPUs, 10}, {resources.Mem, 32_000}, {resources.Disk, 1}} {
		if has := r.Scalar(least.name); has < least.amount {
			return field.Invalid("executor.resources."+least.name, has, "must be at least %s for task groups", least.amount)
		}
	}
	return nil
}

func groupTask(e *mesos.ExecutorInfo, t *mesos.TaskInfo) error {
	if err := task(t); err != nil {
		return err
	}
	switch {
	case t.Executor != nil:
		return field.Invalid("executor", nil, "must not be set within a group")
	case e.GetType() == mesos.ExecutorInfo_DEFAULT && t.Command == nil:
		return field.Missing("command")
	case t.GetContainer().GetDocker() != nil || t.Container != nil && t.GetContainer().GetType() == mesos.ContainerInfo_DOCKER:
		return field.Invalid("container.type", mesos.ContainerInfo_DOCKER, "must be MESOS within a group")
	case len(t.GetLimits()) > 0 && t.GetContainer().GetLinuxInfo().GetShareCgroups():
		return field.Invalid("limits", nil, "must not be set when container.linux_info.share_cgroups is true")
	}
	return onOwnNetwork(t)
}

// sameSharing checks that all tasks of a group share the executor's cgroups or
// none does.
func sameSharing(list []*mesos.TaskInfo) error {
	first := list[0].GetContainer().GetLinuxInfo().GetShareCgroups()
	for i, t := range list {
		if shared := t.GetContainer().GetLinuxInfo().GetShareCgroups(); shared != first {
			return field.At("task_group.tasks", i, field.Invalid("container.linux_info.share_cgroups", shared, "must be the same for all tasks of a group"))
		}
	}
	return nil
}

// task checks what holds for every task.
func task(t *mesos.TaskInfo) error {
	if t == nil {
		return field.Missing("")
	}
	if err := names.CheckID("task_id.value", t.GetTaskId().GetValue()); err != nil {
		return err
	}
	if err := names.CheckID("agent_id.value", t.GetAgentId().GetValue()); err != nil {
		return err
	}
	if len(t.GetResources()) == 0 {
		return field.Missing("resources")
	}
	if err := field.In("resources", new(claim).add(t.GetResources())); err != nil {
		return err
	}
	if err := inside(t.Command, t.Container); err != nil {
		return err
	}
	if err := checks(t); err != nil {
		return err
	}
	if err := duration("kill_policy.grace_period", t.GetKillPolicy().GetGracePeriod()); err != nil {
		return err
	}
	if err := duration("max_completion_time", t.GetMaxCompletionTime()); err != nil {
		return err
	}
	return field.In("limits", limits(t))
}

func checks(t *mesos.TaskInfo) error {
	if t.HealthCheck != nil {
		if err := HealthCheck(t.GetHealthCheck()); err != nil {
			return field.In("health_check", err)
		}
	}
	if t.Check != nil {
		return field.In("check", CheckInfo(t.GetCheck()))
	}
	return nil
}

// limits checks that a limit is for cpus or mem, and not below the task's
// request, which there must be. A limit may be infinite.
func limits(t *mesos.TaskInfo) error {
	for _, name := range slices.Sorted(maps.Keys(t.GetLimits())) {
		path := "[" + name + "].value"
		if name != resources.CPUs && name != resources.Mem {
			return field.Invalid("["+name+"]", nil, "must not be set: only %s and %s can have limits", resources.CPUs, resources.Mem)
		}
		request, err := resources.New(t.GetResources()...)
		if err != nil {
			return err
		}
		least := request.Scalar(name)
		if least == 0 {
			return field.Invalid(path, t.GetLimits()[name].GetValue(), "limits what the task does not request")
		}
		limit := t.GetLimits()[name].GetValue()
		if math.IsInf(limit, 1) {
			continue
		}
		if m, err := resources.MilliOf(limit); err != nil {
			return field.Invalid(path, limit, "%s", err)
		} else if m < least {
			return field.Invalid(path, limit, "is below the request, %s", least)
		}
	}
	return nil
}
