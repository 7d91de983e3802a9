package records

import (
	"cmp"
	"runtime"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/pen"
	"troupe/messages/resources"
)

var frameworkForm = pen.Of[*master.Response_GetFrameworks_Framework]()

var (
	frameworkInfo         = frameworkForm.Field("framework_info")
	frameworkActive       = frameworkForm.Field("active")
	frameworkConnected    = frameworkForm.Field("connected")
	frameworkRecovered    = frameworkForm.Field("recovered")
	frameworkRegistered   = frameworkForm.Field("registered_time")
	frameworkReregistered = frameworkForm.Field("reregistered_time")
	frameworkUnregistered = frameworkForm.Field("unregistered_time")
	frameworkOffers       = frameworkForm.Field("offers")
	frameworkInverse      = frameworkForm.Field("inverse_offers")
	frameworkAllocated    = frameworkForm.Field("allocated_resources")
	frameworkOffered      = frameworkForm.Field("offered_resources")
	frameworkConstraints  = frameworkForm.Field("offer_constraints")

	executorInfo  = pen.Of[*master.Response_GetExecutors_Executor]().Field("executor_info")
	executorAgent = pen.Of[*master.Response_GetExecutors_Executor]().Field("agent_id")
)

// noConstraints stands for the constraints of a framework that has none.
var noConstraints = new(scheduler.OfferConstraints)

// Framework writes a GetFrameworks.Framework in f. host names the host of an
// agent, "" if it is not known.
func Framework(p *pen.Pen, f *pen.Field, fw view.FrameworkState, host func(view.AgentID) string) {
	p.Begin(f)
	p.Message(frameworkInfo, InfoOf(fw.Framework))
	p.Bool(frameworkActive, fw.Active)
	p.Bool(frameworkConnected, fw.Connected)
	p.Bool(frameworkRecovered, fw.Recovered)
	writeTime(p, frameworkRegistered, fw.Registered)
	reregistered := fw.Reregistered
	if reregistered.IsZero() {
		reregistered = fw.Registered
	}
	writeTime(p, frameworkReregistered, reregistered)
	writeTime(p, frameworkUnregistered, fw.Unregistered)
	if len(fw.Offers) > 0 {
		p.List(frameworkOffers)
		for _, o := range SortedOffers(fw.Offers) {
			p.Message(frameworkOffers, offerOf(o, host(o.Agent)))
		}
		p.EndList()
	}
	if len(fw.InverseOffers) > 0 {
		p.List(frameworkInverse)
		for _, o := range sortedInverse(fw.InverseOffers) {
			p.Message(frameworkInverse, inverseOf(o))
		}
		p.EndList()
	}
	usage := sortedUsage(fw)
	writeUsage(p, frameworkAllocated, usage, func(u view.Usage) resources.Resources { return u.Used })
	writeUsage(p, frameworkOffered, usage, func(u view.Usage) resources.Resources { return u.Offered })
	p.Message(frameworkConstraints, cmp.Or(fw.Constraints, noConstraints))
	p.End()
}

// InfoOf is a framework's info with the id that the master gave it.
func InfoOf(f *view.Framework) *mesos.FrameworkInfo {
	if f.Info.GetId().GetValue() == string(f.ID) {
		return f.Info
	}
	info := proto.CloneOf(f.Info)
	info.Id = &mesos.FrameworkID{Value: proto.String(string(f.ID))}
	return info
}

func sortedUsage(f view.FrameworkState) []view.RoleUsage {
	var all []view.RoleUsage
	for role, u := range f.UsageByRole(runtime.Gosched) {
		all = append(all, view.RoleUsage{Role: role, Usage: u})
	}
	slices.SortFunc(all, func(a, b view.RoleUsage) int { return cmp.Compare(a.Role, b.Role) })
	return all
}

// SortedOffers lists offers as they were made.
func SortedOffers(list []*view.Offer) []*view.Offer {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b *view.Offer) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// SortedExecutors lists executors by agent and id.
func SortedExecutors(list []*view.Executor) []*view.Executor {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b *view.Executor) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

func offerOf(o *view.Offer, host string) *mesos.Offer {
	return &mesos.Offer{
		Id:             &mesos.OfferID{Value: proto.String(string(o.ID))},
		FrameworkId:    &mesos.FrameworkID{Value: proto.String(string(o.Framework))},
		AgentId:        &mesos.AgentID{Value: proto.String(string(o.Agent))},
		Hostname:       &host,
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String(o.Role)},
		Resources:      o.Resources.Allocate(o.Role).ProtoEndpoint(),
	}
}

// Executor writes a GetExecutors.Executor in f.
func Executor(p *pen.Pen, f *pen.Field, e *view.Executor) {
	p.Begin(f)
	info := proto.CloneOf(e.Info)
	info.Resources = e.Resources.Allocate(e.Role).Proto()
	if info.FrameworkId == nil {
		info.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(e.Framework))}
	}
	p.Message(executorInfo, info)
	writeID(p, executorAgent, string(e.Agent))
	p.End()
}

// sortedInverse lists inverse offers by agent.
func sortedInverse(offers []*view.InverseOffer) []*view.InverseOffer {
	sorted := slices.Clone(offers)
	slices.SortFunc(sorted, func(a, b *view.InverseOffer) int { return cmp.Compare(a.Agent, b.Agent) })
	return sorted
}

func inverseOf(o *view.InverseOffer) *mesos.InverseOffer {
	return &mesos.InverseOffer{
		Id:          &mesos.OfferID{Value: proto.String(string(o.ID))},
		FrameworkId: &mesos.FrameworkID{Value: proto.String(string(o.Framework))},
		AgentId:     &mesos.AgentID{Value: proto.String(string(o.Agent))}, Unavailability: o.Unavailability,
	}
}
