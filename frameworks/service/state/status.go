package state

import (
	"slices"
	"strings"
	"time"

	"troupe/messages/mesos"
)

// terminal tells whether no more is to come of a task. One whose agent nobody
// knows is none any more.
func terminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED, mesos.TaskState_TASK_ERROR,
		mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_DROPPED, mesos.TaskState_TASK_GONE,
		mesos.TaskState_TASK_GONE_BY_OPERATOR, mesos.TaskState_TASK_UNKNOWN:
		return true
	}
	return false
}

func (m *Machine) onStatus(st *mesos.TaskStatus) {
	i := m.tasks[st.GetTaskId().GetValue()]
	switch {
	case i == nil || i.waits():
		m.onStranger(st)
	case terminal(st.GetState()):
		m.onEnded(i, st)
	case st.GetState() == mesos.TaskState_TASK_UNREACHABLE:
		m.onCut(i, st)
	default:
		m.onAlive(i, st)
	}
	m.out.reveal(Acknowledge{st})
}

// onStranger ends a task that is not known, since it was given up or never was.
func (m *Machine) onStranger(st *mesos.TaskStatus) {
	switch {
	case terminal(st.GetState()):
		m.out.reveal(Event{Occasion: UnknownTerminated, At: m.now, Status: st})
	case st.GetState() != mesos.TaskState_TASK_UNREACHABLE:
		m.out.reveal(KillTask{Task: st.GetTaskId().GetValue(), Agent: st.GetAgentId().GetValue()})
	}
}

// tell tells of an instance that has changed, as it is now.
func (m *Machine) tell(i *instance) {
	m.out.reveal(Event{Occasion: InstanceChanged, At: m.now, App: i.App, Version: i.Version, Instance: i.show()})
}

// hear keeps what a status says of a task.
func (m *Machine) hear(i *instance, st *mesos.TaskStatus) {
	i.State, i.Message = st.GetState(), st.GetMessage()
	if len(i.Message) > mostMessage {
		i.Message = strings.ToValidUTF8(i.Message[:mostMessage], "")
	}
	if st.GetCheckStatus() != nil {
		i.Check = st.GetCheckStatus()
	}
	if found := addresses(st); len(found) > 0 {
		i.Addresses = found
	}
	i.snap = nil
}

func addresses(st *mesos.TaskStatus) []Address {
	var all []Address
	for _, n := range st.GetContainerStatus().GetNetworkInfos() {
		for _, ip := range n.GetIpAddresses() {
			if ip.GetIpAddress() != "" {
				all = append(all, Address{ip.GetIpAddress(), ip.GetProtocol()})
			}
		}
	}
	return all
}

// onAlive: a task is on its way, runs, or is there again after it was cut off.
func (m *Machine) onAlive(i *instance, st *mesos.TaskStatus) {
	was, cut, places := i.State, !i.Unreachable.IsZero(), i.Addresses
	m.hear(i, st)
	i.Unreachable, i.Away = time.Time{}, false
	runs := i.State == mesos.TaskState_TASK_RUNNING
	if runs && i.Started.IsZero() {
		i.Started, i.lived = m.when(st), true
		m.alarms.set(&i.ring, time.Time{})
	} else if cut {
		m.alarms.set(&i.ring, time.Time{})
	}
	if was != i.State || cut {
		if runs || cut {
			m.dirty.instances[i.ID] = i
		}
		m.tell(i)
		m.probe(i)
	} else if !slices.Equal(places, i.Addresses) {
		m.dirty.instances[i.ID] = i
	}
	m.out.reveal(Event{Occasion: StatusSeen, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Status: st})
	if st.Healthy != nil {
		m.onAgentHealth(i, st.GetHealthy())
	}
	i.count()
	if runs && i.Ready {
		m.advanced(i)
	}
}

// when is the time of a status, as far as it can be: not after now.
func (m *Machine) when(st *mesos.TaskStatus) time.Time {
	at := time.UnixMilli(int64(st.GetTimestamp() * 1000)).UTC()
	if st.Timestamp == nil || at.After(m.now) || at.Before(m.now.Add(-24*time.Hour)) {
		return m.now
	}
	return at
}

// advanced tells the deployment of an instance that it gets on.
func (m *Machine) advanced(i *instance) {
	if d := i.of.deployer; d != nil && !d.deadline.at.IsZero() && !i.outdated() {
		m.progress(d)
	}
}

// onCut: nobody hears of a task any more, which may run.
func (m *Machine) onCut(i *instance, st *mesos.TaskStatus) {
	first := i.Unreachable.IsZero()
	m.hear(i, st)
	if first {
		i.Unreachable = m.now
		if t := st.GetUnreachableTime(); t != nil {
			i.Unreachable = time.Unix(0, t.GetNanoseconds()).UTC()
		}
		m.dirty.instances[i.ID] = i
		m.unprobe(i)
	}
	m.out.reveal(Event{Occasion: StatusSeen, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Status: st})
	i.count()
	if first {
		m.tell(i)
		m.onInstanceAlarm(i)
	}
}

// onInstanceAlarm: a task takes too long to run, or has been cut off for a while.
func (m *Machine) onInstanceAlarm(i *instance) {
	if i.Unreachable.IsZero() {
		if i.Started.IsZero() && !i.Ending {
			m.out.reveal(Watch{i.Task, i.Agent}) // the cluster may never have heard of it
			m.end(i)
		}
		return
	}
	u := i.current().Unreachable
	if u.Disabled {
		return
	}
	inactive, expunge := i.Unreachable.Add(u.Inactive), i.Unreachable.Add(max(u.Expunge, u.Inactive))
	switch {
	case !m.now.Before(expunge):
		m.expunge(i)
	case !m.now.Before(inactive):
		if !i.Away {
			i.Away = true
			m.dirty.instances[i.ID] = i
			i.of.moved()
			i.count()
			m.tell(i)
		}
		m.alarms.set(&i.ring, expunge)
	default:
		m.alarms.set(&i.ring, inactive)
	}
}

// expunge forgets an instance that is cut off. If it comes back, it is ended.
func (m *Machine) expunge(i *instance) {
	i.Away = true
	m.tell(i)
	m.forget(i)
}

// onEnded: a task is no more.
func (m *Machine) onEnded(i *instance, st *mesos.TaskStatus) {
	s := i.of
	asked, ill := i.Ending, i.ill
	m.unprobe(i)
	for _, c := range i.current().Checks.Readiness {
		delete(s.readiness, i.Task+"/"+c.Name)
	}
	m.hear(i, st)
	i.Unreachable = time.Time{}
	m.out.reveal(Event{Occasion: StatusSeen, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Status: st})
	m.tell(i)
	if ill || !asked && unfortunate(st) {
		s.failed()
	}
	if !asked && st.GetState() != mesos.TaskState_TASK_KILLED {
		s.mourn(i, st)
	}
	if i.held == nil || i.wiped || s.gone || !i.lived { // without data nothing is reserved for sure
		m.forget(i)
		return
	}
	m.suspend(i)
}

// suspend keeps an instance for its volumes.
func (m *Machine) suspend(i *instance) {
	delete(m.tasks, i.key())
	i.uncount()
	i.Task, i.Ending, i.Away, i.ill = "", false, false, false
	i.State = mesos.TaskState_TASK_STAGING
	i.Started, i.Health, i.Check, i.Addresses = time.Time{}, nil, nil, nil
	m.tasks[i.key()] = i
	m.alarms.set(&i.ring, time.Time{})
	m.dirty.instances[i.ID] = i
	i.of.moved()
	i.count()
}
