package records

import (
	"strings"
	"time"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
	"troupe/messages/resources"
)

var agentForm = pen.Of[*master.Response_GetAgents_Agent]()

var (
	agentInfo         = agentForm.Field("agent_info")
	agentActive       = agentForm.Field("active")
	agentDeactivated  = agentForm.Field("deactivated")
	agentVersion      = agentForm.Field("version")
	agentPID          = agentForm.Field("pid")
	agentRegistered   = agentForm.Field("registered_time")
	agentReregistered = agentForm.Field("reregistered_time")
	agentTotal        = agentForm.Field("total_resources")
	agentAllocated    = agentForm.Field("allocated_resources")
	agentOffered      = agentForm.Field("offered_resources")
	agentCapabilities = agentForm.Field("capabilities")
	agentDrain        = agentForm.Field("drain_info")
	agentDrainStart   = agentForm.Field("estimated_drain_start_time")

	capabilityType  = pen.Of[*mesos.AgentInfo_Capability]().Field("type")
	timeNanoseconds = pen.Of[*mesos.TimeInfo]().Field("nanoseconds")
)

func writeTime(p *pen.Pen, f *pen.Field, t time.Time) {
	if t.IsZero() {
		return
	}
	p.Begin(f)
	p.Int(timeNanoseconds, t.UnixNano())
	p.End()
}

// PIDOf is a peer's name and address, without its incarnation.
func PIDOf(peer string) string {
	pid, _, _ := strings.Cut(peer, "#")
	return pid
}

// Gateway begins the name of an actor that stands for a scheduler which speaks
// HTTP.
const Gateway = "gateway/"

// SchedulerPID is PIDOf of a framework's scheduler, "" for one that speaks HTTP:
// it has no address of its own, and Mesos's clients take a pid for one.
func SchedulerPID(peer string) string {
	if strings.HasPrefix(peer, Gateway) {
		return ""
	}
	return PIDOf(peer)
}

// Agent writes a GetAgents.Agent in f.
func Agent(p *pen.Pen, f *pen.Field, a *view.Agent, usage []view.RoleUsage) {
	p.Begin(f)
	p.Message(agentInfo, a.Info)
	p.Bool(agentActive, a.Active())
	p.Bool(agentDeactivated, a.Deactivated)
	p.String(agentVersion, a.Version)
	p.String(agentPID, PIDOf(a.Peer))
	writeTime(p, agentRegistered, a.Registered)
	writeTime(p, agentReregistered, a.Reregistered)
	if !a.Total.IsEmpty() {
		p.List(agentTotal)
		writeEndpoint(p, agentTotal, a.Total, "")
		p.EndList()
	}
	writeUsage(p, agentAllocated, usage, func(u view.Usage) resources.Resources { return u.Used })
	writeUsage(p, agentOffered, usage, func(u view.Usage) resources.Resources { return u.Offered })
	if len(a.Capabilities) > 0 {
		p.List(agentCapabilities)
		for _, c := range a.Capabilities {
			p.Begin(agentCapabilities)
			p.Enum(capabilityType, int32(c))
			p.End()
		}
		p.EndList()
	}
	if a.Drain != nil {
		p.Message(agentDrain, a.Drain)
		writeTime(p, agentDrainStart, a.DrainSince)
	}
	p.End()
}

// writeUsage writes one side of a usage, each role's allocated to it, unless
// there is none.
func writeUsage(p *pen.Pen, f *pen.Field, usage []view.RoleUsage, side func(view.Usage) resources.Resources) {
	begun := false
	for _, u := range usage {
		r := side(u.Usage)
		if r.IsEmpty() {
			continue
		}
		if !begun {
			p.List(f)
			begun = true
		}
		writeEndpoint(p, f, r, u.Role)
	}
	if begun {
		p.EndList()
	}
}
