package state

import (
	"cmp"
	"slices"
	"strings"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/spans"
	"troupe/messages/token"
)

// defaultPath is what executors find programs in, unless the operator says.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// baseEnvironment is what the operator wants for everything that runs here.
func (m *Machine) baseEnvironment() *mesos.Environment {
	env := &mesos.Environment{}
	set := func(name, value string) {
		env.Variables = append(env.Variables, &mesos.Environment_Variable{
			Name: &name, Value: &value, Type: mesos.Environment_Variable_VALUE.Enum(),
		})
	}
	if !slices.ContainsFunc(m.cfg.Environment, func(v string) bool { return strings.HasPrefix(v, "PATH=") }) {
		set("PATH", defaultPath)
	}
	for _, v := range m.cfg.Environment {
		name, value, _ := strings.Cut(v, "=")
		set(name, value)
	}
	return env
}

// environment is all that an executor has: what the operator wants for every
// executor, what it needs to find its agent, then what its framework wants.
// A built-in executor gives its tasks their own on top.
func (m *Machine) environment(e *executor) *mesos.Environment {
	env := m.baseEnvironment()
	set := func(name, value string) {
		for _, v := range env.Variables {
			if v.GetName() == name {
				v.Value, v.Type, v.Secret = &value, nil, nil
				return
			}
		}
		env.Variables = append(env.Variables, &mesos.Environment_Variable{Name: &name, Value: &value})
	}
	for _, v := range [][2]string{
		{"LIBPROCESS_IP", hostOf(m.cfg.Endpoint)},
		{"LIBPROCESS_PORT", "0"},
		{"MESOS_FRAMEWORK_ID", string(e.framework.id())},
		{"MESOS_EXECUTOR_ID", string(e.id())},
		{"MESOS_DIRECTORY", e.sandbox},
		{"MESOS_SANDBOX", e.sandbox},
		{"MESOS_SLAVE_ID", m.id().GetValue()},
		{"MESOS_SLAVE_PID", "slave(1)@" + m.cfg.Endpoint},
		{"MESOS_AGENT_ENDPOINT", m.cfg.Endpoint},
		{"MESOS_CHECKPOINT", "1"}, // whatever its framework says: every task outlives its agent
		{"MESOS_HTTP_COMMAND_EXECUTOR", "0"},
		{"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", spans.Format(m.grace(e))},
		{"MESOS_RECOVERY_TIMEOUT", spans.Format(m.cfg.RecoveryTimeout)},
		{"MESOS_SUBSCRIPTION_BACKOFF_MAX", spans.Format(m.cfg.ExecutorRetry)},
	} {
		set(v[0], v[1])
	}
	if role := cmp.Or(roleOf(e.info.GetResources()), onlyRole(e.framework.info)); role != "" {
		set("MESOS_ALLOCATION_ROLE", role)
	}
	if e.kind == cluster.LaunchContainer_DEFAULT {
		set("MESOS_CONTAINER_IP", hostOf(m.cfg.Endpoint)) // its tasks share the machine's network
	}
	if e.kind != cluster.LaunchContainer_COMMAND {
		for _, v := range e.info.GetCommand().GetEnvironment().GetVariables() {
			if v.GetType() != mesos.Environment_Variable_SECRET {
				set(v.GetName(), v.GetValue())
			}
		}
	}
	if e.kind == cluster.LaunchContainer_CUSTOM {
		for _, v := range m.cfg.Custom.Environment {
			name, value, _ := strings.Cut(v, "=")
			set(name, value)
		}
		if m.cfg.Custom.TokenKey != nil {
			set("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", token.Sign(m.cfg.Custom.TokenKey, map[string]string{
				"fid": string(e.framework.id()), "eid": string(e.id()), "cid": string(e.container),
			}))
		}
	}
	for _, v := range env.Variables {
		v.Type = mesos.Environment_Variable_VALUE.Enum()
	}
	return env
}

// hostOf is an endpoint without its port, and an IPv6 address without its
// brackets.
func hostOf(endpoint string) string {
	host := endpoint[:max(strings.LastIndexByte(endpoint, ':'), 0)]
	return strings.Trim(host, "[]")
}

// onlyRole is the role of a framework that has one: its launches need not name it.
func onlyRole(f *mesos.FrameworkInfo) string {
	switch len(f.GetRoles()) {
	case 0:
		return f.GetRole()
	case 1:
		return f.GetRoles()[0]
	}
	return ""
}

func roleOf(list []*mesos.Resource) string {
	for _, r := range list {
		if role := r.GetAllocationInfo().GetRole(); role != "" {
			return role
		}
	}
	return ""
}
