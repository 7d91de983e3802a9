// Package chaos tests a whole cluster of real processes that are killed,
// stopped and cut off from each other while a framework keeps tasks running.
// Nothing imports it.
//
//	go test ./tools/chaos
//	TROUPE_CHAOS_TIME=5m TROUPE_CHAOS_SEED=7 go test -count=1 -timeout=20m -v ./tools/chaos
//
// TROUPE_CHAOS_KEEP names a folder that gets all that a failed run has written.
//
// The seed decides which fault comes when. What the processes do meanwhile is
// theirs to decide, so a seed that failed once need not fail again.
package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is what can be done to a part of a cluster.
type Kind string

// The faults.
const (
	// Kill sends SIGKILL to a process, which its supervisor starts again.
	Kill Kind = "kill"
	// KillLeader kills the master that leads, or the one named if nobody seems
	// to.
	KillLeader Kind = "kill the leader, or"
	// Stop sends SIGSTOP, and SIGCONT later; StopLeader does so to the master
	// that leads.
	Stop       Kind = "stop"
	StopLeader Kind = "stop the leader, or"
	// KillHost kills an executor host of an agent, with the tasks that it has.
	KillHost Kind = "kill a host of"
	// StopHost stops an executor host for a while.
	StopHost Kind = "stop a host of"
	// Isolate cuts a node off from all others for a while.
	Isolate Kind = "isolate"
	// Part keeps two nodes from hearing each other for a while.
	Part Kind = "part"
)

// Fault is one entry of a plan.
type Fault struct {
	// At is when it comes, from the beginning.
	At   time.Duration
	Kind Kind
	// Part is what it strikes, by its place in the cast; Other is the second one
	// of Part.
	Part, Other int
	// Lasts is for how long; 0 where the fault is an event.
	Lasts time.Duration
	// Pick chooses among what is only known when the time has come.
	Pick uint32
}

// Role is what a member of the cast is.
type Role string

// The roles.
const (
	Master    Role = "master"
	Agent     Role = "agent"
	Scheduler Role = "scheduler"
	ZooKeeper Role = "zookeeper"
)

// weights say how often a fault strikes a role, against each other.
var weights = []struct {
	kind   Kind
	role   Role
	weight int
}{
	{Kill, Master, 2},
	{KillLeader, Master, 2},
	{Kill, Agent, 4},
	{Kill, Scheduler, 3},
	{Kill, ZooKeeper, 3},
	{Stop, Master, 2},
	{StopLeader, Master, 2},
	{Stop, Agent, 3},
	{Stop, Scheduler, 1},
	{Stop, ZooKeeper, 2},
	{KillHost, Agent, 3},
	{StopHost, Agent, 2},
	{Isolate, Master, 2},
	{Isolate, Agent, 2},
	{Isolate, Scheduler, 1},
	{Isolate, ZooKeeper, 1},
	{Part, Master, 2},
	{Part, Agent, 1},
}

// lasting bounds how long a fault lasts. An executor host must be back before
// its agent gives it up.
var lasting = map[Kind]time.Duration{
	Stop: 8 * time.Second, StopLeader: 8 * time.Second, StopHost: 3 * time.Second, Isolate: 8 * time.Second, Part: 8 * time.Second,
}

// meanPause is between two faults.
const meanPause = 900 * time.Millisecond

// Plan draws the faults of a given time for a cast. Partitions are only drawn
// where there can be any; the others do not depend on that.
func Plan(seed uint64, length time.Duration, cast []Role, partitions bool) []Fault {
	chance := rand.New(rand.NewPCG(seed, 0))
	var plan []Fault
	for at := meanPause; at < length; {
		if f := draw(chance, cast); partitions || f.Kind != Isolate && f.Kind != Part {
			f.At = at
			plan = append(plan, f)
		}
		at += meanPause/3 + time.Duration(chance.Int64N(int64(4*meanPause/3)))
	}
	return plan
}

// draw takes a fault that can strike somebody.
func draw(chance *rand.Rand, cast []Role) Fault {
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	for {
		n := chance.IntN(total)
		for _, w := range weights {
			if n -= w.weight; n >= 0 {
				continue
			}
			if members := of(cast, w.role); len(members) > 0 {
				return strike(chance, w.kind, members, len(cast))
			}
			break
		}
	}
}

func strike(chance *rand.Rand, kind Kind, members []int, cast int) Fault {
	f := Fault{Kind: kind, Part: members[chance.IntN(len(members))], Pick: chance.Uint32()}
	if most := lasting[kind]; most > 0 {
		f.Lasts = (100*time.Millisecond + time.Duration(chance.Int64N(int64(most)))).Round(time.Millisecond)
	}
	if kind == Part {
		f.Other = (f.Part + 1 + chance.IntN(cast-1)) % cast
	}
	return f
}

// of lists the places of a role in a cast.
func of(cast []Role, r Role) []int {
	var members []int
	for i, c := range cast {
		if c == r {
			members = append(members, i)
		}
	}
	return members
}

// Describe is a fault in words, with the names of the cast.
func (f Fault) Describe(names []string) string {
	text := fmt.Sprintf("%7.3fs %s %s", f.At.Seconds(), f.Kind, names[f.Part])
	if f.Kind == Part {
		text += " and " + names[f.Other]
	}
	if f.Lasts > 0 {
		text += fmt.Sprintf(" for %s", f.Lasts)
	}
	return text
}
