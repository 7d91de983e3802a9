package check

import (
	"fmt"
	"math"
	"time"

	"troupe/messages/mesos"
)

// Probe is one question to a task.
type Probe struct {
	Type mesos.CheckInfo_Type
	// Command is what to run beside the task. Its user does not count: it runs as
	// the task's. For COMMAND.
	Command *mesos.CommandInfo
	// URL is what to GET, following redirects and verifying no certificate. For
	// HTTP.
	URL string
	// Address is the host:port to connect to. For TCP.
	Address string
	// Timeout is how long the answer may take; 0: no limit.
	Timeout time.Duration
}

// series is how one of a task's checks runs.
type series struct {
	probe           Probe
	delay, interval time.Duration
	open            state
}

// state is what of a series has not been answered.
type state uint8

const (
	idle state = iota
	waiting
	running
)

// LeastInterval is the shortest time between two probes of a check, whatever
// it asks for: with less, one task could keep its whole host busy.
const LeastInterval = 100 * time.Millisecond

// Where the probes of the network go: the task shares the host's network.
const (
	loopback4 = "127.0.0.1"
	loopback6 = "[::1]"
)

func seriesOfCheck(c *mesos.CheckInfo) *series {
	if c == nil {
		return nil
	}
	s := newSeries(c.GetDelaySeconds(), c.GetIntervalSeconds(), c.GetTimeoutSeconds())
	s.probe.Type = c.GetType()
	switch c.GetType() {
	case mesos.CheckInfo_COMMAND:
		s.probe.Command = c.GetCommand().GetCommand()
	case mesos.CheckInfo_HTTP:
		s.probe.URL = url("http", loopback4, c.GetHttp().GetPort(), c.GetHttp().GetPath())
	case mesos.CheckInfo_TCP:
		s.probe.Address = address(loopback4, c.GetTcp().GetPort())
	default:
		return nil // refused long before
	}
	return s
}

func seriesOfHealth(h *mesos.HealthCheck) *series {
	if h == nil {
		return nil
	}
	s := newSeries(h.GetDelaySeconds(), h.GetIntervalSeconds(), h.GetTimeoutSeconds())
	switch h.GetType() {
	case mesos.HealthCheck_COMMAND:
		s.probe.Type, s.probe.Command = mesos.CheckInfo_COMMAND, h.GetCommand()
	case mesos.HealthCheck_HTTP:
		scheme := h.GetHttp().GetScheme()
		if scheme == "" {
			scheme = "http"
		}
		s.probe.Type = mesos.CheckInfo_HTTP
		s.probe.URL = url(scheme, loopback(h.GetHttp().GetProtocol()), h.GetHttp().GetPort(), h.GetHttp().GetPath())
	case mesos.HealthCheck_TCP:
		s.probe.Type = mesos.CheckInfo_TCP
		s.probe.Address = address(loopback(h.GetTcp().GetProtocol()), h.GetTcp().GetPort())
	default:
		return nil
	}
	return s
}

func newSeries(delay, interval, timeout float64) *series {
	return &series{
		delay: duration(delay), interval: max(duration(interval), LeastInterval),
		probe: Probe{Timeout: duration(timeout)},
	}
}

func loopback(p mesos.NetworkInfo_Protocol) string {
	if p == mesos.NetworkInfo_IPv6 {
		return loopback6
	}
	return loopback4
}

func url(scheme, host string, port uint32, path string) string {
	return scheme + "://" + address(host, port) + path
}

func address(host string, port uint32) string { return fmt.Sprintf("%s:%d", host, port) }

// duration is the nearest that there is.
func duration(seconds float64) time.Duration {
	ns := seconds * float64(time.Second)
	switch {
	case !(ns > 0): // NaN too
		return 0
	case ns >= math.MaxInt64:
		return math.MaxInt64
	}
	return time.Duration(ns)
}

// failure says why a probe's result is bad for a task's health; "" if it is
// not.
func (p Probe) failure(r Result) string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case p.Type == mesos.CheckInfo_COMMAND && r.Code != 0:
		return fmt.Sprintf("the command exited with status %d", r.Code)
	case p.Type == mesos.CheckInfo_HTTP && (r.Code < 200 || r.Code > 399):
		return fmt.Sprintf("%s answered %d", p.URL, r.Code)
	case p.Type == mesos.CheckInfo_TCP && !r.Connected:
		return p.Address + " takes no connections"
	}
	return ""
}

// status is a result as the framework gets it; without one, what stands for
// none.
func (p Probe) status(r *Result) *mesos.CheckStatusInfo {
	st := &mesos.CheckStatusInfo{Type: p.Type.Enum()}
	known := r != nil && r.Err == nil
	switch p.Type {
	case mesos.CheckInfo_COMMAND:
		st.Command = &mesos.CheckStatusInfo_Command{}
		if known {
			code := int32(r.Code)
			st.Command.ExitCode = &code
		}
	case mesos.CheckInfo_HTTP:
		st.Http = &mesos.CheckStatusInfo_Http{}
		if known {
			code := uint32(r.Code)
			st.Http.StatusCode = &code
		}
	case mesos.CheckInfo_TCP:
		st.Tcp = &mesos.CheckStatusInfo_Tcp{}
		if known {
			st.Tcp.Succeeded = &r.Connected
		}
	}
	return st
}
