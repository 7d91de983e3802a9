package launch

import (
	"slices"
	"strconv"
	"strings"

	"troupe/frameworks/cron/plan"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Info is a run as it is launched on an offer, with what it takes of it.
func Info(run plan.Run, job *plan.Job, o *mesos.Offer, taken resources.Resources) *mesos.TaskInfo {
	id := run.Task()
	info := &mesos.TaskInfo{
		Name: new("ChronosTask:" + job.Name), TaskId: &mesos.TaskID{Value: &id}, AgentId: o.GetAgentId(),
		Resources: taken.Proto(), Labels: labels(job.About.Tags),
	}
	environment := variables(run, job, o.GetHostname())
	if job.Command.Executor != "" {
		info.Executor = executor(run, job, o, environment)
		info.Data = payload(run, job)
		return info
	}
	info.Command = command(run, job, environment)
	info.Container = container(job.Container)
	if job.Command.TaskInfoData != "" {
		info.Data = []byte(job.Command.TaskInfoData)
	}
	return info
}

// labels are a job's tags, in order.
func labels(tags map[string]string) *mesos.Labels {
	if len(tags) == 0 {
		return nil
	}
	l := &mesos.Labels{}
	for key, value := range tags {
		l.Labels = append(l.Labels, &mesos.Label{Key: new(key), Value: new(value)})
	}
	slices.SortFunc(l.Labels, func(a, b *mesos.Label) int { return strings.Compare(a.GetKey(), b.GetKey()) })
	return l
}

// variables are the job's, and those that tell of the run, which win.
func variables(run plan.Run, job *plan.Job, host string) *mesos.Environment {
	generated := []plan.Pair{
		{Name: "CHRONOS_JOB_NAME", Value: job.Name},
		{Name: "CHRONOS_JOB_OWNER", Value: job.About.Owner},
		{Name: "CHRONOS_JOB_RUN_ATTEMPT", Value: strconv.Itoa(run.Attempt)},
		{Name: "CHRONOS_JOB_RUN_TIME", Value: strconv.FormatInt(run.Due.UnixMilli(), 10)},
		{Name: "CHRONOS_RESOURCE_CPU", Value: amount(job.CPUs)},
		{Name: "CHRONOS_RESOURCE_DISK", Value: amount(job.Disk)},
		{Name: "CHRONOS_RESOURCE_MEM", Value: amount(job.Mem)},
		{Name: "HOST", Value: host},
		{Name: "MESOS_TASK_ID", Value: run.Task()},
		{Name: "mesos_task_id", Value: run.Task()},
	}
	e := &mesos.Environment{}
	for _, v := range job.Environment {
		if !slices.ContainsFunc(generated, func(g plan.Pair) bool { return g.Name == v.Name }) {
			e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: new(v.Name), Value: new(v.Value)})
		}
	}
	for _, v := range generated {
		e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: &v.Name, Value: &v.Value})
	}
	return e
}

// command is what a run executes. One that begins with the URI of a program is
// fetched first, as by Chronos.
func command(run plan.Run, job *plan.Job, environment *mesos.Environment) *mesos.CommandInfo {
	from := job.Command
	c := &mesos.CommandInfo{Environment: environment, Uris: fetches(job.Fetch)}
	if from.User != "" {
		c.User = &from.User
	}
	if from.Exec {
		argv := slices.Concat(from.Arguments, strings.Fields(run.Arguments))
		if len(from.Arguments) == 0 {
			argv = append([]string{from.Text}, argv...)
		}
		program := from.Text
		if program == "" {
			program = argv[0]
		}
		c.Shell, c.Value, c.Arguments = new(false), &program, argv
		return c
	}
	text := shellText(run, job)
	if uri, rest, _ := strings.Cut(text, " "); isURI(uri) {
		c.Uris = append(c.Uris, &mesos.CommandInfo_URI{Value: &uri, Executable: new(true), Extract: new(false)})
		text = strings.TrimSuffix("./"+uri[strings.LastIndexByte(uri, '/')+1:]+" "+rest, " ")
	}
	c.Value = &text
	return c
}

// shellText is the command with the arguments of a manual run behind it.
func shellText(run plan.Run, job *plan.Job) string {
	if run.Arguments == "" {
		return job.Command.Text
	}
	return job.Command.Text + " " + run.Arguments
}

func isURI(text string) bool {
	return slices.ContainsFunc([]string{"http://", "https://", "ftp://"}, func(scheme string) bool { return strings.HasPrefix(text, scheme) })
}

func fetches(list []plan.Fetch) []*mesos.CommandInfo_URI {
	var all []*mesos.CommandInfo_URI
	for _, f := range list {
		uri := &mesos.CommandInfo_URI{Value: new(f.URI), Executable: new(f.Executable), Extract: new(f.Extract), Cache: new(f.Cache)}
		if f.OutputFile != "" {
			uri.OutputFile = new(f.OutputFile)
		}
		all = append(all, uri)
	}
	return all
}

// executor is one for this task alone: its command with the flags behind it.
func executor(run plan.Run, job *plan.Job, o *mesos.Offer, environment *mesos.Environment) *mesos.ExecutorInfo {
	text := strings.TrimSuffix(job.Command.Executor+" "+job.Command.ExecutorFlags, " ")
	c := &mesos.CommandInfo{Value: &text, Environment: environment, Uris: fetches(job.Fetch)}
	if job.Command.User != "" {
		c.User = new(job.Command.User)
	}
	return &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: new(run.Task())}, FrameworkId: o.GetFrameworkId(),
		Name: new(job.Name), Source: new(job.Name), Command: c, Container: container(job.Container),
	}
}

// payload is what an executor gets with the task: the job's data, or what it is
// to run.
func payload(run plan.Run, job *plan.Job) []byte {
	if job.Command.TaskInfoData != "" {
		return []byte(job.Command.TaskInfoData)
	}
	return []byte(shellText(run, job))
}
