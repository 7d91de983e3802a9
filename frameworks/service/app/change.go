package app

import (
	"maps"
	"slices"
)

// Change is how much two versions of an app differ. Each one takes in those before
// it.
type Change int

// The changes, from none to the one that replaces all instances.
const (
	// Same: nothing but stamps.
	Same Change = iota
	// Scaled: there are to be more or fewer instances.
	Scaled
	// Edited: only what instances do not see, and the app wants that in place:
	// labels, dependencies, placement, upgrade, backoff, kill and unreachable
	// strategies, readiness, and health checks that the framework performs. What
	// runs stays, with the labels that its environment already has.
	Edited
	// Replaced: every instance must be replaced.
	Replaced
)

// String is the name of the change.
func (c Change) String() string {
	names := []string{"same", "scaled", "edited", "replaced"}
	if c < 0 || int(c) >= len(names) {
		return "unknown"
	}
	return names[c]
}

// Compare tells how much next differs from old. As with Marathon every difference
// but that of instances replaces all of them, labels included, unless next
// carries LabelInPlace.
func Compare(old, next *App) Change {
	same := sameInside(old, next)
	switch around := sameAround(old, next); {
	case same && around && old.Instances == next.Instances:
		return Same
	case same && around:
		return Scaled
	case same && next.Labels[LabelInPlace] == "true":
		return Edited
	}
	return Replaced
}

// Stamp is next as it replaces old at a version: with the version and history
// that follow from the change. old is nil for a new app. What is the same keeps
// its stamps.
func Stamp(old, next *App, at Version) *App {
	a := *next
	if old == nil {
		a.Version, a.History = at, History{at, at}
		return &a
	}
	a.Version, a.History = at, old.History
	switch Compare(old, next) {
	case Same:
		a.Version = old.Version
	case Scaled:
		a.History.LastScaling = at
	case Edited:
		if old.Instances != next.Instances {
			a.History.LastScaling = at
		}
	case Replaced:
		a.History = History{at, at}
	}
	return &a
}

// Restarted is a with the stamps of one whose instances are to be replaced
// although nothing changed.
func Restarted(a *App, at Version) *App {
	next := *a
	next.Version, next.History.LastConfig = at, at
	return &next
}

// Clone is a copy whose fields may be set; what they point at is shared, and must
// be replaced rather than changed.
func (a *App) Clone() *App {
	next := *a
	return &next
}

// sameInside tells whether the instances of both are alike.
func sameInside(a, b *App) bool {
	return a.ID == b.ID && a.Role == b.Role &&
		sameProcess(&a.Process, &b.Process) &&
		same(a.Container, b.Container, sameContainer) &&
		sameResources(&a.Resources, &b.Resources) &&
		slices.EqualFunc(a.Networks, b.Networks, func(m, n Network) bool {
			return m.Mode == n.Mode && m.Name == n.Name && maps.Equal(m.Labels, n.Labels)
		}) &&
		slices.EqualFunc(a.Ports, b.Ports, func(m, n Port) bool {
			return m.Number == n.Number && m.Protocol == n.Protocol && m.Name == n.Name && maps.Equal(m.Labels, n.Labels)
		}) &&
		a.RequirePorts == b.RequirePorts &&
		slices.EqualFunc(performed(a, true), performed(b, true), sameHealth) &&
		same(a.Checks.Info, b.Checks.Info, sameCheck)
}

// sameAround tells whether both are treated alike.
func sameAround(a, b *App) bool {
	return maps.Equal(a.Labels, b.Labels) &&
		sameConstraints(a.Placement.Constraints, b.Placement.Constraints) &&
		slices.Equal(a.Placement.Roles, b.Placement.Roles) &&
		slices.Equal(a.Dependencies, b.Dependencies) &&
		a.Upgrade == b.Upgrade && a.Backoff == b.Backoff && a.Unreachable == b.Unreachable &&
		a.Kill.Selection == b.Kill.Selection && equal(a.Kill.Grace, b.Kill.Grace) &&
		slices.EqualFunc(performed(a, false), performed(b, false), sameHealth) &&
		slices.EqualFunc(a.Checks.Readiness, b.Checks.Readiness, func(m, n Readiness) bool {
			return m.Name == n.Name && m.Protocol == n.Protocol && m.Path == n.Path && m.PortName == n.PortName &&
				m.Interval == n.Interval && m.Timeout == n.Timeout && m.Keep == n.Keep && slices.Equal(m.Codes, n.Codes)
		})
}

