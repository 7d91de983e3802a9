package commands

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/tools/troupe/flags"
)

// runFlags describe the task of `troupe run`.
type runFlags struct {
	reader
	name, user, role, file string
	cpus, mem, disk        float64
	instances, retries     int
	env, uris              []string
	grace, failover        flags.Duration
	quiet                  bool
}

func runCommand(io Streams) *cobra.Command {
	r := &runFlags{reader: reader{out: io.Out}}
	c := &cobra.Command{
		Use: "run [FLAG…] -- CMD ARGS…", GroupID: groupUse, DisableFlagsInUseLine: true,
		Short: "Run a command as a task and pass on its output and exit status",
		Long: `Run a command as a task, or as several, until it has ended. What it writes is
passed on, and so is its exit status: that of the first that failed. Changes of
state are told on stderr. Ctrl-C kills the tasks; what kills this command does
so after --failover_timeout.

A task file is a JSON list of tasks: [{"name": "count", "command": "wc -l *",
"cpus": 0.5, "mem": 64, "env": {"LANG": "C"}, "instances": 3, "retries": 2,
"uris": ["https://example.org/words.tar.gz"]}].
Instead of "command", for the shell, there may be "args", a list.`,
		Example: `  troupe run -- echo hello
  troupe run --name=train --cpus=2 --mem=512 --env=EPOCHS=3 -- python3 train.py
  troupe run --file=tasks.json`,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), io, args) },
	}
	set := c.Flags()
	r.addFlags(c)
	set.StringVar(&r.name, "name", "", "name of the tasks and their framework; the command's by default")
	set.Float64Var(&r.cpus, "cpus", 0.1, "processors for each instance")
	set.Float64Var(&r.mem, "mem", 32, "memory for each instance, in MB")
	set.Float64Var(&r.disk, "disk", 0, "disk for each instance, in MB")
	set.IntVar(&r.instances, "instances", 1, "how many to run")
	set.IntVar(&r.retries, "retries", 0, "how many failures of an instance are followed by another attempt")
	set.StringArrayVar(&r.env, "env", nil, "NAME=value in the environment; may be repeated")
	set.StringArrayVar(&r.uris, "uri", nil, "what is fetched for it first: http(s)://… or /path, unpacked if it is an archive; may be repeated")
	set.StringVar(&r.user, "user", "", "user to run as, where agents switch users; the one who runs this by default")
	set.StringVar(&r.role, "role", "", `role that resources are taken from; "*" by default`)
	duration(set, &r.grace, "grace", 0, "from SIGTERM to SIGKILL when it is killed; 0 leaves that to the agent")
	duration(set, &r.failover, "failover_timeout", time.Minute, "for which the tasks run on without this command, or while it has no link to a leading master; 0 kills them at once")
	set.StringVar(&r.file, "file", "", "task file to run instead of a command")
	set.BoolVarP(&r.quiet, "quiet", "q", false, "do not tell about states")
	return c
}

func (r *runFlags) run(ctx context.Context, io Streams, args []string) (err error) {
	tasks, err := r.tasks(args)
	if err != nil {
		return err
	}
	console, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, console.Close()) }()
	secure, err := r.tls.client()
	if err != nil {
		return err
	}
	// A framework waits for ever for its master; a person wants to be told.
	if _, err := console.Agents(ctx); err != nil {
		return err
	}
	o := frameworks.Options{
		Master: r.master, Name: r.framework(tasks), User: r.user, Principal: r.as.principal, System: actors.Options{TLS: secure},
		FailoverTimeout: time.Duration(r.failover),
	}
	if r.role != "" {
		o.Roles = []string{r.role}
	}
	code, err := newRunner(io, console, tasks, r.quiet).run(ctx, o)
	switch {
	case err != nil:
		return err
	case code != 0:
		return exitStatus(code)
	}
	return nil
}

// framework is the framework's name.
func (r *runFlags) framework(tasks []*frameworks.Task) string {
	switch {
	case r.name != "":
		return r.name
	case r.file != "":
		return filepath.Base(r.file)
	}
	return tasks[0].Name
}

