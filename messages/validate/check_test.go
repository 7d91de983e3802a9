package validate

import (
	"math"
	"testing"

	"troupe/messages/mesos"
)

// asked is a task with a health check and a check that are in order.
func asked() *mesos.TaskInfo {
	t := task1()
	t.HealthCheck = &mesos.HealthCheck{
		Type:    mesos.HealthCheck_HTTP.Enum(),
		Http:    &mesos.HealthCheck_HTTPCheckInfo{Port: ptr(uint32(80)), Path: ptr("/a?b=c d"), Scheme: ptr("https"), Protocol: mesos.NetworkInfo_IPv6.Enum()},
		Tcp:     &mesos.HealthCheck_TCPCheckInfo{Port: ptr(uint32(65535))},
		Command: &mesos.CommandInfo{Value: ptr("true")},
	}
	t.Check = &mesos.CheckInfo{
		Type:    mesos.CheckInfo_COMMAND.Enum(),
		Http:    &mesos.CheckInfo_Http{Port: ptr(uint32(1)), Path: ptr("/")},
		Tcp:     &mesos.CheckInfo_Tcp{Port: ptr(uint32(1))},
		Command: &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{Value: ptr("true")}},
	}
	return t
}

type asks = func(h *mesos.HealthCheck, c *mesos.CheckInfo)

func runChecks(t *testing.T, list map[string]asks) {
	t.Helper()
	for want, change := range list {
		x := asked()
		change(x.HealthCheck, x.Check)
		if err := TaskInfo(x); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

func TestChecksInOrder(t *testing.T) {
	for name, change := range map[string]asks{
		"both": func(*mesos.HealthCheck, *mesos.CheckInfo) {},
		"tcp": func(h *mesos.HealthCheck, c *mesos.CheckInfo) {
			h.Type, c.Type = mesos.HealthCheck_TCP.Enum(), mesos.CheckInfo_TCP.Enum()
		},
		"the rest": func(h *mesos.HealthCheck, c *mesos.CheckInfo) {
			h.Type, c.Type = mesos.HealthCheck_COMMAND.Enum(), mesos.CheckInfo_HTTP.Enum()
		},
		"no path": func(h *mesos.HealthCheck, _ *mesos.CheckInfo) {
			h.Http.Path, h.Http.Scheme, h.Http.Protocol = nil, nil, nil
		},
		"zero times": func(h *mesos.HealthCheck, c *mesos.CheckInfo) {
			zero := ptr(0.0)
			h.DelaySeconds, h.IntervalSeconds, h.TimeoutSeconds, h.GracePeriodSeconds, h.ConsecutiveFailures = zero, zero, zero, zero, ptr(uint32(0))
			c.DelaySeconds, c.IntervalSeconds, c.TimeoutSeconds = zero, zero, zero
		},
	} {
		x := asked()
		change(x.HealthCheck, x.Check)
		if err := TaskInfo(x); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongHealthChecks(t *testing.T) {
	http := func(change func(h *mesos.HealthCheck_HTTPCheckInfo)) asks {
		return func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { change(h.Http) }
	}
	tcp := func(change func(h *mesos.HealthCheck)) asks {
		return func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.Type = mesos.HealthCheck_TCP.Enum(); change(h) }
	}
	command := func(change func(h *mesos.HealthCheck)) asks {
		return func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.Type = mesos.HealthCheck_COMMAND.Enum(); change(h) }
	}
	runChecks(t, map[string]asks{
		`health_check.type: UNKNOWN: must be COMMAND, HTTP or TCP`:             func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.Type = nil },
		`health_check.type: 9: must be COMMAND, HTTP or TCP`:                   func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.Type = mesos.HealthCheck_Type(9).Enum() },
		`health_check.http: must be set`:                                       func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.Http = nil },
		`health_check.http.path: "x": must start with '/'`:                     http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Path = ptr("x") }),
		`health_check.http.path: "": must start with '/'`:                      http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Path = ptr("") }),
		`health_check.http.path: "/\r\nHost: x": contains a control character`: http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Path = ptr("/\r\nHost: x") }),
		`health_check.http.scheme: "ftp": must be http or https`:               http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Scheme = ptr("ftp") }),
		`health_check.http.scheme: "": must be http or https`:                  http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Scheme = ptr("") }),
		`health_check.http.protocol: 7: must be IPv4 or IPv6`:                  http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Protocol = mesos.NetworkInfo_Protocol(7).Enum() }),
		`health_check.http.port: 65536: must be between 1 and 65535`:           http(func(h *mesos.HealthCheck_HTTPCheckInfo) { h.Port = ptr(uint32(65536)) }),
		`health_check.tcp: must be set`:                                        tcp(func(h *mesos.HealthCheck) { h.Tcp = nil }),
		`health_check.tcp.port: 0: must be between 1 and 65535`:                tcp(func(h *mesos.HealthCheck) { h.Tcp.Port = ptr(uint32(0)) }),
		`health_check.tcp.protocol: 7: must be IPv4 or IPv6`:                   tcp(func(h *mesos.HealthCheck) { h.Tcp.Protocol = mesos.NetworkInfo_Protocol(7).Enum() }),
		`health_check.command: must be set`:                                    command(func(h *mesos.HealthCheck) { h.Command = nil }),
		`health_check.command.value: must be set`:                              command(func(h *mesos.HealthCheck) { h.Command.Value = nil }),
		`health_check.command.value: "\x00": contains a zero byte`:             command(func(h *mesos.HealthCheck) { h.Command.Value = ptr("\x00") }),
	})
}

