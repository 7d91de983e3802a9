package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// spacious is an agent that can take every task of a work at once.
const spacious = "cpus:10000;mem:1000000;disk:1000000"

// swarm is a scheduler that launches many tasks on the first offer that
// comes, and tells of their updates.
type swarm struct {
	frameworks.Base
	prefix, command string
	count           int
	updates         chan update
	accepted        chan time.Time
	launched        bool
	driver          *frameworks.Driver // once it is launched
}

type update struct {
	task  string
	state mesos.TaskState
	at    time.Time
	text  string
}

func newSwarm(prefix, command string, count int) *swarm {
	return &swarm{
		prefix: prefix, command: command, count: count,
		updates: make(chan update, 4*count), accepted: make(chan time.Time, 1),
	}
}

// Offers launches everything on the first offer.
func (s *swarm) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	if s.launched {
		d.Decline(offers, time.Hour)
		return
	}
	s.launched, s.driver = true, d
	d.Decline(offers[1:], time.Hour)
	tasks := make([]*mesos.TaskInfo, s.count)
	for i := range tasks {
		tasks[i] = s.task(s.id(i))
	}
	s.accepted <- time.Now()
	d.Launch(offers[0], tasks...)
}

func (s *swarm) task(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: proto.String(id), TaskId: &mesos.TaskID{Value: proto.String(id)},
		Resources: resources.MustParse("cpus:0.01;mem:1").Proto(),
		Command:   &mesos.CommandInfo{Shell: proto.Bool(false), Value: proto.String(s.command), Arguments: []string{s.command, "100000"}},
	}
}

// Update passes on.
func (s *swarm) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	s.updates <- update{task: st.GetTaskId().GetValue(), state: st.GetState(), at: time.Now(), text: st.GetMessage()}
	return true
}

// await waits until every task has reached the state, and says when each did.
func (s *swarm) await(ctx context.Context, state mesos.TaskState) (map[string]time.Time, error) {
	reached := make(map[string]time.Time, s.count)
	for len(reached) < s.count {
		select {
		case u := <-s.updates:
			switch u.state {
			case state:
				reached[u.task] = u.at
			case mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_KILLING:
			default:
				return nil, fmt.Errorf("task %q: %v %s", u.task, u.state, u.text)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d tasks have reached %v: %w", len(reached), s.count, state, ctx.Err())
		}
	}
	return reached, nil
}

// workTimeout bounds one swarm.
const workTimeout = 5 * time.Minute

// lastly is the time from a moment until the last task has reached a state.
func (s *swarm) lastly(ctx context.Context, state string, since time.Time) (time.Duration, error) {
	reached, err := s.await(ctx, mesos.TaskState(mesos.TaskState_value[state]))
	last := since
	for _, at := range reached {
		if at.After(last) {
			last = at
		}
	}
	return last.Sub(since), err
}

// killAll ends every task at once.
func (s *swarm) killAll() {
	s.driver.Do(func() {
		for i := range s.count {
			s.driver.Kill(s.id(i), 0)
		}
	})
}

func (s *swarm) id(i int) string { return fmt.Sprintf("%s-%d", s.prefix, i) }

// with runs a swarm on a cluster while f measures it, and then removes it.
func (s *swarm) with(ctx context.Context, c *localCluster, f func(ctx context.Context, accepted time.Time) error) error {
	return s.on(ctx, c.Master, f)
}

// on is with by the master's address.
func (s *swarm) on(ctx context.Context, master string, f func(ctx context.Context, accepted time.Time) error) error {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() {
		err := frameworks.Run(running, frameworks.Options{Master: master, Name: "bench"}, s)
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		ended <- err
	}()
	var err error
	select {
	case accepted := <-s.accepted:
		err = f(ctx, accepted)
	case err = <-ended:
		ended <- nil
	case <-ctx.Done():
		err = fmt.Errorf("no offer came: %w", ctx.Err())
	}
	stop()
	return errors.Join(err, <-ended)
}

func measureTasks(ctx context.Context, l load) (figures []figure, err error) {
	c, err := startLocal(ctx, spacious)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	alone, err := timeToRunning(ctx, c, l.of(21))
	if err != nil {
		return nil, err
	}
	count := l.of(1000)
	before, err := allCPU(c)
	if err != nil {
		return nil, err
	}
	s := newSwarm("true", "true", count)
	err = s.with(ctx, c, func(ctx context.Context, accepted time.Time) error {
		reached, err := s.await(ctx, mesos.TaskState_TASK_FINISHED)
		if err != nil {
			return err
		}
		var last time.Time
		for _, at := range reached {
			if at.After(last) {
				last = at
			}
		}
		after, err := allCPU(c)
		figures = []figure{
			{"accept to TASK_FINISHED", float64(count) / last.Sub(accepted).Seconds(), "tasks/s", target{atLeast: 300}},
			{"CPU of all processes", float64(after-before) / float64(time.Millisecond) / float64(count), "ms/task", target{atMost: 5}},
			{"accept to TASK_RUNNING, idle, p50", alone, "ms", target{atMost: 10}},
		}
		return err
	})
	return figures, err
}

// allCPU is the CPU time of the cluster and of this process, the scheduler's.
func allCPU(c *localCluster) (time.Duration, error) {
	pids, err := c.processes()
	if err != nil {
		return 0, err
	}
	cluster, err := cpuOf(pids)
	if err != nil {
		return 0, err
	}
	own, err := ownCPU()
	return cluster + own, err
}

// timeToRunning is the median time, in ms, from accept to TASK_RUNNING of
// single tasks, one after the other.
func timeToRunning(ctx context.Context, c *localCluster, n int) (float64, error) {
	var times []time.Duration
	for i := range n {
		s := newSwarm(fmt.Sprintf("alone-%d", i), "sleep", 1)
		err := s.with(ctx, c, func(ctx context.Context, accepted time.Time) error {
			reached, err := s.await(ctx, mesos.TaskState_TASK_RUNNING)
			for _, at := range reached {
				times = append(times, at.Sub(accepted))
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(times)
	return float64(times[len(times)/2]) / float64(time.Millisecond), nil
}

func measureSleepers(ctx context.Context, l load) (figures []figure, err error) {
	c, err := startLocal(ctx, spacious)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	count := l.of(500)
	s := newSwarm("sleep", "sleep", count)
	err = s.with(ctx, c, func(ctx context.Context, _ time.Time) error {
		if _, err := s.await(ctx, mesos.TaskState_TASK_RUNNING); err != nil {
			return err
		}
		pids, err := c.processes()
		if err != nil {
			return err
		}
		memory, err := memoryOf(pids)
		if err != nil {
			return err
		}
		const megabyte = 1 << 20
		figures = []figure{
			{"memory beside the sleeps (PSS)", float64(memory) / megabyte / float64(count), "MB/task", target{atMost: 1}},
			{"processes beside the sleeps", float64(len(pids)), "processes", target{}},
		}
		return nil
	})
	return figures, err
}
