package placement

import (
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// healthCheck is the one that the agent performs; nil without. numbers are the
// ports that the task listens on.
func (r *Recipe) healthCheck(numbers []int) *mesos.HealthCheck {
	for i := range r.app.Checks.Health {
		h := &r.app.Checks.Health[i]
		if !h.OnAgent() {
			continue
		}
		c := &mesos.HealthCheck{
			DelaySeconds: seconds(h.Delay), IntervalSeconds: seconds(h.Interval), TimeoutSeconds: seconds(h.Timeout),
			GracePeriodSeconds: seconds(h.Grace), ConsecutiveFailures: new(uint32(h.MaxFailures)),
		}
		protocol := mesos.NetworkInfo_IPv4.Enum()
		if h.IPProtocol == "IPv6" {
			protocol = mesos.NetworkInfo_IPv6.Enum()
		}
		to := new(target(h.Port, h.PortIndex, numbers))
		switch h.Protocol {
		case app.Command:
			c.Type = mesos.HealthCheck_COMMAND.Enum()
			c.Command = &mesos.CommandInfo{Value: &h.Command}
		case app.MesosTCP:
			c.Type = mesos.HealthCheck_TCP.Enum()
			c.Tcp = &mesos.HealthCheck_TCPCheckInfo{Port: to, Protocol: protocol}
		default:
			c.Type = mesos.HealthCheck_HTTP.Enum()
			scheme := "http"
			if h.Protocol == app.MesosHTTPS {
				scheme = "https"
			}
			c.Http = &mesos.HealthCheck_HTTPCheckInfo{Port: to, Protocol: protocol, Scheme: &scheme, Path: path(h.Path)}
		}
		return c
	}
	return nil
}

// check is the one whose result is shown; nil without.
func (r *Recipe) check(numbers []int) *mesos.CheckInfo {
	i := r.app.Checks.Info
	if i == nil {
		return nil
	}
	c := &mesos.CheckInfo{
		DelaySeconds: seconds(i.Delay), IntervalSeconds: seconds(i.Interval), TimeoutSeconds: seconds(i.Timeout),
	}
	switch {
	case i.HTTP != nil:
		c.Type = mesos.CheckInfo_HTTP.Enum()
		c.Http = &mesos.CheckInfo_Http{Port: new(target(i.HTTP.Port, i.HTTP.PortIndex, numbers)), Path: path(i.HTTP.Path)}
	case i.TCP != nil:
		c.Type = mesos.CheckInfo_TCP.Enum()
		c.Tcp = &mesos.CheckInfo_Tcp{Port: new(target(i.TCP.Port, i.TCP.PortIndex, numbers))}
	default:
		c.Type = mesos.CheckInfo_COMMAND.Enum()
		c.Command = &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{Value: &i.Command}}
	}
	return c
}

// target is the port that a check goes to.
func target(port, index *int, numbers []int) uint32 {
	switch {
	case port != nil:
		return uint32(*port)
	case index != nil && *index >= 0 && *index < len(numbers):
		return uint32(numbers[*index])
	}
	return 0
}

func path(p string) *string {
	if p == "" {
		p = "/"
	}
	return &p
}

func seconds(d time.Duration) *float64 { return new(d.Seconds()) }
