package probe

import (
	"slices"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// Instances performs the checks of instances of apps, as the core of the framework
// asks for them.
type Instances struct {
	prober *Prober
	report func(state.Input)
}

// NewInstances makes one that reports to the core: report must not block.
func NewInstances(o Options, report func(state.Input)) *Instances {
	return &Instances{prober: New(o), report: report}
}

// Start performs the effect of that name.
func (s *Instances) Start(e state.StartProbes) {
	s.prober.Start(e.Instance.Task, append(s.health(e), s.readiness(e)...))
}

// Stop performs the effect of that name.
func (s *Instances) Stop(e state.StopProbes) { s.prober.Stop(e.Task) }

// Figures of the prober.
func (s *Instances) Figures() Figures { return s.prober.Figures() }

// Close stops all checks and waits for those that are under way.
func (s *Instances) Close() { s.prober.Close() }

func (s *Instances) health(e state.StartProbes) []Check {
	if !e.Health {
		return nil
	}
	var checks []Check
	for n := range e.App.Checks.Health {
		h := &e.App.Checks.Health[n]
		if h.OnAgent() {
			continue
		}
		c := Check{
			Protocol: h.Protocol, Path: h.Path, Interval: h.Interval, Timeout: h.Timeout, IgnoreInformational: h.IgnoreHTTP1,
			Report: func(r Result) {
				s.report(state.Probed{
					Task: e.Instance.Task, Check: n, Result: state.HealthResult{Healthy: r.Passed, Cause: r.Cause},
				})
			},
		}
		index := 0
		if h.PortIndex != nil {
			index = *h.PortIndex
		}
		c.Host, c.Port = target(e.App, e.Instance, index, h.Port, h.IPProtocol)
		checks = append(checks, c)
	}
	return checks
}

func (s *Instances) readiness(e state.StartProbes) []Check {
	if !e.Readiness {
		return nil
	}
	var checks []Check
	for i := range e.App.Checks.Readiness {
		r := &e.App.Checks.Readiness[i]
		c := Check{
			Protocol: r.Protocol, Path: r.Path, Interval: r.Interval, Timeout: r.Timeout, Codes: r.Codes, Once: true, Keep: r.Keep,
			Report: func(x Result) {
				seen := state.ReadinessSeen{Task: e.Instance.Task, Check: r.Name, Ready: x.Passed}
				if x.Response != nil {
					seen.Response = new(state.Response(*x.Response))
				}
				s.report(seen)
			},
		}
		c.Host, c.Port = target(e.App, e.Instance, named(e.App, r.PortName), nil, "")
		checks = append(checks, c)
	}
	return checks
}

// named is the index of a port by its name, the first where there is none.
func named(a *app.App, name string) int {
	if a.OnHost() {
		return max(slices.IndexFunc(a.Ports, func(p app.Port) bool { return p.Name == name }), 0)
	}
	if a.Container == nil {
		return 0
	}
	return max(slices.IndexFunc(a.Container.Mappings, func(m app.Mapping) bool { return m.Name == name }), 0)
}

// target is where an instance is asked: on its host, unless the port is not
// there but on an address of the instance's own. A number comes before the index.
func target(a *app.App, i *state.Instance, index int, number *int, ip string) (host string, port int) {
	host = i.Host.Hostname
	switch {
	case number != nil && containers(a):
		return own(i, ip), *number
	case number != nil:
		return host, *number
	case index < 0 || index >= len(i.Ports):
		return host, 0
	case i.Ports[index] != 0 && ip != ipv6:
		return host, i.Ports[index]
	}
	return own(i, ip), placement.Listening(a, i.Ports)[index]
}

// containers tells whether instances have addresses of their own.
func containers(a *app.App) bool {
	return slices.ContainsFunc(a.Networks, func(n app.Network) bool { return n.Mode == app.ModeContainer })
}

const ipv6 = "IPv6"

// own is an address of the instance's own, if it has one of that kind.
func own(i *state.Instance, ip string) string {
	want := mesos.NetworkInfo_IPv4
	if ip == ipv6 {
		want = mesos.NetworkInfo_IPv6
	}
	for _, at := range i.Addresses {
		if at.Protocol == want {
			return at.IP
		}
	}
	return i.Host.Hostname
}
