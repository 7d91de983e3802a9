package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/messages/mesos/scheduler"
)

// words of a fault are the same in scenarios, in traces, and as chance makes
// them up.
type fault struct {
	name string
	// How many words follow, and what they are, for people.
	words int
	usage string
	do    func(c *simulation, words []string) error
}

// faultKinds lists all faults there are. A PROCESS is agent3, scheduler1,
// master0, or master for the one that leads; a PLACE also quorum.
func faultKinds() []fault {
	return []fault{
		{"break", 2, "break PROCESS PROCESS", (*simulation).faultBreak},
		{"part", 3, "part PLACE PLACE TIME", (*simulation).faultPart},
		{"cut", 2, "cut PLACE TIME", (*simulation).faultCut},
		{"pause", 2, "pause PROCESS TIME", (*simulation).faultPause},
		{"clock", 2, "clock PROCESS TIME", (*simulation).faultClock},
		{"crash", 1, "crash PROCESS", (*simulation).faultCrash},
		{"fuse", 2, "fuse PROCESS EFFECTS", (*simulation).faultFuse},
		{"power", 1, "power AGENT", (*simulation).faultPower},
		{"host", 1, "host AGENT", (*simulation).faultHost},
		{"allocator", 0, "allocator", (*simulation).faultAllocator},
		{"takeover", 1, "takeover SCHEDULER", (*simulation).faultTakeover},
		{"teardown", 1, "teardown SCHEDULER", (*simulation).faultTeardown},
		{"operator", 2, "operator gone|drain|drain-away|deactivate|reactivate|reserve AGENT", (*simulation).faultOperator},
		{"machine", 2, "machine plan|down|up AGENT", (*simulation).faultMachine},
		{"role", 2, "role guarantee|limit|none|weight|reserve|unreserve ROLE", (*simulation).faultRole},
		{"disk", 3, "disk AGENT full|fails TIME", (*simulation).faultDisk},
		{"depose", 0, "depose", (*simulation).faultDepose},
		{"store", 2, "store slow|fails|silent TIME", (*simulation).faultStore},
	}
}

// fault makes one happen. What is done to a process that does not run has no
// effect.
func (c *simulation) fault(words []string) error {
	c.net.note("fault: %s", strings.Join(words, " "))
	var usages []string
	for _, f := range faultKinds() {
		if f.name == words[0] && f.words == len(words)-1 {
			if err := f.do(c, words[1:]); err != nil {
				return fmt.Errorf("fault %s: %w", words[0], err)
			}
			return nil
		}
		usages = append(usages, f.usage)
	}
	return fmt.Errorf("fault %q: want one of %s", strings.Join(words, " "), strings.Join(usages, ", "))
}

// faultBreak ends the link between two processes, if there is one.
func (c *simulation) faultBreak(words []string) error {
	p, q, err := c.pairNamed(words)
	if err != nil {
		return err
	}
	if l := p.links[q]; l != nil {
		c.net.breakLink(l, nil)
	}
	return nil
}

// faultPart lets no packet pass between two machines for a time.
func (c *simulation) faultPart(words []string) error {
	p, q, err := c.pairNamed(words)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(words[2])
	if err == nil && p != q {
		c.net.part(p, q, d)
	}
	return err
}

// timed finds a process and a time.
func (c *simulation) timed(words []string) (*process, time.Duration, error) {
	p, err := c.processNamed(words[0])
	if err != nil {
		return nil, 0, err
	}
	d, err := time.ParseDuration(words[1])
	return p, d, err
}

// faultCut lets no packet in or out of a machine for a time.
func (c *simulation) faultCut(words []string) error {
	p, d, err := c.timed(words)
	if err == nil {
		c.net.partition(p, d)
	}
	return err
}

// faultPause stops a process for a time.
func (c *simulation) faultPause(words []string) error {
	p, d, err := c.timed(words)
	if err == nil {
		c.net.pause(p, d)
	}
	return err
}

// faultClock sets a machine's clock off by so much from the true time, while
// its process runs, or does not.
func (c *simulation) faultClock(words []string) error {
	p, d, err := c.timed(words)
	if err == nil {
		p.off = d
	}
	return err
}

// crasher is a process that comes back when it is killed.
type crasher interface{ crash() }

// faultCrash kills a process, which comes back.
func (c *simulation) faultCrash(words []string) error {
	p, err := c.processNamed(words[0])
	if err != nil {
		return err
	}
	if n := c.crasherAt(p); n != nil && p.up {
		n.crash()
	}
	return nil
}

