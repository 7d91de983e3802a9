package state

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/amounts"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
)

// amountsOf is what an executor's container may use: for itself, and for its
// tasks that are durable and have not ended. What a generated executor has for
// itself nobody is charged for, and it is not in the container.
func (m *Machine) amountsOf(e *executor) *cluster.ContainerAmounts {
	own := e.info.GetResources()
	if e.generated() {
		own = nil
	}
	var infos []*mesos.TaskInfo
	for _, t := range e.inOrder() {
		if t.launch.durable && !check.Over(t.next) {
			infos = append(infos, t.info)
		}
	}
	a := amounts.Of(own, infos, m.cfg.QuotaCPUs)
	if m.cfg.VolumeFolder != nil {
		a.Volumes = m.volumesIn(own, infos)
	}
	return a
}

// volumesIn are the persistent volumes of an executor and its tasks, in the order
// of these; a shared one is there once for each way in which it is wanted.
func (m *Machine) volumesIn(own []*mesos.Resource, tasks []*mesos.TaskInfo) []*cluster.ContainerVolume {
	var list []*cluster.ContainerVolume
	add := func(resources []*mesos.Resource) {
		for _, r := range resources {
			if r.GetDisk().GetPersistence() == nil {
				continue
			}
			source := m.cfg.VolumeFolder(volumeOf(r))
			same := func(v *cluster.ContainerVolume) bool {
				return v.GetSource() == source && proto.Equal(v.GetResource().GetDisk().GetVolume(), r.GetDisk().GetVolume())
			}
			if !slices.ContainsFunc(list, same) {
				list = append(list, &cluster.ContainerVolume{Resource: r, Source: &source})
			}
		}
	}
	add(own)
	for _, t := range tasks {
		add(t.GetResources())
	}
	return list
}

// refit tells a container's host what it may use from now on, as tasks have come
// or gone. The container of a task that brought no executor ends with it, and
// keeps until then what it had.
func (m *Machine) refit(e *executor) {
	if e.step != asked || e.phase >= view.Terminating || e.generated() && e.idle() {
		return
	}
	if a := m.amountsOf(e); !proto.Equal(a, e.amounts) {
		e.amounts = a
		m.sendAmounts(e)
		m.publishExecutor(e)
	}
}

// sendAmounts is repeated whenever the container's host comes back.
func (m *Machine) sendAmounts(e *executor) {
	m.send(e.host.peer, &cluster.UpdateContainer{ContainerId: e.containerID(), Amounts: e.amounts})
}

// containerProgress gives an executor its time to subscribe anew: its container
// is being made.
func (m *Machine) containerProgress(from Peer, msg *cluster.ContainerProgress) {
	e := m.containers[ContainerID(msg.GetContainerId().GetValue())]
	if e == nil || e.host == nil || e.host.peer != from || e.step != asked || e.launched || e.phase >= view.Running {
		return
	}
	m.emit(SetTimer{containerTimer(timerSubscription, e.container), m.cfg.ExecutorRegistration})
	if e.doing != msg.GetDoing() {
		e.doing = msg.GetDoing()
		m.publishExecutor(e)
	}
}
