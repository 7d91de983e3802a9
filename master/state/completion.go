package state

import (
	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// endFramework first makes it durable that a framework is completed; until
// then it is offered nothing and nobody obeys it. Then, which may be nil, is
// called once it is over.
func (m *Machine) endFramework(f *framework, then func()) {
	if !f.leaving {
		f.leaving = true
		m.discardOffers(f)
		m.changeFramework(f, func(v *view.Framework) { v.Active = false })
		m.emit(CancelTimer{timerFailover + "/" + string(f.id())})
		m.tellAllocator(&cluster.DeactivateFramework{FrameworkId: f.view.Info.GetId()})
	}
	m.persist(registry.CompleteFramework{FrameworkID: string(f.id()), At: m.now}, func(conflict error) {
		if conflict != nil {
			m.note(Warn, "The registry knows better: "+conflict.Error())
		}
		if m.frameworks.byID[f.id()] == f {
			m.removeFramework(f)
		}
		if then != nil {
			then()
		}
	})
}

// removeFramework takes a completed framework off: its agents end what it
// runs, and its tasks count as killed without any update.
func (m *Machine) removeFramework(f *framework) {
	f.ending = true
	m.shutDownAt(f)
	for len(f.order) > 0 {
		t := f.order[len(f.order)-1]
		if !t.terminal() {
			m.updateTask(t, m.masterStatus(t.view, mesos.TaskState_TASK_KILLED,
				mesos.TaskStatus_REASON_FRAMEWORK_REMOVED, "Framework "+string(f.id())+" removed"), mesos.TaskState_TASK_KILLED)
		}
		m.removeTask(t, view.Completed)
	}
	m.disownOperations(f)
	if f.connected() {
		delete(m.frameworks.byPeer, f.peer())
		m.emit(Unlink{f.peer()})
		m.emit(CancelTimer{timerHeartbeat + "/" + string(f.id())})
	}
	delete(m.frameworks.byID, f.id())
	m.tellAllocator(&cluster.RemoveFramework{FrameworkId: f.view.Info.GetId()})
	next := *f.view
	next.Connected, next.Active, next.Recovered, next.Peer = false, false, false, ""
	next.Unregistered = m.now
	m.publish(view.FrameworkRemoved{Framework: &next})
	m.note(Info, "A framework is completed", Field{"framework", string(f.id())})
}

// shutDownAt tells every agent that may run something of f to end it, and
// forgets f's executors there.
func (m *Machine) shutDownAt(f *framework) {
	told := make(map[*agent]bool)
	tell := func(a *agent) {
		if a.connected() && !told[a] {
			told[a] = true
			m.send(a.peer(), &cluster.ShutdownFramework{FrameworkId: f.view.Info.GetId()})
		}
	}
	for _, t := range f.order {
		tell(t.agent)
	}
	for _, e := range f.orderedExecutors() {
		tell(e.agent)
		m.removeExecutor(e)
	}
}
