package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// failover is the work of that name: a master that was just elected, in one
// process, learns what runs on agents in another. Once with the agents' random
// wait of up to 1 s before their first attempt, and once with agents that come
// all together, to show what the wait has to do with it.
func failover(ctx context.Context, l load) ([]figure, error) {
	var figures []figure
	var cost [2]float64 // seconds per agent, for the fewest and the most
	for i, agents := range []int{5_000, 20_000, 50_000} {
		agents = l.of(agents)
		usual, err := failOver(ctx, agents, false)
		if err != nil {
			return figures, err
		}
		eager, err := failOver(ctx, agents, true)
		if err != nil {
			return figures, err
		}
		var known target
		if i == 1 {
			known.atMost = 15
		}
		of := strconv.Itoa(agents) + " agents: "
		figures = append(
			figures,
			figure{of + "all known", usual.took, "s", known},
			figure{of + "all known, no wait", eager.took, "s", target{}},
			figure{of + "the master's CPU", usual.cpu.Seconds(), "s", target{}},
			figure{of + "the master's peak", float64(usual.peak) / (1 << 20), "MiB", target{}},
			figure{of + "messages of each to register", usual.asked, "", target{}},
		)
		if i == 0 {
			cost[0] = eager.cpu.Seconds() / float64(agents)
		}
		cost[1] = eager.cpu.Seconds() / float64(agents)
	}
	return append(figures, figure{"CPU per agent, most over fewest", cost[1] / cost[0], "ratio", target{atMost: 1.1}}), nil
}

// failedOver is what one failover took of a master.
type failedOver struct {
	took  float64 // seconds since the election
	cpu   time.Duration
	peak  int64   // bytes
	asked float64 // how often an agent told what it runs, on average
}

// failoverTime bounds one failover, with the making of its agents.
const failoverTime = 15 * time.Minute

func failOver(ctx context.Context, agents int, hasty bool) (result failedOver, err error) {
	ctx, cancel := context.WithTimeout(ctx, failoverTime)
	defer cancel()
	dir, path, err := registryOf(ctx, agents)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err != nil {
		return result, err
	}
	perLink, err := agentsPerLink(agents)
	if err != nil {
		return result, err
	}
	crowd, err := startChild(ctx, "returning", strconv.Itoa(agents), strconv.Itoa(perLink), strconv.FormatBool(hasty))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, crowd.end()) }()
	leader, err := startChild(ctx, "leader", path, strconv.Itoa(agents), strconv.Itoa(agents*tasksPerAgent), strconv.Itoa(failoverFrameworks))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, leader.end()) }()
	if result.took, err = elect(leader, crowd); err != nil {
		return result, err
	}
	if result.asked, err = timesAskedOf(crowd); err != nil {
		return result, err
	}
	result.asked /= float64(agents)
	pid := leader.cmd.Process.Pid
	if result.cpu, err = cpuOf([]int{pid}); err != nil {
		return result, err
	}
	result.peak, err = peakOf(pid)
	return result, err
}

// elect makes one the leader, tells the others, and gives the seconds until it
// knew them all.
func elect(leader, crowd *child) (float64, error) {
	if _, err := io.WriteString(leader.in, "go\n"); err != nil {
		return 0, err
	}
	address, err := leader.lines.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the leader ended: %w", err)
	}
	if _, err := io.WriteString(crowd.in, address); err != nil {
		return 0, err
	}
	return leader.number()
}

// timesAskedOf is how often all agents together told what they run.
func timesAskedOf(crowd *child) (float64, error) {
	if _, err := io.WriteString(crowd.in, "\n"); err != nil {
		return 0, err
	}
	return crowd.number()
}

// number reads a line that is one.
func (c *child) number() (float64, error) {
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("a child ended: %w", err)
	}
	var v float64
	if _, err := fmt.Sscanf(line, "%g", &v); err != nil {
		return 0, fmt.Errorf("a child said %q: %w", line, err)
	}
	return v, nil
}

// spareFiles are those that a process has open beside its links.
const spareFiles = 200

// agentsPerLink is 1 where a process may have a link to each agent, and the
// least that it may have otherwise.
func agentsPerLink(agents int) (int, error) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return 0, err
	}
	links := max(1, int(min(files.Max, 1<<20))-spareFiles)
	return (agents + links - 1) / links, nil
}
