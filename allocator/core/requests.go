package core

import (
	"slices"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	// requestLife is how long a request steers.
	requestLife = 5 * time.Minute
	// maxRequests bounds those of one framework, maxAskers the frameworks that
	// have some; who asked the longest ago is forgotten.
	maxRequests = 16
	maxAskers   = 64
)

// request is a hint of what a framework would like: an agent, or any that has
// so much free.
type request struct {
	agent   agentID // any, when empty
	amount  resources.Quantities
	expires time.Time
}

func (r request) fits(g *agent) bool {
	return (r.agent == "" || r.agent == g.id) && g.free.sum.Contains(r.amount)
}

// requestResources replaces a framework's requests.
func (a *Allocator) requestResources(m *cluster.RequestResources) error {
	f, err := a.find(m.GetFrameworkId())
	if err != nil {
		return err
	}
	list := make([]request, 0, min(len(m.Requests), maxRequests))
	for i, r := range m.Requests {
		if i == maxRequests {
			break
		}
		q, err := a.readRequest(r)
		if err != nil {
			return field.At("requests", i, err)
		}
		list = append(list, q)
	}
	a.askers = slices.DeleteFunc(a.askers, func(x *framework) bool { return x == f })
	f.requests = list
	if len(list) == 0 {
		return nil
	}
	if len(a.askers) == maxAskers {
		a.askers[0].requests = nil
		a.askers = slices.Delete(a.askers, 0, 1)
	}
	a.askers = append(a.askers, f)
	return nil
}

func (a *Allocator) readRequest(r *mesos.Request) (request, error) {
	b, err := a.bundles.read(r.GetResources())
	if err != nil {
		return request{}, err
	}
	return request{agentID(r.GetAgentId().GetValue()), b.sum, a.now.Add(requestLife)}, nil
}

// forgetRequests takes out those that expired, and the askers that are gone or
// have none left.
func (a *Allocator) forgetRequests() {
	a.askers = slices.DeleteFunc(a.askers, func(f *framework) bool {
		f.requests = slices.DeleteFunc(f.requests, func(r request) bool { return !r.expires.After(a.now) })
		return len(f.requests) == 0 || !f.added
	})
}

// asked gives what is free on an agent to those that asked for such a thing and
// are in l's role with the same share: among equals, they come first. A request
// that is fulfilled is none any more.
func (a *Allocator) asked(g *agent, l *leaf) {
	share := a.order.Share(l.node)
	for _, f := range a.askers {
		other, ok := f.leaves[l.role]
		if !ok || !other.node.Active() || a.order.Share(other.node) != share {
			continue
		}
		at := slices.IndexFunc(f.requests, func(r request) bool { return r.fits(g) })
		if at >= 0 && a.serveOne(g, other) {
			f.requests = slices.Delete(f.requests, at, at+1)
			a.cutFor(&a.look.cut, g.free, l.top)
		}
	}
}
