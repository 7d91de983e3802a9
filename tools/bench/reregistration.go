package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state/view"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// delay is one row of Mesos's AgentReregistrationDelay, and what Mesos 1.12
// takes for it on a machine with two cores.
type delay struct {
	agents, frameworks, tasks int     // frameworks per agent, tasks per framework
	seconds, cpu, gigabytes   float64 // Mesos's
}

// delays are those rows that have no history: nobody here tells a new master
// of completed tasks.
func delays() []delay {
	return []delay{
		{agents: 20_000, frameworks: 1, tasks: 5, seconds: 6.04, cpu: 19, gigabytes: 1.2},
		{agents: 2_000, frameworks: 5, tasks: 20, seconds: 2.48, cpu: 14, gigabytes: 1.39},
	}
}

// reregistration is the work of that name: agents that nobody knew, as actors
// of the master's process, send all at once what they run. CPU and memory are
// of that whole process, agents and all, from its start; the registry is a
// file. The target is half of what Mesos takes.
func reregistration(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	for _, d := range delays() {
		agents := l.of(d.agents)
		took, cpu, peak, err := reregister(ctx, agents, d.frameworks, d.tasks)
		if err != nil {
			return figures, err
		}
		of := fmt.Sprintf("%d×%d tasks: ", agents, d.frameworks*d.tasks)
		figures = append(
			figures,
			figure{of + "all registered again", took, "s", target{atMost: d.seconds / 2}},
			figure{of + "CPU", cpu.Seconds(), "s", target{atMost: d.cpu / 2}},
			figure{of + "peak memory", float64(peak) / 1e9, "GB", target{atMost: d.gigabytes / 2}},
		)
	}
	return figures, nil
}

func reregister(ctx context.Context, agents, frameworks, tasks int) (took float64, cpu time.Duration, peak int64, err error) {
	dir, path, err := registryOf(ctx, 0)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err != nil {
		return 0, 0, 0, err
	}
	c, err := startChild(ctx, "reregister", path, strconv.Itoa(agents), strconv.Itoa(frameworks), strconv.Itoa(tasks))
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	if _, err := io.WriteString(c.in, "go\n"); err != nil {
		return 0, 0, 0, err
	}
	if took, err = c.number(); err != nil {
		return 0, 0, 0, err
	}
	if cpu, err = cpuOf([]int{c.cmd.Process.Pid}); err != nil {
		return 0, 0, 0, err
	}
	peak, err = peakOf(c.cmd.Process.Pid)
	return took, cpu, peak, err
}

// sender is an agent that does nothing but register again.
type sender struct {
	message *cluster.ReregisterAgent
	done    *sync.WaitGroup
}

// Init has the answers; start sends.
func (s *sender) Init(c *actors.Context) {
	actors.Handle(c, func(*actors.Context, *cluster.AgentReregistered) { s.done.Done() })
	actors.Handle(c, func(c *actors.Context, _ *cluster.Ping) {
		c.Reply(&cluster.Pong{AgentId: s.message.GetAgent().GetId()})
	})
	c.HandleAny(func(*actors.Context, proto.Message) {})
}

// newSender makes an agent as Mesos's benchmark does: tasks without statuses,
// with ten labels each.
func newSender(number, frameworks, tasks int, done *sync.WaitGroup) *sender {
	info := &mesos.AgentInfo{
		Id: agentID(number), Hostname: proto.String("hostname"), Port: proto.Int32(5051),
		Resources: resources.MustParse("cpus:20;mem:10240").Proto(),
	}
	m := &cluster.ReregisterAgent{Agent: info, Version: proto.String("1.12.0")}
	for f := range frameworks {
		framework := frameworkInfo(f)
		m.Frameworks = append(m.Frameworks, framework)
		for t := range tasks {
			m.Tasks = append(m.Tasks, runningTask(info.Id, framework.Id, fmt.Sprintf("%d-%d-%d", number, f, t)))
		}
	}
	return &sender{message: m, done: done}
}

// labelTexts are the keys and values of ten labels; a text is made once, a
// message for each task.
var labelTexts = func() (texts [10][2]string) {
	for i := range texts {
		texts[i] = [2]string{fmt.Sprint("key", i), fmt.Sprint("value", i)}
	}
	return texts
}()

func runningTask(agent *mesos.AgentID, framework *mesos.FrameworkID, id string) *mesos.Task {
	labels := &mesos.Labels{Labels: make([]*mesos.Label, 0, len(labelTexts))}
	for i := range labelTexts {
		labels.Labels = append(labels.Labels, &mesos.Label{Key: &labelTexts[i][0], Value: &labelTexts[i][1]})
	}
	return &mesos.Task{
		Name: proto.String("task"), TaskId: &mesos.TaskID{Value: &id}, FrameworkId: framework, AgentId: agent,
		State: mesos.TaskState_TASK_RUNNING.Enum(), Labels: labels,
		Resources: runningTaskHas,
	}
}

// reregisterRole is the process of a master and its agents, which register
// when its input says so. Arguments: the file of the registry, the agents, the
// frameworks on each, and the tasks of each of those. It prints how many
// seconds that took.
func reregisterRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("reregister takes a file, agents, frameworks and tasks, not %q", args)
	}
	var agents, frameworks, tasks int
	if err := numbers(args[1:], &agents, &frameworks, &tasks); err != nil {
		return err
	}
	file, err := store.Open(args[0], "bench")
	if err != nil {
		return err
	}
	s, err := lead(context.Background(), file, api.NewView(view.Limits{}))
	if err != nil {
		return err
	}
	register, err := spawnSenders(s, agents, frameworks, tasks)
	if err != nil {
		return err
	}
	input, err := start(in, out)
	if err != nil {
		return err
	}
	begun := time.Now()
	register()
	fmt.Fprintln(out, time.Since(begun).Seconds())
	return untilEOF(input)
}

// spawnSenders makes agents in the master's process. What it returns has them
// register, and waits until all are.
func spawnSenders(s *actors.System, agents, frameworks, tasks int) (register func(), err error) {
	done := new(sync.WaitGroup)
	done.Add(agents)
	var starts []func()
	for i := range agents {
		a := newSender(i, frameworks, tasks, done)
		pid, err := s.Spawn(fmt.Sprintf("agent%d", i), a)
		if err != nil {
			return nil, err
		}
		starts = append(starts, func() {
			s.Do(pid, func(c *actors.Context) { c.Send(s.PID(master.Name), a.message) })
		})
	}
	return func() {
		for _, start := range starts {
			start()
		}
		done.Wait()
	}, nil
}