// faultFuse kills a process before it performs one of its next effects,
// wherever in a step that is.
func (c *simulation) faultFuse(words []string) error {
	p, err := c.processNamed(words[0])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(words[1])
	if err == nil && p.up {
		p.fuse = max(n, 1)
	}
	return err
}

// faultPower ends an agent's process and all that runs on its machine.
func (c *simulation) faultPower(words []string) error {
	a, err := c.agentNamed(words[0])
	if err == nil && a.up {
		a.powerFailure()
	}
	return err
}

// faultHost kills one of an agent's executor hosts.
func (c *simulation) faultHost(words []string) error {
	a, err := c.agentNamed(words[0])
	if err == nil {
		a.loseHost()
	}
	return err
}

// faultAllocator replaces the allocator by an empty one.
func (c *simulation) faultAllocator([]string) error {
	if m := c.leader(); m != nil {
		m.replaceAllocator()
	}
	return nil
}

// faultTakeover starts another process of a scheduler, which takes its
// framework over.
func (c *simulation) faultTakeover(words []string) error {
	n, err := numberIn(words[0], "scheduler", len(c.schedulers))
	if err == nil {
		c.schedulers[n] = c.schedulers[n].succeed()
	}
	return err
}

// faultTeardown lets an author end the framework, and begin another.
func (c *simulation) faultTeardown(words []string) error {
	n, err := numberIn(words[0], "scheduler", len(c.schedulers))
	if err != nil {
		return err
	}
	if s := c.schedulers[n]; s.up && s.id != nil {
		s.leaving = true
		s.submit(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
	}
	return nil
}

// faultDepose ends a leadership, which the leader does not know.
func (c *simulation) faultDepose([]string) error {
	if !c.quorum.single() {
		c.quorum.depose()
	}
	return nil
}

// faultStore makes the store slow, or fail, or lose its answers, for a time.
func (c *simulation) faultStore(words []string) error {
	t := trouble(words[0])
	if !slices.Contains([]trouble{slow, fails, silent}, t) {
		return fmt.Errorf("%q is none of slow, fails and silent", words[0])
	}
	d, err := time.ParseDuration(words[1])
	if err == nil {
		c.quorum.ails(t, d)
	}
	return err
}

// loseHost kills one of the hosts on an agent's machine, if there is any.
func (a *agentNode) loseHost() {
	for _, id := range a.ids {
		if h := a.hosts[id]; !h.over && h.up {
			h.excused = true
			h.end("killed by a fault")
			return
		}
	}
}

func (c *simulation) agentNamed(name string) (*agentNode, error) {
	n, err := numberIn(name, "agent", len(c.agents))
	if err != nil {
		return nil, err
	}
	return c.agents[n], nil
}

func (c *simulation) pairNamed(words []string) (p, q *process, err error) {
	if p, err = c.processNamed(words[0]); err == nil {
		q, err = c.processNamed(words[1])
	}
	return p, q, err
}

func (c *simulation) processNamed(name string) (*process, error) {
	switch {
	case name == "quorum":
		return c.quorum.process, nil
	case name == "master" && c.quorum.leader == nil:
		return c.masters[0].process, nil
	case name == "master":
		return c.quorum.leader.process, nil
	case strings.HasPrefix(name, "master"):
		n, err := numberIn(name, "master", len(c.masters))
		if err != nil {
			return nil, err
		}
		return c.masters[n].process, nil
	case strings.HasPrefix(name, "scheduler"):
		n, err := numberIn(name, "scheduler", len(c.schedulers))
		if err != nil {
			return nil, err
		}
		return c.schedulers[n].process, nil
	}
	a, err := c.agentNamed(name)
	if err != nil {
		return nil, err
	}
	return a.process, nil
}

// crasherAt is whose process it is; nil for the quorum's.
func (c *simulation) crasherAt(p *process) crasher {
	for _, m := range c.masters {
		if m.process == p {
			return m
		}
	}
	for _, s := range c.schedulers {
		if s.process == p {
			return s
		}
	}
	for _, a := range c.agents {
		if a.process == p {
			return a
		}
	}
	return nil
}

func numberIn(name, prefix string, limit int) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, prefix))
	if err != nil || !strings.HasPrefix(name, prefix) || n < 0 || n >= limit {
		return 0, fmt.Errorf("%q is no %s from 0 to %d", name, prefix, limit-1)
	}
	return n, nil
}
