package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// ExecutorInfo checks an executor, of a task or of a group. A type that is not
// set counts as CUSTOM.
func ExecutorInfo(e *mesos.ExecutorInfo) error {
	if e == nil {
		return field.Missing("")
	}
	if err := names.CheckID("executor_id.value", e.GetExecutorId().GetValue()); err != nil {
		return err
	}
	if e.FrameworkId != nil {
		if err := names.CheckID("framework_id.value", e.GetFrameworkId().GetValue()); err != nil {
			return err
		}
	}
	if err := executorKind(e); err != nil {
		return err
	}
	if err := field.In("resources", noneShared(e.GetResources())); err != nil {
		return err
	}
	if err := field.In("resources", new(claim).add(e.GetResources())); err != nil {
		return err
	}
	if err := duration("shutdown_grace_period", e.GetShutdownGracePeriod()); err != nil {
		return err
	}
	return inside(e.Command, e.Container)
}

func executorKind(e *mesos.ExecutorInfo) error {
	if e.Type == nil || e.GetType() == mesos.ExecutorInfo_CUSTOM {
		if e.Command == nil {
			return field.Missing("command")
		}
		return nil
	}
	switch {
	case e.GetType() != mesos.ExecutorInfo_DEFAULT:
		return field.Invalid("type", e.GetType(), "must be DEFAULT or CUSTOM")
	case e.Command != nil:
		return field.Invalid("command", nil, "must not be set when type is DEFAULT")
	case e.Container != nil && e.GetContainer().GetType() != mesos.ContainerInfo_MESOS:
		return field.Invalid("container.type", e.GetContainer().GetType(), "must be MESOS when type is DEFAULT")
	}
	return nil
}

func noneShared(list []*mesos.Resource) error {
	for i, r := range list {
		if r.Shared != nil {
			return field.At("", i, field.Invalid("shared", nil, "must not be set for an executor"))
		}
	}
	return nil
}

// inside checks command and container, where they are given.
func inside(c *mesos.CommandInfo, in *mesos.ContainerInfo) error {
	if err := field.In("command", CommandInfo(c)); err != nil {
		return err
	}
	if in == nil {
		return nil
	}
	return field.In("container", ContainerInfo(in))
}
