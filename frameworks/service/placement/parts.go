package placement

import (
	"maps"
	"slices"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// parts of a task that are the same on every agent; tasks share them.
type parts struct {
	name      string
	labels    *mesos.Labels
	kill      *mesos.KillPolicy
	uris      []*mesos.CommandInfo_URI
	limits    map[string]*mesos.Value_Scalar
	networks  []network
	volumes   []*mesos.Volume
	context   []*mesos.Environment_Variable // what tells of the app
	variables []*mesos.Environment_Variable // the user's own
	own       map[string]bool               // their names
	ports     []port
	onHost    []bool // of each port, whether it takes one of the host's
}

// port as the app defines it.
type port struct {
	container int // 0: the host's
	service   int
	declared  int // the number that a variable is called after; 0 is none
	name      string
	protocols []string
	labels    map[string]string
	networks  []string
}

// network that containers attach to.
type network struct {
	name   string
	labels *mesos.Labels
}

func (r *Recipe) prepareParts() {
	a := r.app
	p := &r.parts
	p.name, p.labels = a.ID.Host(), labels(a.Labels)
	if a.Kill.Grace != nil {
		p.kill = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: new(int64(*a.Kill.Grace))}}
	}
	p.ports = definedPorts(a)
	for i := range p.ports {
		p.onHost = append(p.onHost, a.OnHost() || a.Container.Mappings[i].HostPort != nil)
	}
	for _, n := range a.Networks {
		if n.Mode != app.ModeHost {
			p.networks = append(p.networks, network{name: r.networkName(n), labels: labels(n.Labels)})
		}
	}
	p.uris, p.limits = uris(a.Process.Fetch), limits(a.Resources.Limits)
	p.volumes = r.mounts()
	r.prepareEnvironment()
}

func (r *Recipe) networkName(n app.Network) string {
	if n.Mode == app.ModeBridge {
		return r.settings.BridgeNetwork
	}
	return n.Name
}

func definedPorts(a *app.App) []port {
	var list []port
	if a.OnHost() {
		for _, d := range a.Ports {
			list = append(list, port{
				service: d.Number, declared: d.Number, name: d.Name, protocols: protocols(d.Protocol), labels: d.Labels,
			})
		}
		return list
	}
	if a.Container == nil {
		return nil
	}
	for _, m := range a.Container.Mappings {
		p := port{
			container: m.ContainerPort, service: m.ServicePort, declared: m.ContainerPort, name: m.Name,
			protocols: protocols(m.Protocol), labels: m.Labels, networks: m.Networks,
		}
		if p.container == 0 && m.HostPort == nil {
			p.container = m.ServicePort
		}
		list = append(list, p)
	}
	return list
}

// Listening are the ports that an instance of a listens on, seen from within its
// network, for the host ports that Placed.Ports tells. A container port that
// nobody chose is the host port or, where there is none, the service port.
func Listening(a *app.App, hostPorts []int) []int {
	return listening(definedPorts(a), hostPorts)
}

func listening(defined []port, hostPorts []int) []int {
	list := make([]int, 0, len(defined))
	for i, p := range defined {
		n := p.container
		if n == 0 && i < len(hostPorts) {
			n = hostPorts[i]
		}
		list = append(list, n)
	}
	return list
}

func labels(m map[string]string) *mesos.Labels {
	if len(m) == 0 {
		return nil
	}
	l := &mesos.Labels{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		l.Labels = append(l.Labels, &mesos.Label{Key: &key, Value: new(m[key])})
	}
	return l
}

func uris(fetch []app.Artifact) []*mesos.CommandInfo_URI {
	var list []*mesos.CommandInfo_URI
	for _, f := range fetch {
		u := &mesos.CommandInfo_URI{Value: &f.URI, Extract: &f.Extract, Executable: &f.Executable, Cache: &f.Cache}
		if f.Path != "" {
			u.OutputFile = &f.Path
		}
		list = append(list, u)
	}
	return list
}

func limits(l *app.Limits) map[string]*mesos.Value_Scalar {
	if l == nil {
		return nil
	}
	m := map[string]*mesos.Value_Scalar{}
	if l.CPUs != nil {
		m[resources.CPUs] = &mesos.Value_Scalar{Value: l.CPUs}
	}
	if l.Mem != nil {
		m[resources.Mem] = &mesos.Value_Scalar{Value: l.Mem}
	}
	return m
}

// secret refers to a secret by its source; who keeps secrets is the agent's to
// know.
func (r *Recipe) secret(name string) *mesos.Secret {
	return &mesos.Secret{
		Type:      mesos.Secret_REFERENCE.Enum(),
		Reference: &mesos.Secret_Reference{Name: new(r.app.Process.Secrets[name])},
	}
}

// quote makes one word for a shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
