package app

import "time"

// App is something of which a number of instances run for ever.
type App struct {
	ID           Path
	Role         string // of which resources are taken; "" is the framework's default
	Process      Process
	Container    *Container // nil: none
	Resources    Resources
	Instances    int
	Labels       map[string]string
	Networks     []Network // never empty
	Ports        []Port    // on the host's network; with others the container maps ports
	RequirePorts bool      // the host port must be the service port
	Placement    Placement
	Checks       Checks
	Dependencies []Path // apps and groups that must be well before this one starts
	Upgrade      Upgrade
	Backoff      Backoff
	Kill         Kill
	Unreachable  Unreachable
	Version      Version
	History      History
}

// Process is what an instance executes. Command and Args exclude each other.
type Process struct {
	Command  string // for /bin/sh -c; "" is none
	Args     []string
	User     string
	Env      map[string]Value
	Secrets  map[string]string // what each is called here, and its source
	Fetch    []Artifact
	Executor string // "" or "//cmd" is the built-in one
	TTY      *bool  // nil: not said
}

// Value of an environment variable: a text, or the secret that is called so in
// Process.Secrets.
type Value struct {
	Text   string
	Secret string // "" is none
}

// Artifact is fetched into the sandbox before an instance starts.
type Artifact struct {
	URI        string
	Extract    bool
	Executable bool
	Cache      bool
	Path       string // where in the sandbox; "" is the last part of the URI
}

// Resources of one instance.
type Resources struct {
	CPUs     float64
	Mem      float64 // MiB
	Disk     float64 // MiB
	GPUs     int
	Limits   *Limits         // nil: what is asked for is the limit
	Executor *ExecutorShares // nil: the framework's default
}

// Limits up to which an instance may go beyond its resources where there are any
// to spare. Infinity is unlimited, nil is the amount that is asked for.
type Limits struct {
	CPUs *float64
	Mem  *float64 // MiB
}

// ExecutorShares are the resources of a custom executor.
type ExecutorShares struct {
	CPUs, Mem, Disk float64
}

// Network modes.
const (
	ModeHost      = "host"
	ModeBridge    = "container/bridge"
	ModeContainer = "container"
)

// Network that instances are on.
type Network struct {
	Mode   string
	Name   string // of a container network
	Labels map[string]string
}

// Port that instances have on their host's network.
type Port struct {
	Number   int    // the service port; 0 until one is assigned. With RequirePorts the host's
	Protocol string // tcp, udp or "udp,tcp"
	Name     string
	Labels   map[string]string
}

// Placement is where instances may run.
type Placement struct {
	Constraints []Constraint
	Roles       []string // whose offers are taken, "*" and the app's; empty: any of the two
}

// Constraint on the agents of an app's instances, in the words of
// frameworks/match.
type Constraint struct {
	Field    string  // an attribute, hostname, @hostname, @region or @zone
	Operator string  // one of match.Operators, in capitals
	Value    *string // nil: none
}

// Upgrade says how many instances there may be while they are replaced, as shares
// of Instances between 0 and 1.
type Upgrade struct {
	MinimumHealth float64 // so many are healthy at any time
	MaximumOver   float64 // so many are there beyond Instances
}

// Backoff between starts of an app whose instances end.
type Backoff struct {
	First  time.Duration
	Factor float64
	Most   time.Duration
}

// Kill selections.
const (
	YoungestFirst = "YOUNGEST_FIRST"
	OldestFirst   = "OLDEST_FIRST"
)

// Kill says which instances end first when there are too many, and how.
type Kill struct {
	Selection string
	Grace     *time.Duration // nil: the agent's default
}

// Unreachable says what becomes of instances on agents that are cut off.
type Unreachable struct {
	Disabled bool // they are waited for, for ever
	Inactive time.Duration
	Expunge  time.Duration
}

// Labels that mean something.
const (
	// LabelSingle on an app with the value "true": never two instances at once.
	LabelSingle = "MARATHON_SINGLE_INSTANCE_APP"
	// LabelInPlace on an app with the value "true": a change of what instances
	// do not see replaces none of them (see Compare).
	LabelInPlace = "TROUPE_UPDATE_IN_PLACE"
	// LabelEverywhere on an app with the value "true": one instance on every agent
	// that its constraints allow, however many there are. It must be unique by host;
	// with 0 instances it is on none.
	LabelEverywhere = "TROUPE_EVERY_AGENT"
)

// Everywhere tells whether the number of instances follows that of the agents.
func (a *App) Everywhere() bool { return a.Labels[LabelEverywhere] == "true" }

// Single tells whether never two instances may run at once.
func (a *App) Single() bool { return a.Labels[LabelSingle] == "true" }

// Resident tells whether instances have persistent volumes, and so belong to an
// agent.
func (a *App) Resident() bool {
	if a.Container == nil {
		return false
	}
	for i := range a.Container.Volumes {
		if a.Container.Volumes[i].Persistent != nil {
			return true
		}
	}
	return false
}

// OnHost tells whether instances are on the network of their host.
func (a *App) OnHost() bool {
	for _, n := range a.Networks {
		if n.Mode != ModeHost {
			return false
		}
	}
	return true
}

// ServicePorts are the service ports in the order in which they are defined.
func (a *App) ServicePorts() []int {
	ports := []int{}
	for _, p := range a.servicePorts() {
		ports = append(ports, *p)
	}
	return ports
}

// servicePorts points at the service ports in the order of their definition.
func (a *App) servicePorts() []*int {
	var ports []*int
	if a.OnHost() {
		for i := range a.Ports {
			ports = append(ports, &a.Ports[i].Number)
		}
	} else if a.Container != nil {
		for i := range a.Container.Mappings {
			ports = append(ports, &a.Container.Mappings[i].ServicePort)
		}
	}
	return ports
}
