package chaos

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

// strike carries out a fault, and says whom it met where the plan does not
// know. What lasts is healed by itself.
func (c *cluster) strike(f Fault) (met string) {
	m := c.cast[f.Part]
	switch f.Kind {
	case KillLeader, StopLeader:
		m = c.leader(m)
		met = m.name
	case KillHost, StopHost:
		return c.strikeHost(m, f)
	}
	switch f.Kind {
	case Kill, KillLeader:
		m.signal(syscall.SIGKILL)
	case Stop, StopLeader:
		c.heal(f.Lasts, m.hold())
	case Isolate:
		c.heal(f.Lasts, c.network.isolate(m.node))
	case Part:
		c.heal(f.Lasts, c.network.part(m.node, f.Other))
	}
	return met
}

// strikeHost strikes one of an agent's executor hosts, if it has any.
func (c *cluster) strikeHost(agent *member, f Fault) (met string) {
	hosts := c.hosts(agent)
	if len(hosts) == 0 {
		return "it has none"
	}
	h := hosts[int(f.Pick)%len(hosts)]
	if f.Kind == KillHost {
		c.killHost(h)
		return idOf(h)
	}
	_ = syscall.Kill(h.PID, syscall.SIGSTOP) // it may have ended by now
	c.heal(f.Lasts, func() { _ = syscall.Kill(h.PID, syscall.SIGCONT) })
	return idOf(h)
}

// healing undoes a fault, once.
type healing struct {
	sync.Once
	undo  func()
	timer *time.Timer
}

// heal undoes a fault later.
func (c *cluster) heal(after time.Duration, undo func()) {
	h := &healing{undo: undo}
	h.timer = time.AfterFunc(after, func() { h.Do(undo) })
	c.healing = append(c.healing, h)
}

// healAll undoes at once what is not undone yet.
func (c *cluster) healAll() {
	for _, h := range c.healing {
		h.timer.Stop()
		h.Do(h.undo)
	}
}

// hosts are the executor hosts of an agent.
func (c *cluster) hosts(agent *member) []processtest.Process {
	var hosts []processtest.Process
	for _, p := range c.Processes() {
		if strings.Contains(p.Command, " executor-host ") && strings.Contains(p.Command, "--agent="+agent.address()+" ") {
			hosts = append(hosts, p)
		}
	}
	return hosts
}

// killHost kills a host, and notes which tasks die with it. It is stopped
// first, so that it starts nothing in between.
func (c *cluster) killHost(h processtest.Process) {
	_ = syscall.Kill(h.PID, syscall.SIGSTOP) // it may have ended by now
	death := steady.Death{At: time.Now(), Host: idOf(h)}
	for _, p := range c.Processes() {
		if p.Parent == h.PID {
			death.Tasks = append(death.Tasks, taskOf(p))
		}
	}
	c.deaths = append(c.deaths, death)
	_ = syscall.Kill(h.PID, syscall.SIGKILL)
}

var hostID = regexp.MustCompile(`--host_id=(\S+)`)

// idOf is an executor host's own id.
func idOf(h processtest.Process) string {
	if m := hostID.FindStringSubmatch(h.Command); m != nil {
		return m[1]
	}
	return ""
}

var ownFile = regexp.MustCompile(`^(?:/bin/)?sh -c echo "start .*/tasks/(\S+);`)

// taskOf is the id of the task whose main process p is; "" for others.
func taskOf(p processtest.Process) string {
	if m := ownFile.FindStringSubmatch(p.Command); m != nil {
		return m[1]
	}
	return ""
}

// leader is the master that says that it leads, or the other one if none does
// at once.
func (c *cluster) leader(other *member) *member {
	client := http.Client{Timeout: 200 * time.Millisecond, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for _, m := range c.of(Master) {
		if _, err := ask(&client, "http://"+m.address()+"/state-summary"); err == nil {
			return m
		}
	}
	return other
}
