package frameworktest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// receive answers a scheduler's call.
func (m *cluster) receive(from actors.PID, c *scheduler.Call) {
	m.calls = append(m.calls, c)
	switch c.GetType() {
	case scheduler.Call_SUBSCRIBE:
		m.subscribe(from, c.GetSubscribe())
	case scheduler.Call_ACCEPT:
		m.accept(c.GetAccept())
	case scheduler.Call_DECLINE:
		for _, id := range c.GetDecline().GetOfferIds() {
			m.refuse(m.takeBack(id.GetValue()), c.GetDecline().GetFilters())
		}
	case scheduler.Call_ACKNOWLEDGE:
		m.acknowledge(c.GetAcknowledge())
	case scheduler.Call_KILL:
		m.kill(c.GetKill().GetTaskId().GetValue())
	case scheduler.Call_RECONCILE:
		m.reconcile(c.GetReconcile())
	case scheduler.Call_SUPPRESS:
		m.suppressed = true
	case scheduler.Call_REVIVE:
		m.suppressed = false
		for _, a := range m.agents {
			a.declined = false
		}
	case scheduler.Call_UPDATE_FRAMEWORK:
		m.framework = c.GetUpdateFramework().GetFrameworkInfo()
		m.suppressed = len(c.GetUpdateFramework().GetSuppressedRoles()) > 0
	case scheduler.Call_TEARDOWN:
		m.end()
		m.fail("Framework has been removed")
		m.scheduler = actors.PID{}
	}
	m.offer()
}

func (m *cluster) subscribe(from actors.PID, c *scheduler.Call_Subscribe) {
	if !m.scheduler.IsZero() && m.scheduler != from {
		m.fail("Framework failed over")
	}
	m.scheduler = from
	if id := c.GetFrameworkInfo().GetId().GetValue(); id != "" && id == m.removed {
		m.fail("Framework has been removed")
		m.scheduler = actors.PID{}
		return
	}
	m.framework = proto.CloneOf(c.GetFrameworkInfo())
	m.suppressed = len(c.GetSuppressedRoles()) > 0
	if m.framework.GetId().GetValue() == "" {
		m.frameworks++
		m.framework.Id = &mesos.FrameworkID{Value: proto.String(fmt.Sprintf("F%d", m.frameworks))}
	}
	for id := range m.offers {
		m.takeBack(id)
	}
	for _, a := range m.agents {
		a.declined = false
	}
	said := &scheduler.Event_Subscribed{FrameworkId: m.framework.GetId()}
	if m.after == nil {
		said.HeartbeatIntervalSeconds = proto.Float64(15)
	} // else none are promised, since none are sent however long it takes
	m.emit(&scheduler.Event{Type: scheduler.Event_SUBSCRIBED.Enum(), Subscribed: said})
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		if u := m.tasks[id].unacknowledged; len(u) > 0 {
			m.forward(u[0])
		}
	}
}

// refuse filters what is left on an agent.
func (m *cluster) refuse(a *agent, f *mesos.Filters) {
	if a == nil {
		return
	}
	a.declined = true
	a.filters++
	number := a.filters
	if m.after != nil {
		wait := time.Duration(f.GetRefuseSeconds() * float64(time.Second))
		m.after(wait, func() {
			if a.declined && a.filters == number {
				a.declined = false
				m.offer()
			}
		})
	}
}

// offer sends what is free and wanted.
func (m *cluster) offer() {
	if m.scheduler.IsZero() || m.suppressed {
		return
	}
	var list []*mesos.Offer
	for _, name := range slices.Sorted(maps.Keys(m.agents)) {
		a := m.agents[name]
		if a.offer != "" || a.declined || a.away || a.free.IsEmpty() {
			continue
		}
		m.nextOffer++
		a.offer = fmt.Sprintf("O%d", m.nextOffer)
		m.offers[a.offer] = a
		list = append(list, m.offerOf(a))
	}
	if len(list) > 0 {
		m.emit(&scheduler.Event{Type: scheduler.Event_OFFERS.Enum(), Offers: &scheduler.Event_Offers{Offers: list}})
	}
}

func (m *cluster) offerOf(a *agent) *mesos.Offer {
	o := &mesos.Offer{
		Id: &mesos.OfferID{Value: proto.String(a.offer)}, FrameworkId: m.framework.GetId(),
		AgentId: &mesos.AgentID{Value: &a.Name}, Hostname: proto.String(cmp.Or(a.Host, "host-"+a.Name)),
		Resources:      a.free.Allocate(m.role()).Proto(),
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String(m.role())},
	}
	o.Attributes, _ = resources.ParseAttributes(a.Attributes) // join has read them
	if a.Region != "" {
		o.Domain = &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
			Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &a.Region},
			Zone:   &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: &a.Zone},
		}}
	}
	return o
}

