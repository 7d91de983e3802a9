package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"troupe/frameworks"
	"troupe/messages/mesos"
)

const server = `exec redis-server --port $PORT --protected-mode no --save "" --repl-diskless-sync-delay 0`

// keeper knows the members, and makes them what they shall be.
type keeper struct {
	tasks *frameworks.Tasks

	mu      sync.Mutex
	members []member
	wanted  int
	named   int    // how many members there ever were
	primary string // the task that is
}

// member is a server; task and address are empty while it does not run.
type member struct{ name, task, address string }

// report follows the tasks. After a failure comes another one, elsewhere and
// empty.
func (k *keeper) report(p frameworks.Progress) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.members, func(m member) bool { return m.name == p.Task.ID })
	switch {
	case i < 0:
	case p.State == mesos.TaskState_TASK_RUNNING:
		k.members[i] = member{p.Task.ID, p.TaskID, p.Place.Address()}
	case p.Failure() != nil:
		fmt.Println(p.Failure())
		k.members[i] = member{name: p.Task.ID}
	}
}

// scale adds and removes members until there are as many as wanted.
func (k *keeper) scale() {
	for len(k.members) < k.wanted {
		k.named++
		m := member{name: fmt.Sprintf("redis-%d", k.named)}
		k.members = append(k.members, m)
		k.tasks.Add(&frameworks.Task{ID: m.name, Command: server, Ports: 1, Retries: frameworks.Forever})
	}
	for len(k.members) > k.wanted {
		last := len(k.members) - 1
		if k.members[last].task == k.primary {
			last--
		}
		k.tasks.Kill(k.members[last].name)
		k.members = slices.Delete(k.members, last, last+1)
	}
}

// tend looks at all that run, and changes what is not as it shall be.
func (k *keeper) tend(ctx context.Context) {
	k.mu.Lock()
	k.scale()
	members := slices.DeleteFunc(slices.Clone(k.members), func(m member) bool { return m.task == "" })
	k.mu.Unlock()
	roles := map[member][]string{}
	for _, m := range members {
		if role := redis(ctx, m, "ROLE"); len(role) > 1 {
			roles[m] = role
		}
	}
	lead := slices.IndexFunc(members, func(m member) bool { return m.task == k.primary })
	if lead < 0 && len(roles) == len(members) && len(members) > 0 { // who does not answer yet may know most
		lead = k.elect(ctx, members, roles)
	}
	if lead < 0 {
		return
	}
	host, port, _ := net.SplitHostPort(members[lead].address)
	for m, role := range roles {
		if m != members[lead] && !slices.Equal(role[:min(3, len(role))], []string{"slave", host, port}) {
			redis(ctx, m, "REPLICAOF", host, port)
			fmt.Printf("%s follows %s\n", m.name, members[lead].name)
		}
	}
}

// elect makes the member that knows most the primary.
func (k *keeper) elect(ctx context.Context, members []member, roles map[member][]string) int {
	best, most := 0, int64(-2)
	for i, m := range members {
		role := roles[m] // master OFFSET, or slave HOST PORT STATE OFFSET
		if offset, err := strconv.ParseInt(role[min(4, len(role)-1)], 10, 64); err == nil && offset > most {
			best, most = i, offset
		}
	}
	if redis(ctx, members[best], "REPLICAOF", "NO", "ONE") == nil {
		return -1
	}
	fmt.Printf("%s is the primary\n", members[best].name)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.primary = members[best].task
	return best
}

// redis asks a member; nil is no answer, and is tried again before long.
func redis(ctx context.Context, m member, command ...string) []string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	host, port, _ := net.SplitHostPort(m.address)
	out, err := exec.CommandContext(ctx, "redis-cli", append([]string{"-e", "-h", host, "-p", port}, command...)...).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}
