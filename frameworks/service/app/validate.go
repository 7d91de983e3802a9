package app

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"troupe/frameworks/match"
)

// Validate tells all that is wrong with an app as such; what is wrong with its
// place among others is Structure's to tell. Service ports may be 0.
func (a *App) Validate(r Rules) Problems {
	p := &problems{}
	if why := a.ID.checkLast(); why != "" {
		p.add("/id", why)
	}
	a.checkProcess(p)
	a.checkSecrets(p, r)
	a.checkResources(p, r)
	a.checkPlacement(p, r)
	a.checkNetworks(p)
	a.checkPorts(p)
	a.checkContainer(p, r)
	a.checkHealth(p)
	a.checkInfo(p)
	a.checkReadiness(p)
	a.checkUpgrade(p)
	a.checkTimes(p)
	return p.found
}

// ValidateUpdate tells what of an app cannot become what next says: instances
// with persistent volumes are where their volumes are, with what was reserved.
func (a *App) ValidateUpdate(next *App) Problems {
	p := &problems{}
	if !a.Resident() {
		return nil
	}
	const fixed = "Resident apps' resources can't be changed"
	before, after := &a.Resources, &next.Resources
	p.when(before.CPUs != after.CPUs, "/cpus", fixed)
	p.when(before.Mem != after.Mem, "/mem", fixed)
	p.when(before.Disk != after.Disk, "/disk", fixed)
	p.when(before.GPUs != after.GPUs, "/gpus", fixed)
	p.when(a.RequirePorts != next.RequirePorts, "/requirePorts", fixed)
	p.when(!slices.EqualFunc(persistent(a), persistent(next), sameVolume), "/container/volumes", "Resident apps' volumes can't be changed")
	p.when(!slices.Equal(a.hostPorts(), next.hostPorts()), "/portDefinitions", fixed)
	return p.found
}

func persistent(a *App) []Volume {
	if a.Container == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Container.Volumes), func(v Volume) bool { return v.Persistent == nil })
}

// hostPorts are the host ports that an app wants, -1 for each that may be any.
func (a *App) hostPorts() []int {
	var ports []int
	if a.OnHost() {
		for _, d := range a.Ports {
			if a.RequirePorts {
				ports = append(ports, d.Number)
			} else {
				ports = append(ports, -1)
			}
		}
	} else if a.Container != nil {
		for _, m := range a.Container.Mappings {
			if m.HostPort != nil && *m.HostPort != 0 {
				ports = append(ports, *m.HostPort)
			} else if m.HostPort != nil {
				ports = append(ports, -1)
			}
		}
	}
	return ports
}

// RoleOr is the role of an app, or the one that those have that name none.
func (a *App) RoleOr(other string) string {
	if a.Role != "" {
		return a.Role
	}
	return other
}

var executor = regexp.MustCompile(`^(//cmd|/?[^/]+(/[^/]+)*)?$`)

func (a *App) checkProcess(p *problems) {
	run := &a.Process
	contained := a.Container != nil && (a.Container.Image != nil || a.Container.Type == Mesos)
	switch {
	case run.Command != "" && len(run.Args) > 0:
		p.add("/", "AppDefinition cannot specify both cmd and args.")
	case run.Command == "" && len(run.Args) == 0 && !contained:
		p.add("/", "AppDefinition must contain one of 'cmd' or 'args', and/or a 'container'.")
	}
	p.when(!executor.MatchString(run.Executor), "/executor", fmt.Sprintf("got %s, expected //cmd or the path of an executor", run.Executor))
	for i, f := range run.Fetch {
		p.when(f.URI == "", fmt.Sprintf("/fetch(%d)/uri", i), "must not be empty")
		p.when(strings.HasPrefix(f.Path, "/") || slices.Contains(strings.Split(f.Path, "/"), ".."),
			fmt.Sprintf("/fetch(%d)/destPath", i), "must be a path within the sandbox")
	}
	for _, name := range sorted(run.Env) {
		p.when(name == "" || strings.ContainsAny(name, "=\x00"), "/env", fmt.Sprintf("%q is no name of a variable", name))
		p.when(strings.ContainsRune(run.Env[name].Text, 0), fmt.Sprintf("/env(%s)", name), "must not have a zero byte")
	}
	p.when(strings.ContainsRune(run.Command, 0), "/cmd", "must not have a zero byte")
	for i, arg := range run.Args {
		p.when(strings.ContainsRune(arg, 0), fmt.Sprintf("/args(%d)", i), "must not have a zero byte")
	}
}

