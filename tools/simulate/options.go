package simulate

import (
	"fmt"
	"strings"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Options of a simulation. A zero value means its default.
type Options struct {
	// The first seed, and how many in a row; 1 and 1.
	Seed  uint64
	Seeds int
	// Of the cluster; 1 or 3 by the seed, 20, and 2 frameworks with 50 tasks each.
	Masters, Agents, Frameworks, Tasks int
	// How long faults happen; 5 min.
	Duration time.Duration
	// The mean time between two random faults; 0 means 8 s, negative none.
	FaultEvery time.Duration
	// Path of a scenario: its settings replace those above, and its faults
	// come besides random ones. Empty means none.
	Scenario string
	// Of every agent, as in --resources; "cpus:4;mem:2048;disk:1024;ports:[31000-31100]".
	AgentResources string
	// As the master's option; 2 min.
	AgentReregisterTimeout time.Duration
	// How many lines of a failing run are shown; 40. Negative shows none.
	Trace int
	// Show every line of it, not only those about the task that failed.
	WholeTrace bool

	// EachMinute is called after every minute of the time that faults happen; nil
	// is nothing.
	EachMinute func()

	// The hash covers what messages say, too; for tests of repetition.
	contents bool
	// Breaks a law on purpose; for tests of the oracles.
	sabotage func(*simulation)
	script   []scripted
}

const defaultResources = "cpus:4;mem:2048;disk:1024;ports:[31000-31100]"

// scripted is a fault of a scenario.
type scripted struct {
	at    time.Duration
	words []string
}

func (o Options) withDefaults() (Options, error) {
	if o.Scenario != "" {
		if err := o.readScenario(); err != nil {
			return o, err
		}
	}
	set(&o.Seed, 1)
	set(&o.Seeds, 1)
	set(&o.Agents, 20)
	set(&o.Frameworks, 2)
	set(&o.Tasks, 50)
	set(&o.Duration, 5*time.Minute)
	set(&o.FaultEvery, 8*time.Second)
	set(&o.AgentResources, defaultResources)
	set(&o.AgentReregisterTimeout, 2*time.Minute)
	set(&o.Trace, 40)
	if _, err := resources.Parse(o.AgentResources, "*"); err != nil {
		return o, fmt.Errorf("simulate: resources of agents: %w", err)
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"seeds", o.Seeds}, {"masters", o.Masters}, {"agents", o.Agents}, {"frameworks", o.Frameworks}, {"tasks", o.Tasks}} {
		if n.value < 0 {
			return o, fmt.Errorf("simulate: %s is %d, must not be negative", n.name, n.value)
		}
	}
	return o, nil
}

func set[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// mastersOf is how many masters a seed has.
func (o Options) mastersOf(seed uint64) int {
	switch {
	case o.Masters > 0:
		return o.Masters
	case seed%3 == 0:
		return 1
	}
	return 3
}

func (o Options) agentTotal() []*mesos.Resource { return resources.MustParse(o.AgentResources).Proto() }

// command is how to run one seed again.
func (o Options) command(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "troupe simulate --seed %d --seeds 1", seed)
	if o.Scenario != "" {
		fmt.Fprintf(&b, " --scenario %s", o.Scenario)
		return b.String()
	}
	every := "-1secs"
	if o.FaultEvery > 0 {
		every = fmt.Sprintf("%dms", o.FaultEvery.Milliseconds())
	}
	if o.Masters > 0 {
		fmt.Fprintf(&b, " --masters %d", o.Masters)
	}
	fmt.Fprintf(&b, " --agents %d --frameworks %d --tasks %d --duration %dsecs --fault_every=%s",
		o.Agents, o.Frameworks, o.Tasks, int(o.Duration.Seconds()), every)
	if o.AgentResources != defaultResources {
		fmt.Fprintf(&b, " --resources '%s'", o.AgentResources)
	}
	return b.String()
}
