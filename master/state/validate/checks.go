package validate

import (
	"math"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// checks holds a task's check and health check against their types.
func checks(info *mesos.TaskInfo) error {
	if c := info.Check; c != nil {
		if err := check(c); err != nil {
			return field.In("check", err)
		}
	}
	if h := info.HealthCheck; h != nil {
		if err := healthCheck(h); err != nil {
			return field.In("health_check", err)
		}
	}
	return nil
}

func check(c *mesos.CheckInfo) error {
	present := map[mesos.CheckInfo_Type]bool{
		mesos.CheckInfo_COMMAND: c.Command != nil, mesos.CheckInfo_HTTP: c.Http != nil, mesos.CheckInfo_TCP: c.Tcp != nil,
	}
	if !present[c.GetType()] {
		return field.Invalid("type", c.GetType().String(), "does not name the part that is set")
	}
	return durations(c.GetDelaySeconds(), c.GetIntervalSeconds(), c.GetTimeoutSeconds(), 0)
}

func healthCheck(h *mesos.HealthCheck) error {
	present := map[mesos.HealthCheck_Type]bool{
		mesos.HealthCheck_COMMAND: h.Command != nil, mesos.HealthCheck_HTTP: h.Http != nil, mesos.HealthCheck_TCP: h.Tcp != nil,
	}
	if !present[h.GetType()] {
		return field.Invalid("type", h.GetType().String(), "does not name the part that is set")
	}
	return durations(h.GetDelaySeconds(), h.GetIntervalSeconds(), h.GetTimeoutSeconds(), h.GetGracePeriodSeconds())
}

func durations(delay, interval, timeout, grace float64) error {
	for _, d := range []struct {
		name  string
		value float64
	}{
		{"delay_seconds", delay}, {"interval_seconds", interval}, {"timeout_seconds", timeout}, {"grace_period_seconds", grace},
	} {
		if !(d.value >= 0) || math.IsInf(d.value, 0) {
			return field.Invalid(d.name, d.value, "must be non-negative")
		}
	}
	return nil
}
