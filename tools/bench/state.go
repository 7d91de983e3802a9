package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// What state measures: the largest state that Mesos published figures for; the
// one that its GetState work reads, with what Mesos 1.12 needs on a machine with
// two cores; and one that many poll.
const (
	largeAgents, largeReads = 20_000, 5
	mesosAgents, mesosReads = 10_000, 5
	pollAgents, pollReads   = 100, 10
	pollers                 = 20
	// Of each agent.
	stateFrameworks, stateTasks, pollTasks = 5, 2, 20
)

// stateForms are the reads of GetState, and what Mesos 1.12 takes for them.
var stateForms = []struct {
	what, path, call, accept string
	seconds                  float64
}{
	{"v0 /state", "/state", "", "", 1.61},
	{"v1 JSON", "/api/v1", "GET_STATE", "application/json", 2.17},
	{"v1 protobuf", "/api/v1", "GET_STATE", "application/x-protobuf", 0.78},
}

// readState is the work state.
func readState(ctx context.Context, l load) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	var figures []figure
	for _, part := range []func(context.Context, load) ([]figure, error){readLarge, readAsMesos, poll} {
		more, err := part(ctx, l)
		figures = append(figures, more...)
		if err != nil {
			return figures, err
		}
	}
	return figures, nil
}

// shown is a process that shows a state.
type shown struct {
	*child
	remove func() error
}

func startShowing(ctx context.Context, agents, frameworks, tasks int) (*shown, error) {
	dir, path, err := registryOf(ctx, 0)
	remove := func() error { return os.RemoveAll(dir) }
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	c, err := startChild(ctx, "showing", path, strconv.Itoa(agents), strconv.Itoa(frameworks), strconv.Itoa(tasks))
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	return &shown{c, remove}, nil
}

func (s *shown) end() error { return errors.Join(s.child.end(), s.remove()) }

// read reads one answer, and says how long that took and how long it is.
func (s *shown) read(ctx context.Context, path, call, accept string) (time.Duration, int64, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if call != "" {
		method, body = http.MethodPost, bytes.NewBufferString(`{"type":"`+call+`"}`)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.ready+path, body)
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "identity")
	begun := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	n, err := io.Copy(io.Discard, answer.Body)
	took := time.Since(begun)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return 0, 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%s %s: %s", path, call, answer.Status)
	}
	return took, n, nil
}

// best reads several times and gives the least time and CPU of the process.
func (s *shown) best(ctx context.Context, n int, path, call, accept string) (least, cpu time.Duration, size int64, err error) {
	for range n {
		before, err := cpuOf([]int{s.cmd.Process.Pid})
		if err != nil {
			return 0, 0, 0, err
		}
		took, bytes, err := s.read(ctx, path, call, accept)
		if err != nil {
			return 0, 0, 0, err
		}
		after, err := cpuOf([]int{s.cmd.Process.Pid})
		if err != nil {
			return 0, 0, 0, err
		}
		if least == 0 || took < least {
			least = took
		}
		if used := after - before; cpu == 0 || used < cpu {
			cpu = used
		}
		size = bytes
	}
	return least, cpu, size, nil
}

