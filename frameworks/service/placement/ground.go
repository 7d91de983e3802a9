package placement

import (
	"fmt"
	"slices"

	"troupe/frameworks/match"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Ground is an offer while instances are placed on it. It is not safe for
// concurrent use.
type Ground struct {
	offer *mesos.Offer
	host  match.Host
	role  string // that the offer is for; "" where it does not say
	left  resources.Resources
	// free is what of left tasks without reservations of their own may use, by
	// what they accept; made when it is asked for.
	free  map[accepted]resources.Resources
	gpus  bool // some were offered
	ops   []*mesos.Offer_Operation
	tasks int
}

// accepted says which resources an app takes.
type accepted struct{ unreserved, reserved bool }

// Open begins to use an offer, which must not change any more. The error names the
// offer and what is malformed in it.
func Open(o *mesos.Offer) (*Ground, error) {
	left, err := resources.New(o.GetResources()...)
	if err != nil {
		return nil, fmt.Errorf("offer %q: resources: %w", o.GetId().GetValue(), err)
	}
	return &Ground{
		offer: o, host: match.HostOf(o), role: o.GetAllocationInfo().GetRole(), left: left,
		free: map[accepted]resources.Resources{}, gpus: left.Scalar(resources.GPUs) > 0,
	}, nil
}

// Offer is what it was opened with.
func (g *Ground) Offer() *mesos.Offer { return g.offer }

// Host is that of the offer's agent.
func (g *Ground) Host() match.Host { return g.host }

// Left is what nothing has been placed on.
func (g *Ground) Left() resources.Resources { return g.left }

// Tasks is how many were placed.
func (g *Ground) Tasks() int { return g.tasks }

// Operations are what to accept the offer with, so far; none when there is nothing
// to do with it. The caller may keep the list until the next placement.
func (g *Ground) Operations() []*mesos.Offer_Operation { return g.ops }

// usable is what there is for a task that accepts a: nothing that may be taken
// away, that is shared, a disk of its own, or kept with labels, which is for
// somebody's purpose.
func (g *Ground) usable(a accepted) resources.Resources {
	if r, ok := g.free[a]; ok {
		return r
	}
	r := g.left.Filter(func(e resources.Entry) bool {
		if !plain(e) || e.Disk() != nil {
			return false
		}
		if e.Role() == names.AnyRole {
			return a.unreserved
		}
		return a.reserved && !slices.ContainsFunc(e.Reservations(), func(i *mesos.Resource_ReservationInfo) bool {
			return len(i.GetLabels().GetLabels()) > 0
		})
	})
	g.free[a] = r
	return r
}

// plain tells whether a task can have e for as long as it lives, and for itself.
func plain(e resources.Entry) bool {
	return !e.Revocable() && !e.Shared() && e.Disk().GetPersistence() == nil
}

// use takes what is used out of what is left.
func (g *Ground) use(taken resources.Resources) {
	g.left = g.left.Without(taken)
	clear(g.free)
}

// launch adds a task: to those that are launched already where nothing else comes
// between.
func (g *Ground) launch(t *mesos.TaskInfo) {
	g.tasks++
	if n := len(g.ops); n > 0 && g.ops[n-1].GetType() == mesos.Offer_Operation_LAUNCH {
		l := g.ops[n-1].GetLaunch()
		l.TaskInfos = append(l.TaskInfos, t)
		return
	}
	g.ops = append(g.ops, &mesos.Offer_Operation{
		Type:   mesos.Offer_Operation_LAUNCH.Enum(),
		Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{t}},
	})
}
