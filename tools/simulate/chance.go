package simulate

import (
	"fmt"
	"time"
)

// inventFaults makes up one fault after another until end.
func (c *simulation) inventFaults(end time.Time) {
	if c.options.FaultEvery < 0 {
		return
	}
	wait := c.net.between(0, 2*c.options.FaultEvery)
	if c.net.now.Add(wait).After(end) {
		c.net.at(end, c.mend)
		return
	}
	c.net.after(wait, func() {
		if err := c.fault(c.inventFault()); err != nil {
			c.fail("%v", err)
		}
		c.inventFaults(end)
	})
}

// mend takes back what would not pass by itself.
func (c *simulation) mend() {
	for _, p := range c.processes() {
		p.off = 0
	}
	c.reactivateAll()
}

// inventFault draws a fault: each kind has a share of a hundred.
func (c *simulation) inventFault() []string {
	agent := fmt.Sprint("agent", c.net.chance.IntN(len(c.agents)))
	scheduler := fmt.Sprint("scheduler", c.net.chance.IntN(len(c.schedulers)))
	pause := c.duration(time.Second, 4*time.Minute)
	if c.net.oneIn(12) {
		return c.inventSetting()
	}
	switch n := c.net.chance.IntN(100); {
	case n < 9:
		return []string{"break", agent, c.anyMaster()}
	case n < 15:
		return []string{"break", scheduler, c.anyMaster()}
	case n < 25:
		return []string{"cut", agent, pause}
	case n < 29:
		return []string{"cut", scheduler, pause}
	case n < 38:
		return []string{"crash", agent}
	case n < 43:
		return []string{"crash", scheduler}
	case n < 45:
		return []string{"takeover", scheduler}
	case n < 46:
		return []string{"teardown", scheduler}
	case n < 50:
		return []string{"power", agent}
	case n < 53:
		return []string{"host", agent}
	case n < 55:
		return []string{"disk", agent, []string{"full", "fails"}[c.net.chance.IntN(2)], c.duration(time.Second, time.Minute)}
	case n < 58:
		return []string{"allocator"}
	case n < 68:
		return c.inventFuse(agent, scheduler)
	case n < 72:
		return []string{"clock", []string{agent, scheduler, c.anyMaster()}[n%3], c.duration(-30*24*time.Hour, 30*24*time.Hour)}
	case n < 74:
		wants := []string{"gone", "drain", "drain", "drain-away", "deactivate", "reactivate", "reserve", "reserve", "reserve", "reserve"}
		return []string{"operator", wants[c.net.chance.IntN(len(wants))], agent}
	case n < 76:
		wants := []string{"plan", "plan", "plan", "down", "up"}
		return []string{"machine", wants[c.net.chance.IntN(len(wants))], agent}
	case n < 77:
		return c.inventSetting()
	case n < 79:
		return []string{"pause", []string{agent, scheduler}[n%2], pause}
	}
	return c.inventMasterFault(agent, scheduler)
}

// inventSetting draws something that an operator sets for a role, mostly one that
// wants something.
func (c *simulation) inventSetting() []string {
	wants := []string{"guarantee", "guarantee", "limit", "none", "weight", "reserve", "reserve", "unreserve"}
	roles := []string{"*", "eng", "ops", "dev", "guest", "nobody"}
	if !c.net.oneIn(3) {
		roles = nil
		for _, s := range c.schedulers {
			for _, role := range s.kind.roles {
				roles = append(roles, topOf(role))
			}
		}
	}
	return []string{"role", wants[c.net.chance.IntN(len(wants))], roles[c.net.chance.IntN(len(roles))]}
}

// inventFuse draws a death between two effects.
func (c *simulation) inventFuse(agent, scheduler string) []string {
	who := []string{agent, agent, "master", scheduler}[c.net.chance.IntN(4)]
	return []string{"fuse", who, fmt.Sprint(1 + c.net.chance.IntN(40))}
}

// inventMasterFault draws a fault of the masters and what they stand on.
func (c *simulation) inventMasterFault(agent, scheduler string) []string {
	short := c.duration(time.Second, 40*time.Second)
	switch n := c.net.chance.IntN(24); {
	case n < 5:
		return []string{"crash", c.anyMaster()}
	case n < 7:
		return []string{"cut", c.anyMaster(), short}
	case n < 10:
		return []string{"part", c.anyMaster(), "quorum", short}
	case n < 13:
		return []string{"part", c.anyMaster(), []string{agent, scheduler}[n%2], short}
	case n < 15:
		return []string{"part", []string{agent, scheduler}[n%2], "quorum", short}
	case n < 18:
		return []string{"pause", "master", short}
	case n < 21:
		return []string{"depose"}
	}
	return []string{"store", string([]trouble{slow, fails, silent}[c.net.chance.IntN(3)]), c.duration(time.Second, 20*time.Second)}
}

// anyMaster is mostly the one that leads.
func (c *simulation) anyMaster() string {
	if c.net.oneIn(4) {
		return fmt.Sprint("master", c.net.chance.IntN(len(c.masters)))
	}
	return "master"
}

func (c *simulation) duration(low, high time.Duration) string {
	return c.net.between(low, high).Round(time.Second).String()
}
