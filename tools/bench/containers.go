package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// measureLaunches launches tasks that end at once, then ends others that do not.
func measureLaunches(ctx context.Context, l load) ([]figure, error) {
	return each(ctx, func(c *isolatedCluster, i isolation) ([]figure, error) { return c.launches(ctx, l, i) })
}

func (c *isolatedCluster) launches(ctx context.Context, l load, i isolation) (figures []figure, err error) {
	before, err := c.cpu(ctx)
	if err != nil {
		return nil, err
	}
	count := l.of(1000)
	short := newSwarm("true", "true", count)
	err = short.on(ctx, c.master.address(), func(ctx context.Context, accepted time.Time) error {
		took, err := short.lastly(ctx, "TASK_FINISHED", accepted)
		if err != nil {
			return err
		}
		after, err := c.cpu(ctx)
		figures = append(figures,
			figure{i.name + ": accept to TASK_FINISHED", float64(count) / took.Seconds(), "tasks/s", i.launches},
			figure{i.name + ": CPU of all processes", float64(after-before) / float64(time.Millisecond) / float64(count), "ms/task", i.perTask})
		return err
	})
	if err != nil {
		return figures, err
	}
	count = l.of(500)
	long := newSwarm("sleep", "sleep", count)
	err = long.on(ctx, c.master.address(), func(ctx context.Context, accepted time.Time) error {
		took, err := long.lastly(ctx, "TASK_RUNNING", accepted)
		if err != nil {
			return err
		}
		ended := time.Now()
		long.killAll()
		kills, err := long.lastly(ctx, "TASK_KILLED", ended)
		figures = append(figures,
			figure{i.name + ": accept to TASK_RUNNING", float64(count) / took.Seconds(), "tasks/s", i.launches},
			figure{i.name + ": kill to TASK_KILLED", float64(count) / kills.Seconds(), "tasks/s", target{}})
		return err
	})
	return figures, err
}

// measureContainers looks at many that do nothing.
func measureContainers(ctx context.Context, l load) (all []figure, err error) {
	for _, count := range []int{l.of(500), l.of(1000)} {
		figures, err := each(ctx, func(c *isolatedCluster, i isolation) ([]figure, error) { return c.idle(ctx, l, i, count) })
		if all = append(all, figures...); err != nil {
			return all, fmt.Errorf("%d containers: %w", count, err)
		}
	}
	return all, nil
}

// idleFor is how long an idle agent is watched.
const idleFor = 30 * time.Second

func (c *isolatedCluster) idle(ctx context.Context, l load, i isolation, count int) (figures []figure, err error) {
	s := newSwarm("sleep", "sleep", count)
	err = s.on(ctx, c.master.address(), func(ctx context.Context, accepted time.Time) error {
		took, err := s.lastly(ctx, "TASK_RUNNING", accepted)
		if err != nil {
			return err
		}
		daemons, hosts, inits, err := c.processes("sleep")
		if err != nil {
			return err
		}
		memory, err := memoryOf(append(append(daemons, hosts...), inits...))
		if err != nil {
			return err
		}
		quiet, others, err := c.watch(ctx, l, hosts, nil)
		if err != nil {
			return err
		}
		asked, _, err := c.watch(ctx, l, hosts, c.scrape)
		what := fmt.Sprintf("%d, %s: ", count, i.name)
		figures = []figure{
			{what + "until all run", took.Seconds(), "s", target{}},
			{what + "memory beside the sleeps", float64(memory) / (1 << 20) / float64(count), "MB/task", target{atMost: 1}},
			{what + "processes beside the sleeps", float64(len(daemons) + len(hosts) + len(inits)), "processes", target{}},
			{what + "agent's CPU, idle", quiet, "% of one", target{atMost: 2}},
			{what + "hosts' CPU, idle", others, "% of one", target{}},
			{what + "agent's CPU, scraped each second", asked, "% of one", target{}},
		}
		return err
	})
	return figures, err
}

// watch is the CPU that the agent and the hosts use, in percent of one, while ask
// is called each second.
func (c *isolatedCluster) watch(ctx context.Context, l load, hosts []int, ask func(context.Context) error) (agent, others float64, err error) {
	read := func() (a, h time.Duration, err error) {
		if a, err = cpuOf([]int{c.agent.cmd.Process.Pid}); err == nil {
			h, err = cpuOf(hosts)
		}
		return a, h, err
	}
	agentBefore, hostsBefore, err := read()
	if err != nil {
		return 0, 0, err
	}
	span := max(time.Second, idleFor/time.Duration(l.scale))
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Since(began) < span {
		if ask != nil {
			if err := ask(ctx); err != nil {
				return 0, 0, err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	took := time.Since(began)
	agentAfter, hostsAfter, err := read()
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(took) }
	return percent(agentAfter - agentBefore), percent(hostsAfter - hostsBefore), err
}

// scrape is what Prometheus does.
func (c *isolatedCluster) scrape(ctx context.Context) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.agent.address()+"/metrics", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/plain")
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /metrics: %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