func (a *App) checkSecrets(p *problems, r Rules) {
	run := &a.Process
	const disabled = "Feature secrets is not enabled. Enable with --enable_features secrets)"
	p.when(len(run.Secrets) > 0 && !r.Secrets, "/secrets", disabled)
	for _, name := range sorted(run.Secrets) {
		p.when(run.Secrets[name] == "", fmt.Sprintf("/secrets(%s)/source", name), "must not be empty")
	}
	known := func(path, name string) {
		if name == "" {
			return
		}
		_, ok := run.Secrets[name]
		p.when(!ok, path, fmt.Sprintf("references an undefined secret: %s", name))
	}
	for _, name := range sorted(run.Env) {
		known(fmt.Sprintf("/env(%s)/secret", name), run.Env[name].Secret)
	}
	if a.Container == nil {
		return
	}
	for i, v := range a.Container.Volumes {
		known(fmt.Sprintf("/container/volumes(%d)/secret", i), v.Secret)
	}
	if a.Container.Image != nil {
		known("/container/docker/pullConfig/secret", a.Container.Image.PullSecret)
	}
}

// uniqueByHost tells whether no host has two instances.
func (a *App) uniqueByHost() bool {
	return slices.ContainsFunc(a.Placement.Constraints, func(c Constraint) bool {
		return c.Operator == "UNIQUE" && (c.Field == "hostname" || c.Field == "@hostname")
	})
}

func (a *App) checkResources(p *problems, r Rules) {
	s := &a.Resources
	least(p, "/instances", a.Instances, 0)
	p.when(a.Instances > mostInstances, "/instances", fmt.Sprintf("got %d, expected at most %d", a.Instances, mostInstances))
	p.when(a.Everywhere() && !a.uniqueByHost(), "/constraints", `an app with the label `+LabelEverywhere+` must have ["hostname", "UNIQUE"]`)
	p.when(a.Instances > 1 && a.Single(), "/instances", "an app with the label "+LabelSingle+" may have at most one instance")
	least(p, "/cpus", s.CPUs, 0.001)
	least(p, "/mem", s.Mem, 0)
	least(p, "/disk", s.Disk, 0)
	least(p, "/gpus", s.GPUs, 0)
	for _, q := range []struct {
		path string
		got  float64
	}{{"/cpus", s.CPUs}, {"/mem", s.Mem}, {"/disk", s.Disk}} {
		p.when(q.got > 1e12, q.path, "is more than any agent has")
	}
	p.when(s.GPUs > 0 && !r.GPUs, "/gpus", "Feature gpu_resources is not enabled. Enable with --enable_features gpu_resources)")
	p.when(s.GPUs > 0 && a.Container != nil && a.Container.Type == Docker, "/gpus", "GPU resources only work with the Mesos containerizer")
	if e := s.Executor; e != nil {
		least(p, "/executorResources/cpus", e.CPUs, 0.1)
		least(p, "/executorResources/mem", e.Mem, 32)
		least(p, "/executorResources/disk", e.Disk, 10)
	}
	if l := s.Limits; l != nil {
		limit(p, "/resourceLimits/cpus", l.CPUs, s.CPUs)
		limit(p, "/resourceLimits/mem", l.Mem, s.Mem)
	}
}

func limit(p *problems, path string, got *float64, request float64) {
	if got != nil && !math.IsInf(*got, 1) {
		least(p, path, *got, request)
	}
}

// mostConstraints is how many an app may have.
const mostConstraints = 128

