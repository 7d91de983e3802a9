package validate

import (
	"strings"
	"unicode"

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
		err = field.In("http", httpCheck(c.Http))
	case mesos.CheckInfo_TCP:
		err = field.In("tcp", tcpCheck(c.Tcp))
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
		err = field.In("http", httpHealthCheck(h.Http))
	case mesos.HealthCheck_TCP:
		err = field.In("tcp", tcpHealthCheck(h.Tcp))
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

func httpCheck(h *mesos.CheckInfo_Http) error {
	if h == nil {
		return field.Missing("")
	}
	if err := requestPath(h.Path); err != nil {
		return err
	}
	return port("port", h.GetPort())
}

func tcpCheck(t *mesos.CheckInfo_Tcp) error {
	if t == nil {
		return field.Missing("")
	}
	return port("port", t.GetPort())
}

func httpHealthCheck(h *mesos.HealthCheck_HTTPCheckInfo) error {
	if h == nil {
		return field.Missing("")
	}
	if err := requestPath(h.Path); err != nil {
		return err
	}
	if s := h.GetScheme(); h.Scheme != nil && s != "http" && s != "https" {
		return field.Invalid("scheme", s, "must be http or https")
	}
	if err := protocol(h.GetProtocol()); err != nil {
		return err
	}
	return port("port", h.GetPort())
}

func tcpHealthCheck(t *mesos.HealthCheck_TCPCheckInfo) error {
	if t == nil {
		return field.Missing("")
	}
	if err := protocol(t.GetProtocol()); err != nil {
		return err
	}
	return port("port", t.GetPort())
}

func protocol(p mesos.NetworkInfo_Protocol) error {
	if p != mesos.NetworkInfo_IPv4 && p != mesos.NetworkInfo_IPv6 {
		return field.Invalid("protocol", p, "must be IPv4 or IPv6")
	}
	return nil
}

// requestPath checks a path, a query included, that is to be asked for; nil is
// none.
func requestPath(path *string) error {
	switch {
	case path == nil:
	case !strings.HasPrefix(*path, "/"):
		return field.Invalid("path", *path, "must start with '/'")
	case strings.ContainsFunc(*path, unicode.IsControl):
		return field.Invalid("path", *path, "contains a control character")
	}
	return nil
}

// onOwnNetwork refuses what a check of a task in a network of its own could not
// reach.
func onOwnNetwork(t *mesos.TaskInfo) error {
	kind := t.GetHealthCheck().GetType()
	if len(t.GetContainer().GetNetworkInfos()) == 0 || kind != mesos.HealthCheck_HTTP && kind != mesos.HealthCheck_TCP {
		return nil
	}
	return field.Invalid("health_check.type", kind, "cannot reach a task of a group that has a network of its own")
}
