package state

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/updates"
)

// stream lets the update streams take one input in.
func (m *Machine) stream(in updates.Input) {
	for _, e := range m.streams.Step(m.now, in) {
		switch e := e.(type) {
		case updates.Forward:
			m.send(m.master.peer, &cluster.StatusUpdate{
				FrameworkId: &mesos.FrameworkID{Value: &e.Key.Framework}, AgentId: m.id(),
				Status: e.Status, LatestState: e.Latest.Enum(),
			})
		case updates.SetTimer:
			m.emit(SetTimer{updateTimer(e.Key), e.After})
		case updates.CancelTimer:
			m.emit(CancelTimer{updateTimer(e.Key)})
		case updates.Acknowledged:
			m.updateAcknowledged(e)
		}
	}
}

// statusUpdateAck need not be durable to take effect: see package updates.
func (m *Machine) statusUpdateAck(msg *cluster.StatusUpdateAck) {
	k := updates.Key{Framework: msg.GetFrameworkId().GetValue(), Task: msg.GetTaskId().GetValue()}
	if id, ok := updates.UUIDOf(msg.GetUuid()); ok {
		m.stream(updates.Acknowledge{Key: k, UUID: id})
		return
	}
	m.note(Warn, "Acknowledgement dropped: its uuid is not of 16 bytes", Field{"task", k.Task})
}

func (m *Machine) updateAcknowledged(e updates.Acknowledged) {
	if t := m.task(e.Key); e.Last && t != nil {
		m.removeTask(t)
		return
	}
	m.checkpoint(nil, acknowledgedRecord(e.Key, e.Status.GetUuid()))
}

func acknowledgedRecord(k updates.Key, uuid []byte) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Acknowledged{
		Acknowledged: &cluster.UpdateAcknowledged{
			FrameworkId: &mesos.FrameworkID{Value: &k.Framework}, TaskId: &mesos.TaskID{Value: &k.Task}, Uuid: uuid,
		},
	}}
}

// news is an update on its way to the journal.
type news struct {
	key    updates.Key
	status *mesos.TaskStatus
}

func (n news) record() *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Update{
		Update: &cluster.UpdateAccepted{FrameworkId: &mesos.FrameworkID{Value: &n.key.Framework}, Status: n.status},
	}}
}

// ownNews makes an update of the agent itself. t is nil for a task that the
// agent does not have.
func (m *Machine) ownNews(k updates.Key, t *task, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) news {
	id := m.chance.uuid()
	u := &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: &k.Task}, AgentId: m.id(), State: state.Enum(),
		Source: mesos.TaskStatus_SOURCE_AGENT.Enum(), Reason: reason.Enum(), Message: &message,
		Timestamp: proto.Float64(seconds(m.now)), Uuid: id[:],
	}
	if t != nil {
		u.ExecutorId = t.executor.info.ExecutorId
		u.ContainerStatus = &mesos.ContainerStatus{ContainerId: t.executor.containerID(), NetworkInfos: m.networks()}
		t.next = state
	}
	return news{k, u}
}

// tell makes an update of the agent itself durable and then known.
func (m *Machine) tell(t *task, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	n := m.ownNews(t.key(), t, state, reason, message)
	m.checkpoint(func() { m.known(n) }, n.record())
}

// disown tells of the end of a task that the agent does not have, unless that
// was told and is not acknowledged yet.
func (m *Machine) disown(k updates.Key, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	if m.streams.Terminated(k) || m.disowning[k] {
		return
	}
	m.disowning[k] = true
	n := m.ownNews(k, nil, state, reason, message)
	m.checkpoint(func() {
		delete(m.disowning, k)
		m.known(n)
	}, n.record())
}

// known spreads an update that is durable.
func (m *Machine) known(n news) {
	if t := m.task(n.key); t != nil {
		if t.executor.framework.ending {
			return
		}
		t.news(n.status)
		m.publishTask(t)
		m.forgetExit(t)
	}
	m.stream(updates.Add{Key: n.key, Status: n.status})
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()/1000) / 1e6 }
