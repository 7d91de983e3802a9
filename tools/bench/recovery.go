package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"troupe/messages/mesos"
)

const (
	// recoveryTasks run when their agent is killed.
	recoveryTasks = 500
	// recoveries are how often that is done; the best counts.
	recoveries = 3
)

// recovery is the work of that name: real tasks of a real agent, which is
// killed and started again.
func recovery(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	dir, program, err := buildTroupe(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	master, err := newDaemon(program, "master", "--registry=in_memory")
	if err != nil {
		return nil, err
	}
	agent, err := newDaemon(program, "agent", "--master="+master.address(), "--work_dir="+filepath.Join(dir, "agent"),
		"--resources="+spacious, "--recovery_timeout=1mins")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, agent.end(syscall.SIGUSR1), master.kill()) }()
	if err := errors.Join(master.start(), agent.start()); err != nil {
		return nil, err
	}
	if err := agent.await(ctx, "the agent registers", func(m map[string]float64) bool { return m["slave/registered"] == 1 }); err != nil {
		return nil, err
	}
	count := l.of(recoveryTasks)
	s := newSwarm("sleep", "sleep", count)
	err = s.with(ctx, &localCluster{Master: master.address()}, func(ctx context.Context, _ time.Time) error {
		if _, err := s.await(ctx, mesos.TaskState_TASK_RUNNING); err != nil {
			return err
		}
		figures, err = recoverAgent(ctx, agent, count)
		return err
	})
	return figures, err
}

// recoverAgent kills an agent and starts it again, some times.
func recoverAgent(ctx context.Context, agent *daemon, count int) ([]figure, error) {
	var reconnected, registered time.Duration
	for range recoveries {
		if err := agent.kill(); err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := agent.start(); err != nil {
			return nil, err
		}
		err := agent.await(ctx, "all executors reconnect", func(m map[string]float64) bool {
			return m["slave/executors_running"] == float64(count) && m["slave/tasks_running"] == float64(count)
		})
		if err != nil {
			return nil, err
		}
		reconnected = least(reconnected, time.Since(begun))
		if err := agent.await(ctx, "the agent registers again", func(m map[string]float64) bool { return m["slave/registered"] == 1 }); err != nil {
			return nil, err
		}
		registered = least(registered, time.Since(begun))
	}
	return []figure{
		{fmt.Sprintf("start to %d tasks reconnected", count), reconnected.Seconds(), "s", target{atMost: 2}},
		{"start to registered again", registered.Seconds(), "s", target{}},
	}, nil
}

// least is the shorter; 0 is none.
func least(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}
