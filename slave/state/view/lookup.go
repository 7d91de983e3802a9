package view

// Agent is the newest picture of the agent; without anything in it before the
// agent has begun.
func (m *Model) Agent() *Agent { return m.agent }

// Framework is the one of that id that has anything here; nil when there is none.
func (m *Model) Framework(f FrameworkID) *Framework {
	if tree := m.frameworks[f]; tree != nil {
		return tree.info
	}
	return nil
}

// Executor is the one of that id that has not ended; nil when there is none.
func (m *Model) Executor(f FrameworkID, e ExecutorID) *Executor {
	tree := m.frameworks[f]
	if tree == nil {
		return nil
	}
	for _, x := range tree.executors {
		if x.info.ID == e && x.info.Info != nil {
			return x.info
		}
	}
	return nil
}

// Container is the executor that a container is of, and has not ended; nil when
// there is none.
func (m *Model) Container(c ContainerID) *Executor {
	for _, tree := range m.frameworks {
		if x := tree.executors[c]; x != nil && x.info.Info != nil {
			return x.info
		}
	}
	return nil
}

// Host is nil when there is none of that id.
func (m *Model) Host(id HostID) *Host { return m.hosts[id] }
