package state

import (
	"cmp"
	"slices"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/redact"
	"troupe/messages/resources"
)

// executor is one that has resources of its own on an agent.
type executor struct {
	framework *framework
	agent     *agent
	view      *view.Executor
	// Tasks under it that are not terminal.
	tasks int
	// Its agent did not name it: it ends with its last task.
	unsaid bool
}

func (e *executor) key() executorKey { return executorKey{e.framework, e.view.ID} }

// orderedExecutors lists a framework's executors in a fixed order.
func (f *framework) orderedExecutors() []*executor { return sortExecutors(f.executors) }

// orderedExecutors lists an agent's executors in a fixed order.
func (a *agent) orderedExecutors() []*executor {
	all := make(map[*executor]bool, len(a.executors))
	for _, e := range a.executors {
		all[e] = true
	}
	return sortExecutors(all)
}

func sortExecutors(set map[*executor]bool) []*executor {
	if len(set) == 0 {
		return nil
	}
	all := make([]*executor, 0, len(set))
	for e := range set {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *executor) int {
		return cmp.Or(a.agent.seq-b.agent.seq, a.framework.seq-b.framework.seq, cmp.Compare(a.view.ID, b.view.ID))
	})
	return all
}

// addExecutor makes an executor known, from its first task on. Its resources
// are counted as used by the caller.
func (m *Machine) addExecutor(f *framework, a *agent, info *mesos.ExecutorInfo, role string, need resources.Resources) *executor {
	e := &executor{framework: f, agent: a, view: &view.Executor{
		ID: ExecutorID(info.GetExecutorId().GetValue()), Framework: f.id(), Agent: a.id(),
		Info: redact.Executor(info), Role: role, Resources: need,
	}}
	a.executors[e.key()] = e
	f.executors[e] = true
	m.publish(view.ExecutorAdded{Executor: e.view})
	return e
}

// removeExecutor gives back what an executor held, once: its agent may have
// told of its end before that of its last task.
func (m *Machine) removeExecutor(e *executor) {
	a := e.agent
	if a.executors[e.key()] != e {
		return
	}
	delete(a.executors, e.key())
	delete(e.framework.executors, e)
	a.used = a.used.Without(e.view.Resources.Underlying())
	if !m.withhold(a, e.view.Resources) {
		m.recover(e.framework, a, e.view.Role, e.view.Resources, nil)
	}
	m.publish(view.ExecutorRemoved{Framework: e.framework.id(), Agent: a.id(), ID: e.view.ID})
}

// builtIn tells whether an executor is the one for task groups, which ends by
// itself with its last task.
func (e *executor) builtIn() bool { return e.view.Info.GetType() == mesos.ExecutorInfo_DEFAULT }

// taskEnded counts a task off its executor.
func (m *Machine) taskEnded(t *task) {
	e := t.executor
	if e == nil {
		return
	}
	t.executor = nil
	e.tasks--
	if e.tasks == 0 && (e.builtIn() || e.unsaid) {
		m.removeExecutor(e)
	}
}

// learnExecutors makes an agent's executors those that it named, and those that
// have tasks.
func (m *Machine) learnExecutors(a *agent, infos []*mesos.ExecutorInfo) {
	named := make(map[executorKey]bool, len(infos))
	for _, info := range infos {
		f := m.frameworks.byID[FrameworkID(info.GetFrameworkId().GetValue())]
		id := info.GetExecutorId().GetValue()
		if f == nil || id == "" {
			continue
		}
		key := executorKey{f, ExecutorID(id)}
		named[key] = true
		if e := a.executors[key]; e != nil {
			e.unsaid = false
			continue
		}
		need, role, err := allocated(f, info.GetResources())
		if err != nil {
			m.note(Warn, "An agent named an executor that cannot be: "+err.Error(), Field{"agent", string(a.id())})
			continue
		}
		m.addExecutor(f, a, info, role, need)
		a.used = a.used.Add(need.Underlying())
	}
	for _, e := range a.orderedExecutors() {
		switch {
		case named[e.key()] || e.builtIn():
		case e.tasks > 0:
			e.unsaid = true // its launch may have crossed the message
		default:
			m.removeExecutor(e)
		}
	}
}
