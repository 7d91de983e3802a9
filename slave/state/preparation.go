package state

import (
	"cmp"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
)

// preparation is how far a launch is from what its resources need: reservations
// and volumes that are there, and volumes that are linked.
type preparation uint8

const (
	unprepared preparation = iota
	holding                // operations that came before it are under way
	linking                // its volumes
	prepared
)

// prepare makes a launch ready to be given. It goes on by itself; see release,
// sandboxMade and volumesLinked.
func (m *Machine) prepare(l *launch) {
	e := l.tasks[0].executor
	if l.preparation != unprepared || !l.durable || !l.untouched() || e.phase >= view.Terminating {
		return
	}
	needs := l.needs()
	if needs.IsEmpty() {
		l.preparation = prepared
		return
	}
	if len(m.stock.queue) > 0 {
		l.preparation = holding
		m.stock.held = append(m.stock.held, l)
		return
	}
	if _, ok := m.stock.total.Use(needs); !ok {
		m.failLaunch(l, e.framework.lost(mesos.TaskState_TASK_DROPPED), mesos.TaskStatus_REASON_RESOURCES_UNKNOWN,
			"The agent does not have what the launch uses: "+needs.String())
		return
	}
	links, err := m.links(l)
	switch {
	case err != nil:
		m.failLaunch(l, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, err.Error())
	case len(links) == 0:
		l.preparation = prepared
	case e.step > sandboxing:
		l.preparation = linking
		m.emit(LinkVolumes{Container: e.container, Launch: l.number(), Sandbox: e.sandbox, Links: links})
	}
}

// number tells a launch from the executor's others.
func (l *launch) number() uint64 { return l.tasks[0].number }

// links are the volumes of a launch, and where it wants them. An executor's come
// with every launch: they are there from the first.
func (m *Machine) links(l *launch) ([]VolumeLink, error) {
	e := l.tasks[0].executor
	var list []VolumeLink
	add := func(resources []*mesos.Resource, user string, late bool) error {
		uses, err := check.Volumes(resources, m.cfg.MountVolumes)
		for _, u := range uses {
			if !m.cfg.SwitchUser {
				user = ""
			}
			k := VolumeLink{Volume: volumeOf(u.Resource), At: u.At, User: user, Shared: u.Resource.Shared != nil}
			if u.Mount {
				k.At = ""
				if late {
					return u.Once()
				}
			}
			list = append(list, k)
		}
		return err
	}
	if !e.generated() {
		if err := add(e.info.GetResources(), e.user, false); err != nil {
			return nil, err
		}
	}
	late := e.kind == cluster.LaunchContainer_CUSTOM && e.step == asked // tasks of a group have containers of their own
	for _, t := range l.tasks {
		if err := add(t.info.GetResources(), cmp.Or(t.info.GetCommand().GetUser(), e.user), late); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// failLaunch ends a launch that cannot be.
func (m *Machine) failLaunch(l *launch, state mesos.TaskState, reason mesos.TaskStatus_Reason, why string) {
	e := l.tasks[0].executor
	for _, t := range l.tasks {
		if !check.Over(t.next) {
			m.tell(t, state, reason, why)
		}
	}
	m.relieve(e)
}

// volumesLinked goes on with a launch whose volumes are there.
func (m *Machine) volumesLinked(in VolumesLinked) {
	e := m.containers[in.Container]
	if e == nil {
		return // it has ended meanwhile
	}
	for _, t := range e.inOrder() {
		l := t.launch
		if l.number() != in.Launch || l.preparation != linking {
			continue
		}
		if in.Err != nil {
			l.preparation = unprepared
			m.failLaunch(l, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, in.Err.Error())
			return
		}
		l.preparation = prepared
		m.advance(e, l)
		return
	}
}

// advance places an executor that waited for its first launch to be ready, or
// gives the launch to one that runs.
func (m *Machine) advance(e *executor, l *launch) {
	switch {
	case l.preparation != prepared || !l.untouched():
	case e.step == sandboxed && e.phase == view.Launching:
		m.place(e)
		m.publishExecutor(e)
	case e.phase == view.Running:
		m.give(e, l)
	}
}

// release goes on with the launches that waited for operations.
func (m *Machine) release() {
	held := m.stock.held
	m.stock.held = nil
	for _, l := range held {
		l.preparation = unprepared
		m.prepare(l)
		m.advance(l.tasks[0].executor, l)
	}
}
