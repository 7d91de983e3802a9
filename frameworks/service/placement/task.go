package placement

import (
	"strings"

	"troupe/messages/mesos"
)

// task is what is launched. Parts that all tasks of an app have are shared.
func (r *Recipe) task(g *Ground, a Attempt, got taken, hostPorts []int) *mesos.TaskInfo {
	p := &r.parts
	t := &mesos.TaskInfo{
		Name: &p.name, TaskId: &mesos.TaskID{Value: &a.Task}, AgentId: g.offer.GetAgentId(),
		Resources: got.task.Proto(), Labels: p.labels, KillPolicy: p.kill, Limits: p.limits,
		Discovery: r.discovery(hostPorts),
	}
	environment := r.environment(a.Task, g.offer.GetHostname(), hostPorts)
	container := r.container(hostPorts)
	numbers := listening(p.ports, hostPorts)
	t.HealthCheck, t.Check = r.healthCheck(numbers), r.check(numbers)
	if r.custom() {
		t.Executor = &mesos.ExecutorInfo{
			ExecutorId: &mesos.ExecutorID{Value: new("marathon-" + a.Task)}, Name: &p.name,
			Type: mesos.ExecutorInfo_CUSTOM.Enum(), FrameworkId: g.offer.GetFrameworkId(),
			Command: r.executorCommand(environment), Container: container, Resources: got.executor.Proto(),
		}
		return t
	}
	t.Command, t.Container = r.command(environment), container
	return t
}

// command is what the app executes. The arguments of an image are those of its
// entry point, or follow it; without one the first is the program.
func (r *Recipe) command(env *mesos.Environment) *mesos.CommandInfo {
	run := &r.app.Process
	c := &mesos.CommandInfo{Uris: r.parts.uris, Environment: env}
	if run.User != "" {
		c.User = &run.User
	}
	if run.Command != "" {
		c.Value = &run.Command
		return c
	}
	c.Shell, c.Arguments = new(false), run.Args
	if len(run.Args) > 0 && (r.app.Container == nil || r.app.Container.Image == nil) {
		c.Value = &run.Args[0]
	}
	return c
}

// executorCommand starts a custom executor, which may have been fetched, with the
// app's command as its arguments.
func (r *Recipe) executorCommand(env *mesos.Environment) *mesos.CommandInfo {
	run := &r.app.Process
	path := quote(r.executorPath())
	line := "chmod ug+rx " + path + " && exec " + path
	if rest := strings.TrimSpace(run.Command + " " + words(run.Args)); rest != "" {
		line += " " + rest
	}
	c := &mesos.CommandInfo{Value: &line, Uris: r.parts.uris, Environment: env}
	if run.User != "" {
		c.User = &run.User
	}
	return c
}

func words(args []string) string {
	quoted := make([]string, 0, len(args))
	for _, a := range args {
		quoted = append(quoted, quote(a))
	}
	return strings.Join(quoted, " ")
}

// discovery tells others of the task: its ports as they are reached, and on which
// network.
func (r *Recipe) discovery(hostPorts []int) *mesos.DiscoveryInfo {
	d := &mesos.DiscoveryInfo{Visibility: mesos.DiscoveryInfo_FRAMEWORK.Enum(), Name: &r.parts.name}
	list := &mesos.Ports{}
	numbers := listening(r.parts.ports, hostPorts)
	for i, p := range r.parts.ports {
		number, scope := numbers[i], "container"
		if hostPorts[i] != 0 {
			number, scope = hostPorts[i], "host"
		}
		marks := labels(p.labels)
		if marks == nil {
			marks = &mesos.Labels{}
		}
		marks.Labels = append(marks.Labels, &mesos.Label{Key: new("network-scope"), Value: &scope})
		if scope == "container" {
			for _, name := range p.networks {
				marks.Labels = append(marks.Labels, &mesos.Label{Key: new("network-name"), Value: &name})
			}
		}
		for _, protocol := range p.protocols {
			entry := &mesos.Port{Number: new(uint32(number)), Protocol: &protocol, Labels: marks}
			if p.name != "" {
				entry.Name = &p.name
			}
			list.Ports = append(list.Ports, entry)
		}
	}
	d.Ports = list
	return d
}
