package work

import (
	"fmt"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/ports"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Forever is a number of Retries that never runs out.
const Forever = -1

// Defaults of what a Task leaves open.
const (
	DefaultResources  = "cpus:0.1;mem:32"
	DefaultBackoff    = time.Second
	DefaultBackoffMax = time.Minute
)

// Task says what is to be run, once, until it has finished.
type Task struct {
	// ID names the task, among all of its framework's. The first attempt has it
	// as its task id, attempt n has ID.n.
	ID string
	// Name is for people; empty means ID.
	Name string
	// Command is given to /bin/sh. With Args instead, the first of them is run
	// with the rest as its arguments, without a shell.
	Command string
	Args    []string
	// Env is added to the environment of the command.
	Env map[string]string
	// User runs the command; empty leaves that to the framework's.
	User string
	// Resources is what the task needs: "cpus:1;mem:64;disk:10".
	Resources string
	// Ports is how many ports it needs on top. It finds their numbers in PORT0,
	// PORT1 and so on; PORT is the first.
	Ports int
	// Constraints say where the task may run, as frameworks/match reads them:
	// {"hostname", "UNIQUE"}, {"rack", "GROUP_BY"}, {"@zone", "LIKE", "eu-.*"}.
	// They count the live attempts of all tasks of the same Group; "" is the
	// group of the tasks that have constraints and name none. GROUP_BY spreads
	// over the values of all agents that were ever offered and are not gone.
	Constraints [][]string
	Group       string
	// Executor runs the task instead of the command executor. An empty
	// executor_id gives every attempt an executor of its own. The command of the
	// executor must be set; Command, Args, Env and User are not used then.
	Executor *mesos.ExecutorInfo
	// Data goes to the executor with the task.
	Data []byte
	// Retries is how many failures are followed by another attempt. What ended
	// before an agent took it counts for nothing.
	Retries int
	// Again, if not nil, must hold for a failure to be followed by another
	// attempt, as Lost does for those that are none of the task's. It must depend
	// on nothing but the status.
	Again func(*mesos.TaskStatus) bool
	// Backoff is the wait before the second attempt; it doubles with each, up to
	// BackoffMax.
	Backoff, BackoffMax time.Duration
	// Grace passes between SIGTERM and SIGKILL when the task is killed; 0 leaves
	// that to the executor.
	Grace time.Duration
	// MaxTime bounds how long an attempt may run; 0 does not.
	MaxTime time.Duration
	// Accepts, if not nil, must hold for an offer to be used. It must depend on
	// nothing but the offer.
	Accepts func(*mesos.Offer) bool
	// Edit, if not nil, has the last word on what is launched.
	Edit func(*mesos.TaskInfo)
}

// Check fills in defaults and says what is wrong, and what the task needs of
// an offer. An error names the field, or the fields.
func (t *Task) Check() (want resources.Resources, rules match.Constraints, err error) {
	if err := names.CheckID("id", t.ID); err != nil {
		return want, nil, err
	}
	if err := t.checkProgram(); err != nil {
		return want, nil, err
	}
	switch {
	case t.Ports < 0:
		return want, nil, field.Invalid("ports", t.Ports, "is negative")
	case t.Ports > ports.Most:
		return want, nil, field.Invalid("ports", t.Ports, "is more than a host has, %d", ports.Most)
	}
	if t.Resources == "" {
		t.Resources = DefaultResources
	}
	if t.Name == "" {
		t.Name = t.ID
	}
	if t.Backoff <= 0 {
		t.Backoff = DefaultBackoff
	}
	if t.BackoffMax <= 0 {
		t.BackoffMax = max(DefaultBackoffMax, t.Backoff)
	}
	if rules, err = match.Parse(t.Constraints); err != nil {
		return want, nil, field.In("constraints", err)
	}
	if want, err = resources.Parse(t.Resources, names.AnyRole); err != nil {
		return want, nil, field.Invalid("resources", t.Resources, "%s", err)
	}
	return want, rules, nil
}

func (t *Task) checkProgram() error {
	programs := 0
	for _, given := range []bool{t.Command != "", len(t.Args) > 0, t.Executor != nil} {
		if given {
			programs++
		}
	}
	switch {
	case programs != 1:
		return fmt.Errorf("one of command, args and executor must be set, not %d", programs)
	case t.Executor != nil && t.Executor.GetCommand() == nil:
		return field.Missing("executor.command")
	}
	return nil
}

// Info is the task as it is launched in one attempt: taken is what it gets of
// an offer, numbers are its ports. Executor and Edit are the caller's.
func (t *Task) Info(id string, offer *mesos.Offer, taken resources.Resources, numbers []uint64) *mesos.TaskInfo {
	info := &mesos.TaskInfo{
		Name: &t.Name, TaskId: &mesos.TaskID{Value: &id}, AgentId: offer.GetAgentId(),
		Resources: taken.Proto(), Data: t.Data,
	}
	if t.Executor == nil {
		info.Command = t.command(numbers)
	}
	if t.Grace > 0 {
		info.KillPolicy = &mesos.KillPolicy{GracePeriod: duration(t.Grace)}
	}
	if t.MaxTime > 0 {
		info.MaxCompletionTime = duration(t.MaxTime)
	}
	return info
}

func duration(d time.Duration) *mesos.DurationInfo {
	return &mesos.DurationInfo{Nanoseconds: new(int64(d))}
}

func (t *Task) command(numbers []uint64) *mesos.CommandInfo {
	c := &mesos.CommandInfo{Environment: t.environment(numbers)}
	if len(t.Args) > 0 {
		c.Shell, c.Value, c.Arguments = new(false), &t.Args[0], t.Args
	} else {
		c.Value = &t.Command
	}
	if t.User != "" {
		c.User = &t.User
	}
	return c
}