// readLarge reads /state of the largest state, and asks the master meanwhile.
func readLarge(ctx context.Context, l load) (figures []figure, err error) {
	s, err := startShowing(ctx, l.of(largeAgents), stateFrameworks, stateTasks)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	idle, err := s.meanwhile(ctx, func(ctx context.Context) error { return pass(ctx, 2*time.Second/time.Duration(l.scale)) })
	if err != nil {
		return nil, err
	}
	var took, cpu time.Duration
	var size int64
	busy, err := s.meanwhile(ctx, func(ctx context.Context) (err error) {
		took, cpu, size, err = s.best(ctx, largeReads, "/state", "", "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return []figure{
		{"20,000 agents: /state", took.Seconds(), "s", target{}},
		{"20,000 agents: CPU of one", cpu.Seconds(), "s", target{}},
		{"20,000 agents: size", float64(size) / 1e6, "MB", target{}},
		{"20,000 agents: ask, idle, p99", micro(idle.asks, 99) / 1e3, "ms", target{}},
		{"20,000 agents: ask meanwhile, p50", micro(busy.asks, 50) / 1e3, "ms", target{}},
		{"20,000 agents: ask meanwhile, p99", micro(busy.asks, 99) / 1e3, "ms", target{atMost: 10}},
	}, nil
}

// readAsMesos reads what Mesos's GetState work does.
func readAsMesos(ctx context.Context, l load) (figures []figure, err error) {
	s, err := startShowing(ctx, l.of(mesosAgents), stateFrameworks, stateTasks)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	var all latencies
	for _, f := range stateForms {
		var took, cpu time.Duration
		waits, err := s.meanwhile(ctx, func(ctx context.Context) (err error) {
			took, cpu, _, err = s.best(ctx, mesosReads, f.path, f.call, f.accept)
			return err
		})
		if err != nil {
			return figures, err
		}
		all.health = append(all.health, waits.health...)
		figures = append(figures,
			figure{"10,000 agents: " + f.what, took.Seconds(), "s", target{atMost: f.seconds / 3}},
			figure{"10,000 agents: " + f.what + ", CPU", cpu.Seconds(), "s", target{}})
	}
	slices.Sort(all.health)
	peak, err := peakOf(s.cmd.Process.Pid)
	if err != nil {
		return figures, err
	}
	return append(figures,
		figure{"10,000 agents: peak memory", float64(peak) / 1e9, "GB", target{atMost: 3.4 / 3}},
		figure{"10,000 agents: /health meanwhile, p50", micro(all.health, 50) / 1e3, "ms", target{atMost: 189. / 3}},
		figure{"10,000 agents: /health meanwhile, p99", micro(all.health, 99) / 1e3, "ms", target{}}), nil
}

// poll has several clients read /state over and over.
func poll(ctx context.Context, l load) (figures []figure, err error) {
	s, err := startShowing(ctx, l.of(pollAgents), stateFrameworks, pollTasks)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	var mu sync.Mutex
	var (
		sum time.Duration
		all []error
	)
	var done sync.WaitGroup
	for range pollers {
		done.Go(func() {
			for range pollReads {
				took, _, err := s.read(ctx, "/state", "", "")
				mu.Lock()
				sum += took
				all = append(all, err)
				mu.Unlock()
			}
		})
	}
	done.Wait()
	mean := sum / pollers / pollReads
	return []figure{{"100 agents, 20 clients: /state, mean", mean.Seconds(), "s", target{atMost: 0.3}}}, errors.Join(all...)
}

// latencies are of what is asked while something else goes on, sorted.
type latencies struct{ asks, health []time.Duration }

// askEvery is between two questions.
const askEvery = 2 * time.Millisecond

// meanwhile asks the master's actor, and /health, again and again while f runs,
// and once before.
func (s *shown) meanwhile(ctx context.Context, f func(context.Context) error) (latencies, error) {
	sys, err := actors.New(actors.Options{})
	if err != nil {
		return latencies{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var l latencies
	if err := errors.Join(s.ask(ctx, sys), s.health(ctx)); err != nil {
		return l, errors.Join(err, end(sys))
	}
	var asking, health error
	var done sync.WaitGroup
	done.Go(func() { l.asks, asking = repeat(ctx, func() error { return s.ask(ctx, sys) }) })
	done.Go(func() { l.health, health = repeat(ctx, func() error { return s.health(ctx) }) })
	err = f(ctx)
	stop()
	done.Wait()
	return l, errors.Join(err, asking, health, end(sys))
}

func (s *shown) health(ctx context.Context) error {
	_, _, err := s.read(ctx, "/health", "", "")
	return err
}

// ask asks the master for something that it refuses at once.
func (s *shown) ask(ctx context.Context, sys *actors.System) error {
	_, err := sys.Ask(ctx, actors.PID{Name: master.Name, Address: s.ready}, &cluster.AgentRequest{
		AgentId: &mesos.AgentID{Value: proto.String("nobody")}, Action: cluster.AgentRequest_DEACTIVATE.Enum(),
	})
	return err
}

// repeat measures f until ctx is done.
func repeat(ctx context.Context, f func() error) ([]time.Duration, error) {
	var all []time.Duration
	for {
		begun := time.Now()
		err := f()
		switch {
		case ctx.Err() == nil && err != nil:
			return nil, err
		case ctx.Err() == nil || len(all) == 0: // one at least
			all = append(all, time.Since(begun))
		}
		if pass(ctx, askEvery) != nil {
			slices.Sort(all)
			return all, nil
		}
	}
}

// pass waits.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
