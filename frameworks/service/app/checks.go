package app

import "time"

// Protocols of health checks. Those that begin with MESOS, and COMMAND, are
// performed by the agent, the others by the framework.
const (
	HTTP       = "HTTP"
	HTTPS      = "HTTPS"
	TCP        = "TCP"
	Command    = "COMMAND"
	MesosHTTP  = "MESOS_HTTP"
	MesosHTTPS = "MESOS_HTTPS"
	MesosTCP   = "MESOS_TCP"
)

// Checks of an app's instances.
type Checks struct {
	Health    []HealthCheck
	Info      *Check // tells, and never kills
	Readiness []Readiness
}

// HealthCheck says whether an instance is well.
type HealthCheck struct {
	Protocol    string
	Path        string // of HTTP; "" is that of TCP and COMMAND
	Command     string // of COMMAND
	Port        *int   // rather than PortIndex
	PortIndex   *int   // into the app's ports or mappings
	Grace       time.Duration
	Interval    time.Duration
	Timeout     time.Duration
	Delay       time.Duration // before the first one; of those that the agent performs
	MaxFailures int           // consecutive ones; 0: the framework never kills, the agent at once
	IgnoreHTTP1 bool          // 100 to 199 say nothing
	IPProtocol  string        // IPv4 or IPv6
}

// OnAgent tells whether the agent performs it.
func (h HealthCheck) OnAgent() bool {
	switch h.Protocol {
	case Command, MesosHTTP, MesosHTTPS, MesosTCP:
		return true
	}
	return false
}

// Check is performed by the agent, and its result shown. Just one of HTTP, TCP and
// Command is set.
type Check struct {
	HTTP     *HTTPCheck
	TCP      *TCPCheck
	Command  string
	Interval time.Duration
	Timeout  time.Duration
	Delay    time.Duration
}

// HTTPCheck asks for a path.
type HTTPCheck struct {
	Port      *int // rather than PortIndex
	PortIndex *int
	Path      string
	Scheme    string // HTTP or HTTPS
}

// TCPCheck connects to a port.
type TCPCheck struct {
	Port      *int // rather than PortIndex
	PortIndex *int
}

// Readiness is asked for by the framework during a deployment, until a new instance
// says that it is ready.
type Readiness struct {
	Name     string
	Protocol string // HTTP or HTTPS
	Path     string
	PortName string
	Interval time.Duration
	Timeout  time.Duration
	Codes    []int // of HTTP, that mean ready
	Keep     bool  // the last answer is kept to be shown
}