func (r *runFlags) tasks(args []string) ([]*frameworks.Task, error) {
	if r.failover < 0 {
		return nil, flagError("failover_timeout", r.failover.String(), "is negative")
	}
	if r.role != "" {
		if err := names.CheckRole("role", r.role); err != nil {
			return nil, flagError("role", r.role, err.Error())
		}
	}
	switch {
	case r.file != "" && len(args) > 0:
		return nil, usageError{errors.New("either --file or a command, not both")}
	case r.file != "":
		return readTaskFile(r.file, time.Duration(r.grace))
	case len(args) == 0:
		return nil, usageError{errors.New("CMD is missing: troupe run -- CMD ARGS…")}
	}
	env, err := environment(r.env)
	if err != nil {
		return nil, err
	}
	name := r.name
	if name == "" {
		name = programName(args[0])
	}
	spec := taskSpec{
		Name: name, Args: args, CPUs: &r.cpus, Mem: &r.mem, Disk: r.disk, Env: env,
		Instances: &r.instances, Retries: r.retries, User: r.user, URIs: r.uris,
	}
	tasks, err := spec.expand(time.Duration(r.grace))
	if err != nil {
		return nil, usageError{fmt.Errorf("--%w", err)}
	}
	return tasks, nil
}

// programName names a task after its program.
func programName(path string) string {
	name := filepath.Base(path)
	if names.CheckID("", name) != nil {
		return "task"
	}
	return name
}

func environment(list []string) (map[string]string, error) {
	env := map[string]string{}
	for _, entry := range list {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, flagError("env", entry, "is not of the form NAME=value")
		}
		env[name] = value
	}
	return env, nil
}

// taskSpec is a task of a task file.
type taskSpec struct {
	Name      string            `json:"name"`
	Command   string            `json:"command"`
	Args      []string          `json:"args"`
	CPUs      *float64          `json:"cpus"`
	Mem       *float64          `json:"mem"`
	Disk      float64           `json:"disk"`
	Env       map[string]string `json:"env"`
	Instances *int              `json:"instances"`
	Retries   int               `json:"retries"`
	User      string            `json:"user"`
	URIs      []string          `json:"uris"`
}

// The errors of expand begin with the name of the setting.
func (s taskSpec) expand(grace time.Duration) ([]*frameworks.Task, error) {
	cpus, mem, instances := 0.1, 32.0, 1
	for _, set := range []struct{ given, target *float64 }{{s.CPUs, &cpus}, {s.Mem, &mem}} {
		if set.given != nil {
			*set.target = *set.given
		}
	}
	if s.Instances != nil {
		instances = *s.Instances
	}
	if err := s.check(cpus, mem, instances); err != nil {
		return nil, err
	}
	needs := fmt.Sprintf("cpus:%s;mem:%s", amount(cpus), amount(mem))
	if s.Disk > 0 {
		needs += ";disk:" + amount(s.Disk)
	}
	tasks := make([]*frameworks.Task, instances)
	for i := range tasks {
		id := s.Name
		if instances > 1 {
			id += "-" + strconv.Itoa(i+1)
		}
		tasks[i] = &frameworks.Task{
			ID: id, Name: s.Name, Command: s.Command, Args: s.Args, Env: s.Env, User: s.User, Resources: needs,
			Retries: s.Retries, Backoff: time.Second, BackoffMax: time.Minute, Grace: grace, Edit: s.fetch,
		}
	}
	return tasks, nil
}

// fetch adds what is fetched to what is launched.
func (s taskSpec) fetch(info *mesos.TaskInfo) {
	for _, uri := range s.URIs {
		info.Command.Uris = append(info.Command.Uris, &mesos.CommandInfo_URI{Value: &uri, Cache: new(true)})
	}
}

// maxInstances keeps a slip of the finger from filling a cluster's memory.
const maxInstances = 100_000

func (s taskSpec) check(cpus, mem float64, instances int) error {
	if err := names.CheckID("name", s.Name); err != nil {
		return err
	}
	for _, a := range []struct {
		name  string
		value float64
	}{{"cpus", cpus}, {"mem", mem}, {"disk", s.Disk}} {
		if !(a.value >= 0) || math.IsInf(a.value, 1) {
			return fmt.Errorf("%s=%v is no amount", a.name, a.value)
		}
	}
	switch {
	case instances < 1 || instances > maxInstances:
		return fmt.Errorf("instances=%d is not between 1 and %d", instances, maxInstances)
	case s.Retries < 0:
		return fmt.Errorf("retries=%d is negative", s.Retries)
	case (s.Command == "") == (len(s.Args) == 0):
		return fmt.Errorf("command=%q args=%q: exactly one of them is needed", s.Command, s.Args)
	}
	return nil
}

func amount(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
