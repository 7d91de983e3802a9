package main

import (
	"context"
	"fmt"
	"strconv"
)

// work is one thing that is measured.
type work struct {
	name, help string
	run        func(ctx context.Context, l load) ([]figure, error)
}

// works is the table of all works; roles, in child.go, that of the processes
// they start.
func works() []work {
	return []work{
		{"allocator", "Mesos's own benchmarks of its allocator, beside what it took", allocate},
		{"send", "one producer to one actor, beside bare protoactor", send},
		{"ask", "round trips between two actors, beside bare protoactor", ask},
		{"idle-actor", "memory of an actor that does nothing", idleActor},
		{"ping-pong", "round trips between two processes, beside protoactor's remote", pingPong},
		{"one-way", "messages of 100 bytes to another process, beside protoactor's remote", oneWay},
		{"peers", "10,000 systems in four processes linked to one", peers},
		{"tasks", "1,000 tasks that do nothing, through troupe local with one agent", measureTasks},
		{"million", "1,000,000 tasks on 5,000 agents of another process, for one framework", million},
		{"http", "100,000 tasks on 500 agents of another process, for a framework that is an actor, and for one over HTTP", overHTTP},
		{"multitude", "50,000 agents of another process, connected and offered", multitude},
		{"failover", "a new master learns 5,000, 20,000 and 50,000 agents with 10 tasks each of another process", failover},
		{"reregistration", "Mesos's AgentReregistrationDelay: agents in the master's process send what they run", reregistration},
		{"state", "reads of the whole state, and what messages to the master take meanwhile", readState},
		{"stream", "1,000 subscribers of the operators' event stream while 10,000 tasks a minute live and end", streamEvents},
		{"registrar", "50,000 agents admitted and recovered, with each store", registrar},
		{"recovery", "an agent with 500 running tasks is killed and started again", recovery},
		{"leaderless", "the leading one of three masters is killed", leaderless},
		{"flat", "memory of 50,000 simulated agents and their master over 10 simulated minutes", flat},
		{"launches", "1,000 tasks that do nothing and the end of 500 others, with each set of isolators", measureLaunches},
		{"containers", "500 and 1,000 containers on one agent that do nothing, with each set of isolators, and scrapes of what they use", measureContainers},
		{"sleepers", "memory of 500 running tasks", measureSleepers},
	}
}

// load says how much a work does.
type load struct{ scale int }

// of gives the share of a full load.
func (l load) of(full int) int { return max(1, full/l.scale) }

// figure is one line of the result.
type figure struct {
	what   string // of the work; may be empty
	value  float64
	unit   string
	target target
}

// target is what a figure is held against; the zero one is none.
type target struct {
	atMost, atLeast float64
}

func (t target) String() string {
	switch {
	case t.atMost > 0:
		return "≤ " + number(t.atMost)
	case t.atLeast > 0:
		return "≥ " + number(t.atLeast)
	}
	return "–"
}

// verdict says whether a value meets the target.
func (t target) verdict(value float64) string {
	switch {
	case t == target{}:
		return ""
	case t.atMost > 0 && value > t.atMost, value < t.atLeast:
		return "missed"
	}
	return "met"
}

// line prints the figure for people.
func (f figure) line(work string) string {
	return fmt.Sprintf("%-14s %-38s %10s %-10s %8s %s", work, f.what, number(f.value), f.unit, f.target, f.target.verdict(f.value))
}

// number prints three significant digits, or all before the point.
func number(v float64) string {
	if v >= 100 || v <= -100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
