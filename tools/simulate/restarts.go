package simulate

import "time"

// killWanted tells that a framework asks for the end of a task.
func (o *oracle) killWanted(id string) {
	if f := o.fates[id]; f != nil {
		f.unwanted = true
	}
}

// taskKilled judges a task that its executor is told to end.
func (o *oracle) taskKilled(a *agentNode, t *taskNode) {
	if f := o.fates[t.id()]; f != nil && !f.unwanted && !f.over && !o.over[f.framework] && !o.wishes.ending[f.agent] {
		o.broken(3, t.id(), "on %s is killed, and nobody asked for that", a.address)
	}
}

// taskCut judges a task that somebody ended before its time: law 3.
func (o *oracle) taskCut(a *agentNode, t *taskNode, why string) {
	if !o.excused(t) {
		o.broken(3, t.id(), "on %s is ended before its time: %s", a.address, why)
	}
}

// newsLost judges an executor that has given up telling what became of a task.
func (o *oracle) newsLost(t *taskNode, why error) {
	if !o.excused(t) {
		o.broken(3, t.id(), "has news that its executor gives up: %s", why)
	}
}

func (o *oracle) excused(t *taskNode) bool {
	a, f := t.container.host.agent, o.fates[t.id()]
	switch {
	case f == nil || f.unwanted || f.over || o.over[f.framework] || o.wishes.ending[f.agent]:
		return true // nobody wants it any more
	case a.excused || t.container.host.excused:
		return true // something befell its machine
	}
	// An agent that was stopped finds its executors late, and gives up those
	// that it had not found before.
	return o.cluster.net.now.Sub(a.woke) < patience
}

// patience is how long an agent that was stopped takes to come to terms with
// its hosts.
const patience = time.Minute
