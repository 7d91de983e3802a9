package app

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (a *App) checkHealth(p *problems) {
	onAgent := 0
	for i, h := range a.Checks.Health {
		if h.OnAgent() {
			onAgent++
		}
		a.checkOne(p, fmt.Sprintf("/healthChecks(%d)", i), h)
	}
	p.when(onAgent > 1, "/healthChecks", "AppDefinition can contain at most one Mesos health check")
}

func (a *App) checkOne(p *problems, path string, h HealthCheck) {
	oneOf(p, path+"/protocol", h.Protocol, HTTP, HTTPS, TCP, Command, MesosHTTP, MesosHTTPS, MesosTCP)
	if h.Protocol == Command {
		p.when(h.Command == "", path+"/command", "must be defined for a check of protocol COMMAND")
	} else {
		p.when(h.Command != "", path+"/command", "is only allowed for a check of protocol COMMAND")
		a.checkTarget(p, path, h.Port, h.PortIndex)
	}
	if strings.Contains(h.Protocol, HTTP) {
		p.when(h.Path != "" && !strings.HasPrefix(h.Path, "/"), path+"/path", "must begin with a slash")
	} else {
		p.when(h.Path != "", path+"/path", "is only allowed for HTTP")
	}
	notNegative(p, path+"/gracePeriodSeconds", h.Grace)
	notNegative(p, path+"/delaySeconds", h.Delay)
	least(p, path+"/intervalSeconds", int64(h.Interval/time.Second), 1)
	least(p, path+"/timeoutSeconds", int64(h.Timeout/time.Second), 1)
	least(p, path+"/maxConsecutiveFailures", h.MaxFailures, 0)
	oneOf(p, path+"/ipProtocol", h.IPProtocol, "IPv4", "IPv6")
	docker := a.Container != nil && a.Container.Type == Docker
	p.when(h.IPProtocol == "IPv6" && (!docker || !h.OnAgent() || h.Protocol == Command), path+"/ipProtocol",
		"IPv6 is only allowed with containers of type DOCKER and a Mesos health check")
}

// checkTarget checks which port a check goes to.
func (a *App) checkTarget(p *problems, path string, port, index *int) {
	switch {
	case port != nil && index != nil:
		p.add(path, "only one of port and portIndex may be given")
	case port != nil:
		among(p, path+"/port", *port, 1, highest)
	case index == nil:
		p.add(path, "must have a port or a portIndex")
	case *index < 0 || *index >= a.portCount():
		p.add(path+"/portIndex", "Health check port indices must address an element of the ports array or container port mappings.")
	}
}

// portCount is how many ports an app defines.
func (a *App) portCount() int {
	switch {
	case a.OnHost():
		return len(a.Ports)
	case a.Container == nil:
		return 0
	}
	return len(a.Container.Mappings)
}

func (a *App) checkInfo(p *problems) {
	c := a.Checks.Info
	if c == nil {
		return
	}
	p.when(a.Container != nil && a.Container.Type == Docker, "/check", "is only supported with the Mesos containerizer")
	kinds := 0
	if c.HTTP != nil {
		kinds++
		a.checkTarget(p, "/check/http", c.HTTP.Port, c.HTTP.PortIndex)
		oneOf(p, "/check/http/scheme", c.HTTP.Scheme, HTTP, HTTPS)
		p.when(c.HTTP.Path != "" && !strings.HasPrefix(c.HTTP.Path, "/"), "/check/http/path", "must begin with a slash")
	}
	if c.TCP != nil {
		kinds++
		a.checkTarget(p, "/check/tcp", c.TCP.Port, c.TCP.PortIndex)
	}
	if c.Command != "" {
		kinds++
	}
	p.when(kinds != 1, "/check", "must have exactly one of http, tcp and exec")
	least(p, "/check/intervalSeconds", int64(c.Interval/time.Second), 1)
	least(p, "/check/timeoutSeconds", int64(c.Timeout/time.Second), 1)
	notNegative(p, "/check/delaySeconds", c.Delay)
}

func (a *App) checkReadiness(p *problems) {
	p.when(len(a.Checks.Readiness) > 1, "/readinessChecks", "may have at most 1 element")
	for i, r := range a.Checks.Readiness {
		path := fmt.Sprintf("/readinessChecks(%d)", i)
		p.when(r.Name == "", path+"/name", "must not be empty")
		oneOf(p, path+"/protocol", r.Protocol, HTTP, HTTPS)
		p.when(!strings.HasPrefix(r.Path, "/"), path+"/path", "must begin with a slash")
		least(p, path+"/intervalSeconds", int64(r.Interval/time.Second), 1)
		least(p, path+"/timeoutSeconds", int64(r.Timeout/time.Second), 1)
		p.when(r.Timeout >= r.Interval, path+"/timeoutSeconds", fmt.Sprintf(
			"Timeout (%d seconds) must be less than the interval (%d seconds)", r.Timeout/time.Second, r.Interval/time.Second))
		p.when(!slices.Contains(a.portNames(), r.PortName), path+"/portName",
			fmt.Sprintf("No port definition reference for portName %s", r.PortName))
		p.when(len(r.Codes) == 0, path+"/httpStatusCodesForReady", "must not be empty")
		for j, code := range r.Codes {
			among(p, fmt.Sprintf("%s/httpStatusCodesForReady(%d)", path, j), code, 100, 999)
		}
	}
}

// portNames are the names that ports have.
func (a *App) portNames() []string {
	var names []string
	if a.OnHost() {
		for _, d := range a.Ports {
			names = append(names, d.Name)
		}
	} else if a.Container != nil {
		for _, m := range a.Container.Mappings {
			names = append(names, m.Name)
		}
	}
	return names
}
