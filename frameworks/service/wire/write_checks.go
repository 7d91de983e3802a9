package wire

import "troupe/frameworks/service/app"

type appChecks struct {
	Health    []HealthCheck `json:"healthChecks,omitempty"`
	Check     *check        `json:"check,omitempty"`
	Readiness []readiness   `json:"readinessChecks,omitempty"`
}

// HealthCheck as apps and events have it.
type HealthCheck struct {
	Protocol    string `json:"protocol"`
	Path        string `json:"path,omitempty"`
	Command     *value `json:"command,omitempty"`
	Port        *int   `json:"port,omitempty"`
	PortIndex   *int   `json:"portIndex,omitempty"`
	Grace       int64  `json:"gracePeriodSeconds"`
	Interval    int64  `json:"intervalSeconds"`
	Timeout     int64  `json:"timeoutSeconds"`
	Delay       int64  `json:"delaySeconds"`
	MaxFailures int    `json:"maxConsecutiveFailures"`
	IgnoreHTTP1 bool   `json:"ignoreHttp1xx"`
	IPProtocol  string `json:"ipProtocol"`
}

type value struct {
	Value string `json:"value"`
}

type check struct {
	HTTP     *httpCheck `json:"http,omitempty"`
	TCP      *tcpCheck  `json:"tcp,omitempty"`
	Exec     *execCheck `json:"exec,omitempty"`
	Interval int64      `json:"intervalSeconds"`
	Timeout  int64      `json:"timeoutSeconds"`
	Delay    int64      `json:"delaySeconds"`
}

type httpCheck struct {
	Port      *int   `json:"port,omitempty"`
	PortIndex *int   `json:"portIndex,omitempty"`
	Path      string `json:"path,omitempty"`
	Scheme    string `json:"scheme"`
}

type tcpCheck struct {
	Port      *int `json:"port,omitempty"`
	PortIndex *int `json:"portIndex,omitempty"`
}

type execCheck struct {
	Command shell `json:"command"`
}

type shell struct {
	Shell string `json:"shell"`
}

type readiness struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Path     string `json:"path"`
	PortName string `json:"portName"`
	Interval int64  `json:"intervalSeconds"`
	Timeout  int64  `json:"timeoutSeconds"`
	Codes    []int  `json:"httpStatusCodesForReady"`
	Keep     bool   `json:"preserveLastResponse"`
}

// FromHealthCheck is the JSON of a health check.
func FromHealthCheck(h app.HealthCheck) HealthCheck {
	w := HealthCheck{
		Protocol: h.Protocol, Path: h.Path, Port: h.Port, PortIndex: h.PortIndex,
		Grace: inSeconds(h.Grace), Interval: inSeconds(h.Interval), Timeout: inSeconds(h.Timeout), Delay: inSeconds(h.Delay),
		MaxFailures: h.MaxFailures, IgnoreHTTP1: h.IgnoreHTTP1, IPProtocol: h.IPProtocol,
	}
	if h.Command != "" {
		w.Command = &value{h.Command}
	}
	return w
}

func fromChecks(c *app.Checks) appChecks {
	var w appChecks
	for _, h := range c.Health {
		w.Health = append(w.Health, FromHealthCheck(h))
	}
	if k := c.Info; k != nil {
		w.Check = &check{Interval: inSeconds(k.Interval), Timeout: inSeconds(k.Timeout), Delay: inSeconds(k.Delay)}
		if k.HTTP != nil {
			w.Check.HTTP = &httpCheck{k.HTTP.Port, k.HTTP.PortIndex, k.HTTP.Path, k.HTTP.Scheme}
		}
		if k.TCP != nil {
			w.Check.TCP = &tcpCheck{k.TCP.Port, k.TCP.PortIndex}
		}
		if k.Command != "" {
			w.Check.Exec = &execCheck{shell{k.Command}}
		}
	}
	for _, r := range c.Readiness {
		w.Readiness = append(w.Readiness, readiness{
			r.Name, r.Protocol, r.Path, r.PortName, inSeconds(r.Interval), inSeconds(r.Timeout), r.Codes, r.Keep,
		})
	}
	return w
}