func (a *App) checkPlacement(p *problems, r Rules) {
	seen := map[string]bool{}
	p.when(len(a.Placement.Constraints) > mostConstraints, "/constraints", fmt.Sprintf("are more than %d", mostConstraints))
	for i, c := range a.Placement.Constraints {
		path := fmt.Sprintf("/constraints(%d)", i)
		if why := c.check(); why != "" {
			p.add(path, why)
		}
		key := fmt.Sprintf("%q", c.Texts())
		p.when(seen[key], path, "Elements must be unique")
		seen[key] = true
	}
	if why := checkRole(a.Role); why != "" {
		p.add("/role", why)
	} else {
		a.checkAccepted(p, r)
	}
	unique(p, "/dependencies", "Elements", len(a.Dependencies), func(i int) string { return string(a.Dependencies[i]) })
}

// longestRole is how long a role may be, in bytes.
const longestRole = 255

// checkRole says what is wrong with an app's role, or "".
func checkRole(role string) string {
	switch {
	case len(role) > longestRole:
		return fmt.Sprintf("is longer than %d bytes", longestRole)
	case strings.ContainsAny(role, "/\\ \t\n"), role == ".", role == "..", role == "*", strings.HasPrefix(role, "-"):
		return fmt.Sprintf("%q is no role that an app can have", role)
	}
	return ""
}

func (a *App) checkAccepted(p *problems, r Rules) {
	accepted := a.Placement.Roles
	if accepted == nil {
		return
	}
	p.when(len(accepted) == 0, "/acceptedResourceRoles", "must not be empty")
	for i, role := range accepted {
		oneOf(p, fmt.Sprintf("/acceptedResourceRoles(%d)", i), role, "*", a.RoleOr(r.Role))
	}
	p.when(a.Resident() && !slices.Equal(accepted, []string{"*"}), "/acceptedResourceRoles",
		"A resident app must have acceptedResourceRoles = [\"*\"].")
}

// Texts are the parts of a constraint, as match reads them.
func (c Constraint) Texts() []string {
	if c.Value == nil {
		return []string{c.Field, c.Operator}
	}
	return []string{c.Field, c.Operator, *c.Value}
}

// check says what is wrong with a constraint, or "".
func (c Constraint) check() string {
	if _, err := match.ParseOne(c.Texts()); err != nil {
		return err.Error()
	}
	return ""
}

func (a *App) checkUpgrade(p *problems) {
	u := a.Upgrade
	share := func(path string, got float64) {
		if !(got >= 0 && got <= 1) {
			p.add(path, fmt.Sprintf("got %v, expected between 0.0 and 1.0", got))
		}
	}
	share("/upgradeStrategy/minimumHealthCapacity", u.MinimumHealth)
	share("/upgradeStrategy/maximumOverCapacity", u.MaximumOver)
	if a.Single() {
		p.when(u.MinimumHealth != 0, "/upgradeStrategy/minimumHealthCapacity", fmt.Sprintf("got %v, expected 0.0", u.MinimumHealth))
	}
	if a.Single() || a.Resident() {
		p.when(u.MaximumOver != 0, "/upgradeStrategy/maximumOverCapacity", fmt.Sprintf("got %v, expected 0.0", u.MaximumOver))
	}
}

func (a *App) checkTimes(p *problems) {
	notNegative(p, "/backoffSeconds", a.Backoff.First)
	notNegative(p, "/maxLaunchDelaySeconds", a.Backoff.Most)
	least(p, "/backoffFactor", a.Backoff.Factor, 1)
	oneOf(p, "/killSelection", a.Kill.Selection, YoungestFirst, OldestFirst)
	if a.Kill.Grace != nil {
		notNegative(p, "/taskKillGracePeriodSeconds", *a.Kill.Grace)
	}
	u := a.Unreachable
	if u.Disabled {
		return
	}
	p.when(a.Resident(), "/unreachableStrategy", "unreachableStrategy must be disabled for resident tasks")
	notNegative(p, "/unreachableStrategy/inactiveAfterSeconds", u.Inactive)
	notNegative(p, "/unreachableStrategy/expungeAfterSeconds", u.Expunge)
	p.when(u.Inactive > u.Expunge, "/unreachableStrategy", "inactiveAfterSeconds must be less or equal to expungeAfterSeconds")
}

func notNegative(p *problems, path string, d time.Duration) {
	least(p, path, int64(d/time.Second), 0)
}

// sorted are the keys of a map in order, so that problems always are.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
