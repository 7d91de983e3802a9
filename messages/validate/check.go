package validate

import (
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// CheckInfo checks a task's check.
func CheckInfo(c *mesos.CheckInfo) error {
	var err error
	switch c.GetType() {
	case mesos.CheckInfo_COMMAND:
		err = field.In("command", checkCommand(c.GetCommand() != nil, c.GetCommand().GetCommand()))
	case mesos.CheckInfo_HTTP:
		err = field.In("http", probe(c.Http != nil, c.GetHttp().GetPort(), c.GetHttp().GetPath()))
	case mesos.CheckInfo_TCP:
		err = field.In("tcp", probe(c.Tcp != nil, c.GetTcp().GetPort(), ""))
	default:
		err = field.Invalid("type", c.GetType(), "must be COMMAND, HTTP or TCP")
	}
	if err != nil {
		return err
	}
	return checkTimes(c.GetDelaySeconds(), c.GetIntervalSeconds(), c.GetTimeoutSeconds())
}

// HealthCheck checks a task's health check.
func HealthCheck(h *mesos.HealthCheck) error {
	var err error
	switch h.GetType() {
	case mesos.HealthCheck_COMMAND:
		err = field.In("command", commandOfCheck(h.GetCommand()))
	case mesos.HealthCheck_HTTP:
		err = field.In("http", probe(h.Http != nil, h.GetHttp().GetPort(), h.GetHttp().GetPath()))
		if s := h.GetHttp().GetScheme(); err == nil && s != "" && s != "http" && s != "https" {
			err = field.Invalid("http.scheme", s, "must be http or https")
		}
	case mesos.HealthCheck_TCP:
		err = field.In("tcp", probe(h.Tcp != nil, h.GetTcp().GetPort(), ""))
	default:
		err = field.Invalid("type", h.GetType(), "must be COMMAND, HTTP or TCP")
	}
	if err != nil {
		return err
	}
	if err := seconds("grace_period_seconds", h.GetGracePeriodSeconds()); err != nil {
		return err
	}
	return checkTimes(h.GetDelaySeconds(), h.GetIntervalSeconds(), h.GetTimeoutSeconds())
}

func checkTimes(delay, interval, timeout float64) error {
	if err := seconds("delay_seconds", delay); err != nil {
		return err
	}
	if err := seconds("interval_seconds", interval); err != nil {
		return err
	}
	return seconds("timeout_seconds", timeout)
}

func checkCommand(set bool, c *mesos.CommandInfo) error {
	if !set {
		return field.Missing("")
	}
	return field.In("command", commandOfCheck(c))
}

func commandOfCheck(c *mesos.CommandInfo) error {
	if c == nil {
		return field.Missing("")
	}
	if c.GetValue() == "" {
		return field.Missing("value")
	}
	return CommandInfo(c)
}

// probe checks what an HTTP or TCP check connects to.
func probe(set bool, to uint32, path string) error {
	if !set {
		return field.Missing("")
	}
	if path != "" && !strings.HasPrefix(path, "/") {
		return field.Invalid("path", path, "must start with '/'")
	}
	return port("port", to)
}