// performed are the health checks that the agent performs, or the others.
func performed(a *App, onAgent bool) []HealthCheck {
	return slices.DeleteFunc(slices.Clone(a.Checks.Health), func(h HealthCheck) bool { return h.OnAgent() != onAgent })
}

// equal compares what may be unset.
func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// same compares what may be unset.
func same[T any](a, b *T, f func(a, b *T) bool) bool {
	return a == b || a != nil && b != nil && f(a, b)
}

func sameProcess(a, b *Process) bool {
	return a.Command == b.Command && slices.Equal(a.Args, b.Args) && a.User == b.User &&
		maps.Equal(a.Env, b.Env) && maps.Equal(a.Secrets, b.Secrets) && slices.Equal(a.Fetch, b.Fetch) &&
		a.Executor == b.Executor && equal(a.TTY, b.TTY)
}

func sameResources(a, b *Resources) bool {
	return a.CPUs == b.CPUs && a.Mem == b.Mem && a.Disk == b.Disk && a.GPUs == b.GPUs &&
		same(a.Limits, b.Limits, func(a, b *Limits) bool { return equal(a.CPUs, b.CPUs) && equal(a.Mem, b.Mem) }) &&
		equal(a.Executor, b.Executor)
}

func sameConstraints(a, b []Constraint) bool {
	return slices.EqualFunc(a, b, func(m, n Constraint) bool {
		return m.Field == n.Field && m.Operator == n.Operator && equal(m.Value, n.Value)
	})
}

func sameHealth(a, b HealthCheck) bool {
	if !equal(a.Port, b.Port) || !equal(a.PortIndex, b.PortIndex) {
		return false
	}
	a.Port, a.PortIndex, b.Port, b.PortIndex = nil, nil, nil, nil
	return a == b
}

func sameCheck(a, b *Check) bool {
	return a.Command == b.Command && a.Interval == b.Interval && a.Timeout == b.Timeout && a.Delay == b.Delay &&
		same(a.HTTP, b.HTTP, func(a, b *HTTPCheck) bool {
			return a.Path == b.Path && a.Scheme == b.Scheme && equal(a.Port, b.Port) && equal(a.PortIndex, b.PortIndex)
		}) &&
		same(a.TCP, b.TCP, func(a, b *TCPCheck) bool { return equal(a.Port, b.Port) && equal(a.PortIndex, b.PortIndex) })
}

func sameContainer(a, b *Container) bool {
	return a.Type == b.Type && same(a.Image, b.Image, sameImage) &&
		slices.EqualFunc(a.Volumes, b.Volumes, sameVolume) &&
		slices.EqualFunc(a.Mappings, b.Mappings, func(m, n Mapping) bool {
			return m.ContainerPort == n.ContainerPort && equal(m.HostPort, n.HostPort) && m.ServicePort == n.ServicePort &&
				m.Protocol == n.Protocol && m.Name == n.Name && maps.Equal(m.Labels, n.Labels) && slices.Equal(m.Networks, n.Networks)
		}) &&
		same(a.Linux, b.Linux, func(a, b *Linux) bool { return equal(a.Seccomp, b.Seccomp) && equal(a.IPC, b.IPC) })
}

func sameImage(a, b *Image) bool {
	return a.Name == b.Name && a.ForcePull == b.ForcePull && a.Privileged == b.Privileged &&
		slices.Equal(a.Parameters, b.Parameters) && a.PullSecret == b.PullSecret
}

func sameVolume(a, b Volume) bool {
	return a.Path == b.Path && a.Mode == b.Mode && a.Host == b.Host && a.Secret == b.Secret &&
		same(a.Persistent, b.Persistent, samePersistent) &&
		same(a.External, b.External, func(a, b *External) bool {
			return a.Size == b.Size && a.Name == b.Name && a.Provider == b.Provider && a.Shared == b.Shared && maps.Equal(a.Options, b.Options)
		})
}

func samePersistent(a, b *Persistent) bool {
	return a.Type == b.Type && a.Size == b.Size && a.MaxSize == b.MaxSize && a.Profile == b.Profile &&
		sameConstraints(a.Constraints, b.Constraints)
}
