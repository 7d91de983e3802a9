package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"

	"troupe/actors"
	"troupe/allocator"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/master/store"
)

// What million measures: one master in this process; agents that say at once
// that their tasks run, and one framework, as actors of another.
const (
	millionTasks  = 1_000_000
	millionAgents = 5_000
)

// million is the work of that name.
func million(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	s, leave, err := startMaster(ctx)
	if err != nil {
		return nil, err
	}
	tasks, agents := l.of(millionTasks), l.of(millionAgents)
	c, err := startChild(ctx, "crowd", s.Address(), strconv.Itoa(agents), strconv.Itoa(tasks), byActors)
	if err != nil {
		return nil, errors.Join(err, leave())
	}
	// The master leaves first: it would mourn a million tasks otherwise.
	defer func() { err = errors.Join(err, leave(), c.end()) }()
	before, err := ownCPU()
	if err != nil {
		return nil, err
	}
	took, err := crowdTime(c)
	if err != nil {
		return nil, err
	}
	after, err := ownCPU()
	if err != nil {
		return nil, err
	}
	memory, err := memoryOf([]int{os.Getpid()})
	if err != nil {
		return nil, err
	}
	return []figure{
		{"scheduled to running", took, "s", target{atMost: 60}},
		{"tasks per second", float64(tasks) / took, "tasks/s", target{}},
		{"the master's CPU", float64(after-before) / float64(time.Microsecond) / float64(tasks), "µs/task", target{}},
		{"the master's memory (PSS)", float64(memory) / (1 << 30), "GiB", target{}},
	}, nil
}

// crowdTime lets a crowd begin, and is how many seconds it took.
func crowdTime(c *child) (float64, error) {
	if _, err := io.WriteString(c.in, "go\n"); err != nil {
		return 0, err
	}
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the crowd ended: %w", err)
	}
	var took float64
	if _, err := fmt.Sscanf(line, "%g", &took); err != nil {
		return 0, fmt.Errorf("the crowd said %q: %w", line, err)
	}
	return took, nil
}

// multitudeAgents is as many agents as the largest cluster has.
const multitudeAgents = 50_000

// multitude is the work of that name: its framework holds every offer.
func multitude(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	s, leave, err := startMaster(ctx)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	agents := l.of(multitudeAgents)
	c, err := startChild(ctx, "crowd", s.Address(), strconv.Itoa(agents), "0", byActors)
	if err != nil {
		return nil, errors.Join(err, leave())
	}
	defer func() { err = errors.Join(err, leave(), c.end()) }()
	registered := time.Since(begun)
	if _, err := io.WriteString(c.in, "go\n"); err != nil {
		return nil, err
	}
	if _, err := c.lines.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("the crowd ended: %w", err)
	}
	readMemory() // collects garbage
	memory, err := memoryOf([]int{os.Getpid()})
	if err != nil {
		return nil, err
	}
	return []figure{
		{"the master's memory (PSS)", float64(memory) / (1 << 30), "GiB", target{atMost: 2}},
		{"until all were registered", registered.Seconds(), "s", target{}},
	}, nil
}

// startMaster starts a whole master, with a registry in memory.
func startMaster(ctx context.Context) (*actors.System, func() error, error) {
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, nil, err
	}
	v := api.NewView(view.Limits{})
	leave := func() error {
		err := end(s)
		v.Close()
		return err
	}
	if _, err := s.Spawn(allocator.Name, allocator.New(allocator.Options{})); err != nil {
		return nil, nil, errors.Join(err, leave())
	}
	id := uuid.NewString()
	_, err = master.Start(ctx, s, master.Options{Store: store.NewMemory(id), Publisher: v, Config: state.Config{MasterID: id}})
	if err != nil {
		return nil, nil, errors.Join(err, leave())
	}
	return s, leave, nil
}

// crowdRole is the process of agents and framework: it is ready when all
// agents are registered, and begins when it is told to.
func crowdRole(args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 4 {
		return fmt.Errorf("crowd takes master, agents, tasks and carrier, not %q", args)
	}
	var agents, tasks int
	if err := numbers(args[1:], &agents, &tasks); err != nil {
		return err
	}
	s, err := actors.New(actors.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	to := actors.PID{Name: master.Name, Address: args[0]}
	if err := spawnAgents(s, to, agents); err != nil {
		return err
	}
	input, err := start(in, out)
	if err != nil {
		return err
	}
	begun := time.Now()
	h := &hungry{want: tasks, agents: agents, done: make(chan error, 1)}
	switch args[3] {
	case byActors:
		_, err = s.Spawn("scheduler", h.native(to))
	case togetherProtobuf, togetherJSON:
		h.together(args[0], args[3])
	default:
		err = h.overHTTP(args[0], args[3])
	}
	if err == nil {
		err = <-h.done
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, time.Since(begun).Seconds())
	return untilEOF(input)
}
