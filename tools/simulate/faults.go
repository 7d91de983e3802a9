package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// faults are the words of a fault: in scenarios, in traces, and as chance
// makes them up.
//
//	break agent3 master    ends the link between two processes, if there is one
//	cut agent3 20s         lets no packet in or out for a time; also master, scheduler1
//	crash agent3           kills a process, which comes back; also master, scheduler1
//	power agent3           ends an agent's process and all that runs there
//	host agent3            kills one of an agent's executor hosts
//	allocator              replaces the allocator by an empty one
func (c *simulation) fault(words []string) error {
	c.net.note("fault: %s", strings.Join(words, " "))
	arguments := map[string]int{"break": 2, "cut": 2, "crash": 1, "power": 1, "host": 1, "allocator": 0}
	n, known := arguments[words[0]]
	if !known || len(words) != n+1 {
		return fmt.Errorf("fault %q: want one of break A B, cut A TIME, crash A, power AGENT, host AGENT, allocator", strings.Join(words, " "))
	}
	switch words[0] {
	case "allocator":
		if c.master.up {
			c.master.replaceAllocator()
		}
		return nil
	case "break":
		return c.faultBreak(words[1], words[2])
	case "cut":
		d, err := time.ParseDuration(words[2])
		if err != nil {
			return fmt.Errorf("fault cut: %w", err)
		}
		p, err := c.processNamed(words[1])
		if err == nil {
			c.net.partition(p, d)
		}
		return err
	case "crash":
		return c.faultCrash(words[1])
	}
	a, err := c.agentNamed(words[1])
	if err != nil || !a.up && words[0] == "power" {
		return err
	}
	if words[0] == "power" {
		a.powerFailure()
		return nil
	}
	a.loseHost()
	return nil
}

// loseHost kills one of the hosts on an agent's machine, if there is any.
func (a *agentNode) loseHost() {
	for _, id := range a.ids {
		if h := a.hosts[id]; !h.over && h.up {
			h.end("killed by a fault")
			return
		}
	}
}

func (c *simulation) faultBreak(one, other string) error {
	p, err := c.processNamed(one)
	if err != nil {
		return err
	}
	q, err := c.processNamed(other)
	if err != nil {
		return err
	}
	if l := p.links[q]; l != nil {
		c.net.breakLink(l, nil)
	}
	return nil
}

func (c *simulation) faultCrash(name string) error {
	switch {
	case name == "master":
		if c.master.up {
			c.master.kill()
			c.net.after(c.net.between(100*time.Millisecond, 30*time.Second), c.master.boot)
		}
		return nil
	case strings.HasPrefix(name, "scheduler"):
		n, err := numberIn(name, "scheduler", len(c.schedulers))
		if err == nil && c.schedulers[n].up {
			c.schedulers[n].crash()
		}
		return err
	}
	a, err := c.agentNamed(name)
	if err == nil && a.up {
		a.crash()
	}
	return err
}

func (c *simulation) agentNamed(name string) (*agentNode, error) {
	n, err := numberIn(name, "agent", len(c.agents))
	if err != nil {
		return nil, err
	}
	return c.agents[n], nil
}

func (c *simulation) processNamed(name string) (*process, error) {
	switch {
	case name == "master":
		return c.master.process, nil
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

func numberIn(name, prefix string, limit int) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, prefix))
	if err != nil || !strings.HasPrefix(name, prefix) || n < 0 || n >= limit {
		return 0, fmt.Errorf("fault: %q is no %s from 0 to %d", name, prefix, limit-1)
	}
	return n, nil
}

// inventFaults makes up one fault after another until end.
func (c *simulation) inventFaults(end time.Time) {
	if c.options.FaultEvery < 0 {
		return
	}
	wait := c.net.between(0, 2*c.options.FaultEvery)
	if c.net.now.Add(wait).After(end) {
		return
	}
	c.net.after(wait, func() {
		if err := c.fault(c.inventFault()); err != nil {
			c.fail("%v", err)
		}
		c.inventFaults(end)
	})
}

func (c *simulation) inventFault() []string {
	agent := fmt.Sprint("agent", c.net.chance.IntN(len(c.agents)))
	scheduler := fmt.Sprint("scheduler", c.net.chance.IntN(len(c.schedulers)))
	pause := c.net.between(time.Second, 4*time.Minute).Round(time.Second).String()
	switch n := c.net.chance.IntN(100); {
	case n < 20:
		return []string{"break", agent, "master"}
	case n < 30:
		return []string{"break", scheduler, "master"}
	case n < 45:
		return []string{"cut", agent, pause}
	case n < 50:
		return []string{"cut", scheduler, pause}
	case n < 53:
		return []string{"cut", "master", c.net.between(time.Second, 40*time.Second).Round(time.Second).String()}
	case n < 70:
		return []string{"crash", agent}
	case n < 80:
		return []string{"crash", scheduler}
	case n < 86:
		return []string{"crash", "master"}
	case n < 90:
		return []string{"power", agent}
	case n < 97:
		return []string{"host", agent}
	}
	return []string{"allocator"}
}
