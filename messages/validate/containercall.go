package validate

import (
	"slices"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/names"
)

// MaxContainerID bounds a container's id as ContainerKey prints it, in bytes:
// it becomes a path.
const MaxContainerID = 242

// ContainerKey prints a container's id with those of its parents, the outermost
// first: "root.child". Ids that ContainerID accepts have keys of their own.
func ContainerKey(id *mesos.ContainerID) string {
	var parts []string
	for at := id; at != nil; at = at.Parent {
		parts = append(parts, at.GetValue())
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// ContainerID refuses an id that no container can have; path is its field.
func ContainerID(path string, id *mesos.ContainerID) error {
	if id == nil {
		return field.Missing(path)
	}
	length := -1
	for at := id; at != nil; at = at.Parent {
		if err := names.CheckID(path, at.GetValue()); err != nil {
			return err
		}
		if i := strings.IndexAny(at.GetValue(), ". "); i >= 0 {
			return field.Invalid(path, at.GetValue(), "must not contain %q", at.GetValue()[i])
		}
		if length += 1 + len(at.GetValue()); length > MaxContainerID {
			return field.Invalid(path, ContainerKey(id), "has more than %d bytes with those of its parents", MaxContainerID)
		}
	}
	return nil
}

// ContainerLaunch is what a call launches, in whichever form.
type ContainerLaunch struct {
	Command   *mesos.CommandInfo
	Container *mesos.ContainerInfo
	// Session: the container lasts as long as the connection of who asks.
	Session bool
	// What a container with limits of its own may use.
	Resources []*mesos.Resource
	Limits    map[string]*mesos.Value_Scalar
}

// LaunchOf is nil for a call that launches no container.
func LaunchOf(c *agent.Call) *ContainerLaunch {
	switch c.GetType() {
	case agent.Call_LAUNCH_CONTAINER:
		l := c.GetLaunchContainer()
		return &ContainerLaunch{Command: l.GetCommand(), Container: l.GetContainer(), Resources: l.GetResources(), Limits: l.GetLimits()}
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		return &ContainerLaunch{Command: c.GetLaunchNestedContainer().GetCommand(), Container: c.GetLaunchNestedContainer().GetContainer()}
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		l := c.GetLaunchNestedContainerSession()
		return &ContainerLaunch{Command: l.GetCommand(), Container: l.GetContainer(), Session: true}
	}
	return nil
}

// target is the container that a call is about.
type target struct {
	id     *mesos.ContainerID
	part   string // of the call
	nested bool   // it must have a parent
}

func targetOf(c *agent.Call) (t target, ok bool) {
	switch c.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		t = target{c.GetLaunchNestedContainer().GetContainerId(), "launch_nested_container", true}
	case agent.Call_WAIT_NESTED_CONTAINER:
		t = target{c.GetWaitNestedContainer().GetContainerId(), "wait_nested_container", true}
	case agent.Call_KILL_NESTED_CONTAINER:
		t = target{c.GetKillNestedContainer().GetContainerId(), "kill_nested_container", true}
	case agent.Call_REMOVE_NESTED_CONTAINER:
		t = target{c.GetRemoveNestedContainer().GetContainerId(), "remove_nested_container", true}
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		t = target{c.GetLaunchNestedContainerSession().GetContainerId(), "launch_nested_container_session", true}
	case agent.Call_LAUNCH_CONTAINER:
		t = target{c.GetLaunchContainer().GetContainerId(), "launch_container", false}
	case agent.Call_WAIT_CONTAINER:
		t = target{c.GetWaitContainer().GetContainerId(), "wait_container", false}
	case agent.Call_KILL_CONTAINER:
		t = target{c.GetKillContainer().GetContainerId(), "kill_container", false}
	case agent.Call_REMOVE_CONTAINER:
		t = target{c.GetRemoveContainer().GetContainerId(), "remove_container", false}
	case agent.Call_ATTACH_CONTAINER_OUTPUT:
		t = target{c.GetAttachContainerOutput().GetContainerId(), "attach_container_output", false}
	case agent.Call_ATTACH_CONTAINER_INPUT:
		t = target{c.GetAttachContainerInput().GetContainerId(), "attach_container_input", false}
	default:
		return t, false
	}
	return t, true
}

// AboutContainer tells whether a call is one of those that ContainerCall knows.
func AboutContainer(t agent.Call_Type) bool {
	_, ok := targetOf(&agent.Call{Type: &t})
	return ok
}

// ContainerCall checks a call that is about a container, and says about which.
func ContainerCall(c *agent.Call) (*mesos.ContainerID, error) {
	t, ok := targetOf(c)
	if !ok {
		return nil, field.Invalid("type", c.GetType().String(), "is not about a container")
	}
	if err := ContainerID(t.part+".container_id", t.id); err != nil {
		return nil, err
	}
	if t.nested && t.id.Parent == nil {
		return nil, field.Missing(t.part + ".container_id.parent")
	}
	if signal := SignalOf(c); signal < 1 || signal > maxSignal {
		return nil, field.Invalid(t.part+".signal", signal, "must be from 1 to %d", maxSignal)
	}
	if in := c.GetAttachContainerInput(); in != nil && in.GetType() != agent.Call_AttachContainerInput_CONTAINER_ID {
		return nil, field.Invalid("attach_container_input.type", in.GetType().String(), "must be CONTAINER_ID in the first record")
	}
	if l := c.GetLaunchContainer(); l != nil {
		if err := launchResources(l); err != nil {
			return nil, field.In(t.part, err)
		}
	}
	if l := LaunchOf(c); l != nil {
		return t.id, field.In(t.part, l.check())
	}
	return t.id, nil
}

const (
	sigkill   = 9
	maxSignal = 64
)

// SignalOf is the signal that a KILL call sends: SIGKILL where none is named.
func SignalOf(c *agent.Call) int32 {
	signal := c.GetKillContainer().GetSignal()
	set := c.GetKillContainer() != nil && c.GetKillContainer().Signal != nil
	if k := c.GetKillNestedContainer(); k != nil {
		signal, set = k.GetSignal(), k.Signal != nil
	}
	if !set {
		return sigkill
	}
	return signal
}

// check refuses what such containers cannot have: they share what their parent
// has, or the machine.
func (l *ContainerLaunch) check() error {
	if err := field.In("command", CommandInfo(l.Command)); err != nil {
		return err
	}
	if l.Command.GetValue() == "" {
		return field.Missing("command.value")
	}
	if l.Session && len(l.Command.GetUris()) > 0 {
		return field.Invalid("command.uris", nil, "are not fetched for sessions, which have the sandbox of their parent")
	}
	if l.Container == nil {
		return nil
	}
	return field.In("container", l.checkContainer())
}

func (l *ContainerLaunch) checkContainer() error {
	if err := ContainerInfo(l.Container); err != nil {
		return err
	}
	unsupported := []struct {
		name string
		set  bool
	}{
		{"type", l.Container.GetType() != mesos.ContainerInfo_MESOS},
		{"volumes", len(l.Container.GetVolumes()) > 0},
		{"network_infos", len(l.Container.GetNetworkInfos()) > 0},
		{"mesos.image", l.Container.GetMesos().GetImage() != nil},
		{"linux_info", l.Container.GetLinuxInfo() != nil},
		{"rlimit_info", l.Container.GetRlimitInfo() != nil},
	}
	for _, u := range unsupported {
		if u.set {
			return field.Invalid(u.name, nil, "is not supported for such containers")
		}
	}
	return nil
}
