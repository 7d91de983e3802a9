package api

import "troupe/slave/state/view"

// look asks the state after everything that was published before, without
// copying it.
func look[T any](v *View, ask func(*view.Model) T) T {
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	v.apply()
	return ask(v.model.view)
}

// Agent is the newest picture of the agent; without an Info before it has begun.
func (v *View) Agent() *view.Agent { return look(v, (*view.Model).Agent) }

// Framework is nil when the agent has nothing of one of that id.
func (v *View) Framework(f view.FrameworkID) *view.Framework {
	return look(v, func(m *view.Model) *view.Framework { return m.Framework(f) })
}

// Executor is the one of that id that has not ended; nil when there is none.
func (v *View) Executor(f view.FrameworkID, e view.ExecutorID) *view.Executor {
	return look(v, func(m *view.Model) *view.Executor { return m.Executor(f, e) })
}

// Container is the executor that a container is of, and has not ended; nil when
// there is none.
func (v *View) Container(c view.ContainerID) *view.Executor {
	return look(v, func(m *view.Model) *view.Executor { return m.Container(c) })
}

// Host is nil when there is none of that id.
func (v *View) Host(id view.HostID) *view.Host {
	return look(v, func(m *view.Model) *view.Host { return m.Host(id) })
}