func (m *cluster) role() string {
	if r := m.framework.GetRoles(); len(r) > 0 {
		return r[0]
	}
	return m.framework.GetRole()
}

// accept does what is asked for, in order: what one operation makes the next may
// use.
func (m *cluster) accept(c *scheduler.Call_Accept) {
	var a *agent
	for _, id := range c.GetOfferIds() {
		a = m.takeBack(id.GetValue())
	}
	m.refuse(a, c.GetFilters())
	for _, op := range c.GetOperations() {
		switch op.GetType() {
		case mesos.Offer_Operation_LAUNCH:
			for _, info := range op.GetLaunch().GetTaskInfos() {
				m.launch(a, info)
			}
		case mesos.Offer_Operation_LAUNCH_GROUP:
			for _, info := range op.GetLaunchGroup().GetTaskGroup().GetTasks() {
				m.launch(a, info)
			}
		default:
			m.convert(a, op)
		}
	}
}

// launch starts a task, or says why it cannot be.
func (m *cluster) launch(a *agent, info *mesos.TaskInfo) {
	refuse := func(st mesos.TaskState, reason mesos.TaskStatus_Reason) {
		m.forward(&mesos.TaskStatus{
			TaskId: info.GetTaskId(), AgentId: info.GetAgentId(), State: st.Enum(), Reason: reason.Enum(),
			Source: mesos.TaskStatus_SOURCE_MASTER.Enum(),
		})
	}
	if a == nil {
		refuse(mesos.TaskState_TASK_DROPPED, mesos.TaskStatus_REASON_INVALID_OFFERS)
		return
	}
	used, err := resources.New(info.GetResources()...)
	var rest resources.Resources
	if err == nil {
		used = used.Unallocate()
		rest, err = a.free.Subtract(used)
	}
	if err != nil || used.IsEmpty() {
		refuse(mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_INVALID)
		return
	}
	a.free = rest
	t := &Task{Info: info, State: mesos.TaskState_TASK_STAGING, agent: a, used: used}
	m.tasks[info.GetTaskId().GetValue()] = t
	m.play(t, m.script(info))
}

func (m *cluster) acknowledge(c *scheduler.Call_Acknowledge) {
	t := m.tasks[c.GetTaskId().GetValue()]
	if t == nil || len(t.unacknowledged) == 0 || !bytes.Equal(t.unacknowledged[0].GetUuid(), c.GetUuid()) {
		return
	}
	t.unacknowledged = t.unacknowledged[1:]
	if len(t.unacknowledged) > 0 {
		m.forward(t.unacknowledged[0])
	}
}

func (m *cluster) kill(id string) {
	t := m.tasks[id]
	switch {
	case t == nil:
		m.answer(&mesos.TaskID{Value: &id}, nil, mesos.TaskState_TASK_UNKNOWN)
	case !tasks.Terminal(t.State) && !m.holdsKills && !t.agent.away:
		m.update(t, mesos.TaskState_TASK_KILLED, nil)
	}
}

func (m *cluster) reconcile(c *scheduler.Call_Reconcile) {
	if len(c.GetTasks()) == 0 {
		for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
			if t := m.tasks[id]; !tasks.Terminal(t.State) {
				m.answer(t.Info.GetTaskId(), t.Info.GetAgentId(), t.State)
			}
		}
	}
	for _, q := range c.GetTasks() {
		if t := m.tasks[q.GetTaskId().GetValue()]; t != nil {
			m.answer(t.Info.GetTaskId(), t.Info.GetAgentId(), t.State)
		} else {
			m.answer(q.GetTaskId(), q.GetAgentId(), mesos.TaskState_TASK_UNKNOWN)
		}
	}
}

// answer is an update as reconciliation gives it.
func (m *cluster) answer(id *mesos.TaskID, a *mesos.AgentID, st mesos.TaskState) {
	m.forward(&mesos.TaskStatus{
		TaskId: id, AgentId: a, State: st.Enum(), Source: mesos.TaskStatus_SOURCE_MASTER.Enum(),
		Reason: mesos.TaskStatus_REASON_RECONCILIATION.Enum(),
	})
}
