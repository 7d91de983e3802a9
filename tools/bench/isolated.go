package main

import (
	"context"
	"errors"
	"fmt"
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
	root := "--cgroups_root=" + groupsRoot()
	return append(list,
		isolation{"cgroups", []string{"--isolation=cgroups/cpu,cgroups/mem", root}, target{}, target{}},
		isolation{"cgroups, pid", []string{"--isolation=cgroups/cpu,cgroups/mem,namespaces/pid", root}, target{atLeast: 100}, target{}},
		isolation{"many", []string{
			"--isolation=cgroups/cpu,cgroups/mem,cgroups/pids,cgroups/blkio,cgroups/devices,namespaces/pid,namespaces/ipc,filesystem/linux,linux/capabilities,linux/nnp,disk/du,posix/rlimits", root,
		}, target{}, target{}},
	)
}

// groupsRoot is the control group of the containers of this process's agents.
func groupsRoot() string { return "troupe_bench_" + strconv.Itoa(os.Getpid()) }

// removeGroups removes it, which agents keep.
func removeGroups() error {
	roots, err := filepath.Glob("/sys/fs/cgroup/*/" + groupsRoot())
	errs := []error{err}
	for _, dir := range append(roots, "/sys/fs/cgroup/"+groupsRoot()) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// isolatedCluster is a master and an agent in processes of their own.
type isolatedCluster struct {
	dir           string
	master, agent *daemon
}

// startIsolated runs a program in a new folder within one.
func startIsolated(ctx context.Context, within, program string, i isolation) (_ *isolatedCluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(within, "cluster")
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
	return errors.Join(append(errs, removeGroups(), os.RemoveAll(c.dir))...)
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

// each measures one cluster after the other, of every set of isolators.
func each(ctx context.Context, measure func(c *isolatedCluster, i isolation) ([]figure, error)) (figures []figure, err error) {
	dir, program, err := buildTroupe(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, i := range isolations() {
		c, err := startIsolated(ctx, dir, program, i)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", i.name, err)
		}
		more, err := measure(c, i)
		figures = append(figures, more...)
		if err = errors.Join(err, c.stop()); err != nil {
			return figures, fmt.Errorf("%s: %w", i.name, err)
		}
	}
	return figures, nil
}
