package main

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// packing is an allocator that fills the fullest agent first, and serves the
// framework that came first. It knows no shares, quotas or reservations: what it
// does not mention it does not hear, and what is reserved it does not offer.
type packing struct {
	master     actors.PID
	epoch      uint64
	agents     map[string]*agent
	frameworks []*framework // by when they came
}

type agent struct {
	*cluster.AddAgent
	total, used resources.Resources
}

type framework struct {
	info    *mesos.FrameworkInfo
	active  bool
	quiet   map[string]bool      // roles that are suppressed
	refused map[string]time.Time // agents, until when
}

// Init installs the handlers.
func (p *packing) Init(c *actors.Context) {
	actors.Handle(c, p.start)
	handle(c, p, p.addAgent)
	handle(c, p, func(m *cluster.UpdateAgent) {
		if a := p.agents[m.GetAgent().GetId().GetValue()]; a != nil {
			a.total, a.Active = unreserved(m.Agent.Resources), proto.Bool(m.GetActive())
		}
	})
	handle(c, p, func(m *cluster.RemoveAgent) {
		delete(p.agents, m.GetAgentId().GetValue())
		for _, f := range p.frameworks {
			delete(f.refused, m.GetAgentId().GetValue())
		}
	})
	handle(c, p, p.addFramework)
	handle(c, p, func(m *cluster.DeactivateFramework) { p.find(m.FrameworkId).active = false })
	handle(c, p, func(m *cluster.RemoveFramework) {
		p.frameworks = slices.DeleteFunc(p.frameworks, func(f *framework) bool { return f.is(m.FrameworkId) })
	})
	handle(c, p, func(m *cluster.SuppressOffers) { p.find(m.FrameworkId).hush(m.Roles, true) })
	handle(c, p, func(m *cluster.ReviveOffers) { p.find(m.FrameworkId).hush(m.Roles, false) })
	handle(c, p, func(m *cluster.RecoverResources) {
		if a := p.agents[m.GetAgentId().GetValue()]; a != nil {
			a.used = a.used.Without(unreserved(m.Resources))
		}
		if seconds := min(m.GetFilters().GetRefuseSeconds(), 365*24*3600); m.Filters != nil && seconds > 0 {
			p.find(m.FrameworkId).refused[m.GetAgentId().GetValue()] = time.Now().Add(time.Duration(seconds * float64(time.Second)))
		}
	})
	c.Every(time.Second, func() { p.pack(c) }) // what was refused may be wanted now
}

// handle applies a message of the master's epoch, and looks for what it allows.
func handle[M proto.Message](c *actors.Context, p *packing, apply func(M)) {
	actors.Handle(c, func(c *actors.Context, m M) {
		if c.Sender() == p.master {
			apply(m)
			p.pack(c)
		}
	})
}

// start begins an epoch: all is forgotten, and the master tells it anew. An
// answer without allocations says that somebody is there.
func (p *packing) start(c *actors.Context, m *cluster.StartAllocator) {
	*p = packing{master: c.Sender(), epoch: m.GetEpoch(), agents: make(map[string]*agent)}
	c.Reply(&cluster.Allocations{Epoch: proto.Uint64(p.epoch)})
}

func (p *packing) addAgent(m *cluster.AddAgent) {
	a := &agent{AddAgent: proto.CloneOf(m), total: unreserved(m.Agent.Resources)}
	for _, u := range m.Used {
		a.used = a.used.Add(unreserved(u.Resources))
	}
	p.agents[m.Agent.Id.GetValue()] = a
}

func (p *packing) addFramework(m *cluster.AddFramework) {
	f := p.find(m.Framework.Id)
	if f.info == nil {
		p.frameworks = append(p.frameworks, f)
	}
	f.info, f.active = m.Framework, m.GetActive()
	clear(f.quiet)
	for _, role := range m.SuppressedRoles {
		f.quiet[role] = true
	}
}

// find returns a framework; one that is not known is not kept either.
func (p *packing) find(id *mesos.FrameworkID) *framework {
	for _, f := range p.frameworks {
		if f.is(id) {
			return f
		}
	}
	return &framework{quiet: make(map[string]bool), refused: make(map[string]time.Time)}
}

func (f *framework) is(id *mesos.FrameworkID) bool { return f.info.GetId().GetValue() == id.GetValue() }

// roles are those of a framework that has one, or several.
func (f *framework) roles() []string {
	if roles := f.info.GetRoles(); len(roles) > 0 {
		return roles
	}
	return []string{f.info.GetRole()}
}

// hush suppresses roles, or all, or takes that and refusals back.
func (f *framework) hush(roles []string, quiet bool) {
	if len(roles) == 0 {
		roles = f.roles()
	}
	for _, role := range roles {
		f.quiet[role] = quiet
	}
	if !quiet {
		clear(f.refused)
	}
}

// pack offers all that is free, the fullest agent first, each to the framework
// that came first of those that did not lately refuse it.
func (p *packing) pack(c *actors.Context) {
	var list []*cluster.Allocations_Allocation
	for _, a := range p.fullest() {
		free := a.total.Without(a.used)
		if !a.GetActive() || free.Scalar(resources.CPUs) == 0 || free.Scalar(resources.Mem) == 0 {
			continue
		}
		for _, f := range p.frameworks {
			at := slices.IndexFunc(f.roles(), func(role string) bool { return !f.quiet[role] })
			if !f.active || at < 0 || time.Now().Before(f.refused[a.Agent.Id.GetValue()]) {
				continue
			}
			list = append(list, &cluster.Allocations_Allocation{
				FrameworkId: f.info.Id, Role: &f.roles()[at], AgentId: a.Agent.Id, Resources: free.Proto(), AgentVersion: a.Version,
			})
			a.used = a.used.Add(free)
			break
		}
	}
	if len(list) > 0 {
		c.Send(p.master, &cluster.Allocations{Epoch: proto.Uint64(p.epoch), Allocations: list})
	}
}

// fullest lists the agents, those with the least free processors first.
func (p *packing) fullest() []*agent {
	var list []*agent
	for _, a := range p.agents {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *agent) int {
		free := func(a *agent) resources.Milli { return a.total.Without(a.used).Scalar(resources.CPUs) }
		return cmp.Or(cmp.Compare(free(a), free(b)), cmp.Compare(a.Agent.Id.GetValue(), b.Agent.Id.GetValue()))
	})
	return list
}

// unreserved is what anybody may have. The master sends nothing invalid.
func unreserved(list []*mesos.Resource) resources.Resources {
	all, err := resources.New(list...)
	if err != nil {
		return resources.Resources{}
	}
	return all.Filter(func(e resources.Entry) bool {
		return e.Role() == "*" && !e.Revocable() && !e.Shared() && e.Disk() == nil
	})
}
