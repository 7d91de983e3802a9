package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// isolation is a set of isolators, as --isolation has it.
type isolation struct {
	name string
	// flags of the agent.
	flags []string
	// Targets of launching and destroying.
	launches, perTask target
}

// isolations are what is compared. Nothing but posix can be had by one who is not
// root.
func isolations() []isolation {
	list := []isolation{{"posix", []string{"--isolation=posix/cpu,posix/mem"}, target{atLeast: 300}, target{atMost: 5}}}
	if os.Geteuid() != 0 {
		return list
	}
	root := "--cgroups_root=troupe_bench_" + strconv.Itoa(os.Getpid())
	return append(list,
		isolation{"cgroups", []string{"--isolation=cgroups/cpu,cgroups/mem", root}, target{}, target{}},
		isolation{"cgroups, pid", []string{"--isolation=cgroups/cpu,cgroups/mem,namespaces/pid", root}, target{atLeast: 100}, target{}},
		isolation{"many", []string{
			"--isolation=cgroups/cpu,cgroups/mem,cgroups/pids,cgroups/blkio,cgroups/devices,namespaces/pid,namespaces/ipc,filesystem/linux,linux/capabilities,linux/nnp,disk/du,posix/rlimits", root,
		}, target{}, target{}},
	)
}

// isolatedCluster is a master and an agent in processes of their own.
type isolatedCluster struct {
	dir           string
	master, agent *daemon
}

func startIsolated(ctx context.Context, i isolation) (_ *isolatedCluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	dir, program, err := buildTroupe(ctx)
	if err != nil {
		return nil, err
	}
	c := &isolatedCluster{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if c.master, err = newDaemon(program, "master", "--work_dir="+filepath.Join(dir, "master")); err != nil {
		return nil, err
	}
	if err := c.master.start(); err != nil {
		return nil, err
	}
	if err := c.master.answers(ctx); err != nil {
		return nil, err
	}
	args := append([]string{"--master=" + c.master.address(), "--work_dir=" + filepath.Join(dir, "agent"), "--resources=" + spacious}, i.flags...)
	if c.agent, err = newDaemon(program, "agent", args...); err != nil {
		return nil, err
	}
	if err := c.agent.start(); err != nil {
		return nil, err
	}
	return c, c.agent.await(ctx, "the agent is registered", func(m map[string]float64) bool { return m["slave/registered"] == 1 })
}

// stop ends all tasks, then the cluster, in order.
func (c *isolatedCluster) stop() error {
	var errs []error
	if c.agent != nil {
		errs = append(errs, c.agent.end(syscall.SIGUSR1))
	}
	if c.master != nil {
		errs = append(errs, c.master.end(syscall.SIGTERM))
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// process is one that was seen in /proc.
type process struct {
	pid, parent int
	program     string // empty of one that has ended
}

// processes are the cluster's: the two daemons, the hosts, and all that these have
// started but the tasks' own programs.
func (c *isolatedCluster) processes(tasks string) (daemons, hosts, inits []int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, nil, nil, err
	}
	agent := c.agent.cmd.Process.Pid
	children := map[int][]process{}
	for _, path := range all {
		if p, ok := seen(path); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var below func(pid int)
	below = func(pid int) {
		for _, p := range children[pid] {
			if p.program != "" && p.program != tasks {
				inits = append(inits, p.pid)
			}
			below(p.pid)
		}
	}
	for _, host := range children[agent] {
		hosts = append(hosts, host.pid)
		below(host.pid)
	}
	return []int{c.master.cmd.Process.Pid, agent}, hosts, inits, nil
}

// seen reads a process's stat file; false if it is gone.
func seen(path string) (p process, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return p, false
	}
	var state string
	if _, err := fmt.Sscan(string(text[strings.LastIndexByte(string(text), ')')+1:]), &state, &p.parent); err != nil {
		return p, false
	}
	if _, err := fmt.Sscanf(path, "/proc/%d/stat", &p.pid); err != nil {
		return p, false
	}
	line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
	name, _, _ := strings.Cut(string(line), "\x00")
	if name != "" {
		p.program = filepath.Base(name)
	}
	return p, err == nil
}

// cpu is the CPU time of the cluster, of the tasks that have ended, and of this
// process, the scheduler's. Hosts that end meanwhile, whose time becomes their
// agent's, make it look again.
func (c *isolatedCluster) cpu(ctx context.Context) (time.Duration, error) {
	for {
		daemons, before, _, err := c.processes("")
		if err != nil {
			return 0, err
		}
		all, gone := cpuOf(append(daemons, before...))
		_, after, _, err := c.processes("")
		if err != nil || ctx.Err() != nil {
			return 0, errors.Join(err, ctx.Err())
		}
		if gone == nil && slices.Equal(before, after) {
			own, err := ownCPU()
			return all + own, err
		}
	}
}

// measureLaunches launches tasks that end at once, then ends others that do not.
func measureLaunches(ctx context.Context, l load) (figures []figure, err error) {
	for _, i := range isolations() {
		c, err := startIsolated(ctx, i)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", i.name, err)
		}
		more, err := c.launches(ctx, l, i)
		figures = append(figures, more...)
		if err = errors.Join(err, c.stop()); err != nil {
			return figures, fmt.Errorf("%s: %w", i.name, err)
		}
	}
	return figures, nil
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
func measureContainers(ctx context.Context, l load) (figures []figure, err error) {
	for _, i := range isolations() {
		for _, count := range []int{l.of(500), l.of(1000)} {
			c, err := startIsolated(ctx, i)
			if err != nil {
				return figures, fmt.Errorf("%s: %w", i.name, err)
			}
			more, err := c.idle(ctx, l, i, count)
			figures = append(figures, more...)
			if err = errors.Join(err, c.stop()); err != nil {
				return figures, fmt.Errorf("%d with %s: %w", count, i.name, err)
			}
		}
	}
	return figures, nil
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
