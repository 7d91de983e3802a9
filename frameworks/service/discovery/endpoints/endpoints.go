package endpoints

import (
	"slices"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// Status is whether an endpoint is to be used.
type Status string

// The statuses.
const (
	// Live: requests are welcome.
	Live Status = "live"
	// Starting: it does not run yet, was not found well yet, or is not ready.
	Starting Status = "starting"
	// Unhealthy: it runs, and a health check failed.
	Unhealthy Status = "unhealthy"
	// Draining: it is about to end; what it has begun it may finish.
	Draining Status = "draining"
	// Unreachable: its agent is cut off.
	Unreachable Status = "unreachable"
)

// Service is an app with its endpoints. Like everything it holds it never changes.
type Service struct {
	App       app.Path          `json:"appId"`
	Version   string            `json:"version"`
	Labels    map[string]string `json:"labels"`
	Ports     []Port            `json:"ports"`     // in the order of their definition
	Endpoints []Endpoint        `json:"endpoints"` // by task id
}

// Port that an app defines.
type Port struct {
	Name        string            `json:"name,omitempty"`
	ServicePort int               `json:"servicePort"` // 0 is none
	Protocols   []string          `json:"protocols"`   // tcp, udp
	Labels      map[string]string `json:"labels,omitempty"`
}

// Endpoint is an instance as it is reached.
type Endpoint struct {
	Task    string `json:"taskId"`
	Agent   string `json:"slaveId"`
	Host    string `json:"host"` // name of the agent's machine
	Status  Status `json:"status"`
	Version string `json:"version"` // of the app that it was launched from
	// Targets are in the order of Service.Ports; one that lacks a port of those
	// has fewer, or a Target without a port.
	Targets []Target `json:"targets"`
	Region  string   `json:"region,omitempty"`
	Zone    string   `json:"zone,omitempty"`
}

// Target is where one port of an endpoint is reached.
type Target struct {
	Address string `json:"address"` // IP, or the name of a host
	Port    int    `json:"port"`    // 0: it is not reached
}

// Live are the endpoints that are to be used.
func (s *Service) Live() []Endpoint {
	var live []Endpoint
	for _, e := range s.Endpoints {
		if e.Status == Live {
			live = append(live, e)
		}
	}
	return live
}

// Of is the service that an app is. trust has the instances that are Live until a
// check has found out about them: see Survivors.
func Of(v *state.AppView, trust map[string]bool) *Service {
	a := v.App
	s := &Service{
		App: a.ID, Version: a.Version.String(), Labels: a.Labels, Ports: portsOf(a), Endpoints: []Endpoint{},
	}
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	for _, i := range v.Instances {
		if i.Task == "" {
			continue
		}
		of := versionOf(v, i)
		s.Endpoints = append(s.Endpoints, Endpoint{
			Task: i.Task, Agent: i.Agent, Host: i.Host.Hostname, Status: statusOf(of, i, trust[i.ID]),
			Version: i.Version.String(), Targets: targetsOf(of, i), Region: i.Host.Region, Zone: i.Host.Zone,
		})
	}
	slices.SortFunc(s.Endpoints, func(a, b Endpoint) int { return strings.Compare(a.Task, b.Task) })
	return s
}

// versionOf is the app that an instance was launched from, as far as it is kept.
func versionOf(v *state.AppView, i *state.Instance) *app.App {
	if i.Version == v.App.Version {
		return v.App
	}
	for _, a := range v.Versions {
		if a.Version == i.Version {
			return a
		}
	}
	return v.App
}

// Survivors are the instances of the first view of an app that run. Where the
// framework has just begun to lead it knows nothing of their health yet; they have
// been used so far, and go on to be.
func Survivors(first *state.AppView) map[string]bool {
	ids := map[string]bool{}
	for _, i := range first.Instances {
		if i.State == mesos.TaskState_TASK_RUNNING && !slices.ContainsFunc(i.Health, seen) {
			ids[i.ID] = true
		}
	}
	return ids
}

func seen(h state.Health) bool { return !h.LastSuccess.IsZero() || !h.LastFailure.IsZero() }

func statusOf(a *app.App, i *state.Instance, trusted bool) Status {
	switch {
	case i.Away, !i.Unreachable.IsZero(), i.State == mesos.TaskState_TASK_UNREACHABLE:
		return Unreachable
	case i.Ending, i.State == mesos.TaskState_TASK_KILLING:
		return Draining
	case i.State != mesos.TaskState_TASK_RUNNING:
		return Starting
	case trusted && !slices.ContainsFunc(i.Health, seen):
		return Live
	}
	well := 0
	for _, h := range i.Health {
		switch {
		case h.Alive():
			well++
		case seen(h) && !h.FirstSuccess.IsZero():
			return Unhealthy
		}
	}
	if well < len(a.Checks.Health) || !i.Ready {
		return Starting // it was never well yet, which is no illness
	}
	return Live
}

func portsOf(a *app.App) []Port {
	list := []Port{}
	if a.OnHost() {
		for _, p := range a.Ports {
			list = append(list, Port{Name: p.Name, ServicePort: p.Number, Protocols: protocols(p.Protocol), Labels: p.Labels})
		}
		return list
	}
	if a.Container != nil {
		for _, m := range a.Container.Mappings {
			list = append(list, Port{Name: m.Name, ServicePort: m.ServicePort, Protocols: protocols(m.Protocol), Labels: m.Labels})
		}
	}
	return list
}

func protocols(text string) []string { return strings.Split(text, ",") }

// targetsOf are where the ports of an instance are reached: at the host where one
// of its ports leads there, else at the container.
func targetsOf(a *app.App, i *state.Instance) []Target {
	list := []Target{}
	own := ""
	if len(i.Addresses) > 0 {
		own = i.Addresses[0].IP
	}
	inside := placement.Listening(a, i.Ports)
	for n, port := range i.Ports {
		t := Target{Address: i.Host.Hostname, Port: port}
		switch {
		case a.OnHost() && own != "":
			t.Address = own
		case port == 0 && own != "" && n < len(inside):
			t = Target{Address: own, Port: inside[n]}
		}
		list = append(list, t)
	}
	return list
}
