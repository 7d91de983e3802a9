package placement

import (
	"errors"

	"troupe/frameworks/match"
	"troupe/frameworks/ports"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Placed is an instance that got a place. Nothing of it may be changed.
type Placed struct {
	Task *mesos.TaskInfo
	Host match.Host
	// Ports are those of the host in the order of their definition; 0 is one that
	// is reached at the container's own address.
	Ports []int
	// Reservation is what the instance has on the agent from now on; nil without
	// persistent volumes.
	Reservation *Reservation
}

// taken is what an instance gets.
type taken struct {
	task, executor resources.Resources
	numbers        []uint64 // host ports, as many as are wanted
	reservation    *Reservation
}

// Place finds room for one instance on what is left of an offer and uses it: the
// task and what it needs are then in g.Operations. A refusal leaves g as it was.
func (r *Recipe) Place(g *Ground, a Attempt) (*Placed, Refusal) {
	if bad := r.suits(g, a); bad != nil {
		return nil, bad
	}
	if r.settings.KeepGPUs && g.gpus && r.want.gpus == 0 && a.Held == nil {
		bad, _ := r.shortage(g.usable(r.accepts), a.Chance)
		return nil, append(bad, Why{Reason: wire.DeclinedScarceResources, text: "the agent has GPUs, which are kept for apps that want some"})
	}
	var got taken
	var bad Refusal
	switch {
	case a.Held != nil:
		got, bad = r.resume(g, a)
	case len(r.volumes) > 0:
		got, bad = r.settle(g, a)
	default:
		got, bad = r.take(g, a)
	}
	if bad != nil {
		return nil, bad
	}
	if a.Spread != nil {
		a.Spread.Place(g.host)
	}
	p := &Placed{Host: g.host, Ports: r.inOrder(got.numbers), Reservation: got.reservation}
	p.Task = r.task(g, a, got, p.Ports)
	g.launch(p.Task)
	return p, nil
}

// take gives an instance what it wants of what tasks may use.
func (r *Recipe) take(g *Ground, a Attempt) (taken, Refusal) {
	from := g.usable(r.accepts)
	got, rest, bad := r.split(from, a.Chance)
	if bad != nil {
		return taken{}, bad
	}
	g.use(got.task.Add(got.executor))
	g.free[r.accepts] = rest
	return got, nil
}

// split takes what an instance wants beside volumes from what is there for it.
func (r *Recipe) split(from resources.Resources, chance uint64) (got taken, rest resources.Resources, bad Refusal) {
	bad, picked := r.shortage(from, chance)
	if bad != nil {
		return got, from, bad
	}
	// There is enough of each, so that neither can fail.
	got.numbers = picked.Numbers
	task, rest, _ := picked.Rest.Take(r.want.all)
	got.executor, rest, _ = rest.Take(r.executor)
	got.task = task.Add(picked.Resources)
	return got, rest, nil
}

// shortage says of what there is too little; if there is not, picked has the ports.
func (r *Recipe) shortage(from resources.Resources, chance uint64) (bad Refusal, picked ports.Picked) {
	for _, q := range []struct {
		reason, name string
		wanted       resources.Milli
	}{
		{wire.InsufficientCpus, resources.CPUs, r.want.cpus},
		{wire.InsufficientMemory, resources.Mem, r.want.mem},
		{wire.InsufficientDisk, resources.Disk, r.want.disk},
		{wire.InsufficientGpus, resources.GPUs, r.want.gpus},
	} {
		if has := from.Scalar(q.name); has < q.wanted {
			bad = append(bad, Why{Reason: q.reason, Wanted: q.wanted, Has: has})
		}
	}
	picked, err := ports.Pick(from, r.ports, chance)
	if err != nil {
		bad = append(bad, Why{Reason: wire.InsufficientPorts, text: portsText(err)})
	}
	return bad, picked
}

func portsText(err error) string {
	if short := new(ports.Shortage); errors.As(err, &short) {
		return short.Error()
	}
	return "ports cannot be had: " + err.Error()
}

// inOrder are the host ports of all ports that are defined, 0 for those without.
func (r *Recipe) inOrder(numbers []uint64) []int {
	list := make([]int, 0, len(numbers))
	for _, wants := range r.parts.onHost {
		n := 0
		if wants {
			n, numbers = int(numbers[0]), numbers[1:]
		}
		list = append(list, n)
	}
	return list
}
