package placement

import (
	"fmt"
	"strings"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/ports"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Recipe is an app in one version, made ready to be placed many times. It is
// immutable.
type Recipe struct {
	app      *app.App
	settings Settings
	role     string
	accepts  accepted
	rules    match.Constraints
	anywhere bool // the region does not matter
	want     amount
	executor resources.Resources // of a custom executor
	volumes  []wantedVolume
	ports    []uint64 // host ports, ports.Any for any
	parts    parts
}

// amount is what a task takes of what is plain.
type amount struct {
	all                   resources.Resources
	cpus, mem, disk, gpus resources.Milli // with what the executor takes
}

// Prepare makes an app ready, whose content is valid and whose service ports are
// assigned. The error says what keeps it from ever being launched.
func Prepare(a *app.App, s Settings) (*Recipe, error) {
	r := &Recipe{app: a, settings: s, role: a.RoleOr(s.Role)}
	if s.BridgeNetwork == "" {
		r.settings.BridgeNetwork = DefaultBridge
	}
	r.accepts = accept(a)
	var texts [][]string
	for _, c := range a.Placement.Constraints {
		texts = append(texts, c.Texts())
	}
	var err error
	if r.rules, err = match.Parse(texts); err != nil {
		return nil, fmt.Errorf("app %s: constraints: %w", a.ID, err)
	}
	r.anywhere = s.Region == "" || r.rules.Mentions(match.FieldRegion)
	if err := r.measure(); err != nil {
		return nil, fmt.Errorf("app %s: %w", a.ID, err)
	}
	if err := r.wantVolumes(); err != nil {
		return nil, fmt.Errorf("app %s: %w", a.ID, err)
	}
	r.ports = hostPorts(a)
	r.prepareParts()
	return r, nil
}

// accept says which resources an app takes: by default any, but volumes are made
// on what nobody keeps.
func accept(a *app.App) accepted {
	if len(a.Placement.Roles) == 0 {
		return accepted{unreserved: true, reserved: !a.Resident()}
	}
	var x accepted
	for _, role := range a.Placement.Roles {
		if role == names.AnyRole {
			x.unreserved = true
		} else {
			x.reserved = true
		}
	}
	return x
}

// measure works out what an instance takes.
func (r *Recipe) measure() error {
	need := r.app.Resources
	var err error
	if r.want.all, err = scalars(need.CPUs, need.Mem, need.Disk, float64(need.GPUs)); err != nil {
		return err
	}
	if x := need.Executor; x != nil && r.custom() {
		if r.executor, err = scalars(x.CPUs, x.Mem, x.Disk, 0); err != nil {
			return fmt.Errorf("executorResources: %w", err)
		}
	}
	both := r.want.all.Add(r.executor)
	r.want.cpus, r.want.mem = both.Scalar(resources.CPUs), both.Scalar(resources.Mem)
	r.want.disk, r.want.gpus = both.Scalar(resources.Disk), both.Scalar(resources.GPUs)
	if r.want.all.IsEmpty() {
		return fmt.Errorf("resources: are none at all")
	}
	return nil
}

func scalars(cpus, mem, disk, gpus float64) (resources.Resources, error) {
	var list []*mesos.Resource
	for _, q := range []struct {
		name   string
		amount float64
	}{{resources.CPUs, cpus}, {resources.Mem, mem}, {resources.Disk, disk}, {resources.GPUs, gpus}} {
		if q.amount == 0 {
			continue
		}
		list = append(list, &mesos.Resource{
			Name: &q.name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &q.amount},
		})
	}
	r, err := resources.New(list...)
	if err != nil {
		return r, fmt.Errorf("resources: %w", err)
	}
	return r, nil
}

// hostPorts are the host ports that an instance wants, in the order of their
// definition.
func hostPorts(a *app.App) []uint64 {
	var want []uint64
	if a.OnHost() {
		for _, p := range a.Ports {
			if a.RequirePorts {
				want = append(want, uint64(p.Number))
			} else {
				want = append(want, ports.Any)
			}
		}
		return want
	}
	if a.Container != nil {
		for _, m := range a.Container.Mappings {
			if m.HostPort != nil {
				want = append(want, uint64(*m.HostPort))
			}
		}
	}
	return want
}

// App is what the recipe was made of.
func (r *Recipe) App() *app.App { return r.app }

// Constraints are those that a Spread has to count for; empty: no Spread is needed.
func (r *Recipe) Constraints() match.Constraints { return r.rules }

// custom tells whether the task runs under an executor of the user's.
func (r *Recipe) custom() bool { return r.executorPath() != "" }

func (r *Recipe) executorPath() string {
	path := r.app.Process.Executor
	if path == "" {
		path = r.settings.Executor
	}
	if path == "//cmd" {
		return ""
	}
	return path
}

// suits says what about the offer itself is wrong: role, host, time.
func (r *Recipe) suits(g *Ground, a Attempt) Refusal {
	if g.role != "" && g.role != r.role {
		return no(wire.UnfulfilledRole, "the offer is for the role %q, not %q", g.role, r.role)
	}
	if a.Held == nil {
		if len(r.volumes) > 0 && r.role == names.AnyRole {
			return no(wire.UnfulfilledRole, "nothing can be reserved for the role %q, as persistent volumes need it: the app or the framework needs another role", r.role)
		}
		if bad := r.unfit(g, a); bad != nil {
			return bad
		}
	} else if agent := g.offer.GetAgentId().GetValue(); a.Held.Agent != agent {
		return no(wire.NoReservationFound, "its volumes are on agent %s, not %s", a.Held.Agent, agent)
	}
	if u := g.offer.GetUnavailability(); u != nil && away(u, a.Now, r.settings.Draining) {
		return no(wire.AgentMaintenance, "the agent is in maintenance from %s on", start(u).Format(time.RFC3339))
	}
	return nil
}

// unfit says why constraints keep an instance from a host.
func (r *Recipe) unfit(g *Ground, a Attempt) Refusal {
	if !r.anywhere && g.host.Region != "" && g.host.Region != r.settings.Region {
		return no(wire.UnfulfilledConstraint, "the agent is in region %q, and without a constraint on %s only %q will do",
			g.host.Region, match.FieldRegion, r.settings.Region)
	}
	if a.Spread == nil {
		return nil
	}
	if bad := a.Spread.Check(g.host); bad != nil {
		return Refusal{{Reason: wire.UnfulfilledConstraint, Constraint: bad}}
	}
	return nil
}

// away tells whether maintenance goes on, or will begin within some time.
func away(u *mesos.Unavailability, now time.Time, soon time.Duration) bool {
	from := start(u)
	if now.Before(from.Add(-soon)) {
		return false
	}
	return u.Duration == nil || now.Before(from.Add(time.Duration(u.GetDuration().GetNanoseconds())))
}

func start(u *mesos.Unavailability) time.Time {
	return time.Unix(0, u.GetStart().GetNanoseconds()).UTC()
}

// protocols of a port: "udp,tcp" is two.
func protocols(text string) []string { return strings.Split(text, ",") }