func TestWrongChecks(t *testing.T) {
	of := func(kind mesos.CheckInfo_Type, change func(c *mesos.CheckInfo)) asks {
		return func(_ *mesos.HealthCheck, c *mesos.CheckInfo) { c.Type = kind.Enum(); change(c) }
	}
	runChecks(t, map[string]asks{
		`check.type: UNKNOWN: must be COMMAND, HTTP or TCP`:  of(mesos.CheckInfo_UNKNOWN, func(*mesos.CheckInfo) {}),
		`check.http: must be set`:                            of(mesos.CheckInfo_HTTP, func(c *mesos.CheckInfo) { c.Http = nil }),
		`check.http.path: "x": must start with '/'`:          of(mesos.CheckInfo_HTTP, func(c *mesos.CheckInfo) { c.Http.Path = ptr("x") }),
		`check.http.port: 0: must be between 1 and 65535`:    of(mesos.CheckInfo_HTTP, func(c *mesos.CheckInfo) { c.Http.Port = ptr(uint32(0)) }),
		`check.tcp: must be set`:                             of(mesos.CheckInfo_TCP, func(c *mesos.CheckInfo) { c.Tcp = nil }),
		`check.tcp.port: 70000: must be between 1 and 65535`: of(mesos.CheckInfo_TCP, func(c *mesos.CheckInfo) { c.Tcp.Port = ptr(uint32(70000)) }),
		`check.command: must be set`:                         of(mesos.CheckInfo_COMMAND, func(c *mesos.CheckInfo) { c.Command = nil }),
		`check.command.command: must be set`:                 of(mesos.CheckInfo_COMMAND, func(c *mesos.CheckInfo) { c.Command.Command = nil }),
		`check.command.command.value: must be set`:           of(mesos.CheckInfo_COMMAND, func(c *mesos.CheckInfo) { c.Command.Command.Value = ptr("") }),
	})
}

func TestWrongTimesOfChecks(t *testing.T) {
	const bounds = ": must be between 0 and 9223372036 seconds"
	runChecks(t, map[string]asks{
		`health_check.grace_period_seconds: -1` + bounds: func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.GracePeriodSeconds = ptr(-1.0) },
		`health_check.delay_seconds: -0.1` + bounds:      func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.DelaySeconds = ptr(-0.1) },
		`health_check.interval_seconds: NaN` + bounds:    func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.IntervalSeconds = ptr(math.NaN()) },
		`health_check.timeout_seconds: +Inf` + bounds:    func(h *mesos.HealthCheck, _ *mesos.CheckInfo) { h.TimeoutSeconds = ptr(math.Inf(1)) },
		`check.delay_seconds: -1` + bounds:               func(_ *mesos.HealthCheck, c *mesos.CheckInfo) { c.DelaySeconds = ptr(-1.0) },
		`check.interval_seconds: +Inf` + bounds:          func(_ *mesos.HealthCheck, c *mesos.CheckInfo) { c.IntervalSeconds = ptr(math.Inf(1)) },
		`check.timeout_seconds: 1e+300` + bounds:         func(_ *mesos.HealthCheck, c *mesos.CheckInfo) { c.TimeoutSeconds = ptr(1e300) },
	})
}
