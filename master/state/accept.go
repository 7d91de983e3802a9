package state

import (
	"fmt"
	"strconv"

	"troupe/master/state/view"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// bargain is what an ACCEPT works on: the offers it names, together.
type bargain struct {
	framework *framework
	agent     *agent
	role      string
	// What the operations so far left.
	rest resources.Resources
	// What the agent has after them.
	total resources.Resources
	// What the tasks and executors so far need.
	needs []resources.Resources
	// The last operation that changed resources; nil while there is none.
	last *operation
}

// take takes what a task or group needs from what is left; false when there is
// too little. Of what is shared a copy stays.
func (b *bargain) take(need resources.Resources) bool {
	rest, ok := use(b.rest, need)
	if ok {
		b.rest, b.needs = rest, append(b.needs, need)
	}
	return ok
}

// accept is ACCEPT. Operations are carried out in order on what the offers
// hold; one that fails does not stop the next. What is left counts as
// declined.
func (m *Machine) accept(f *framework, call *scheduler.Call_Accept) {
	offers, err := m.acceptable(f, call.GetOfferIds())
	if err != nil {
		m.refuseAccept(f, call, err)
		return
	}
	b := bargain{framework: f, agent: offers[0].agent, role: offers[0].view.Role, total: offers[0].agent.view.Total}
	shared := false
	for _, o := range offers {
		shared = shared || m.isShared(o)
		b.rest = b.rest.Add(o.view.Resources)
		m.endOffer(o, view.Accepted)
	}
	whole := b.rest
	for i, op := range call.GetOperations() {
		m.operate(&b, indexed("accept.operations", i), op)
	}
	if b.last != nil || sharing(whole) {
		m.settle(&b, whole, filtersOf(call.GetFilters()))
		return
	}
	taken := whole.Without(b.rest)
	b.agent.used = b.agent.used.Add(taken.Underlying())
	m.overtake(&b, taken)
	m.giveBack(f, b.agent, b.role, b.rest, filtersOf(call.GetFilters()), shared)
}

// settle ends an ACCEPT after which the allocator must be told anew what there
// is: what was only converted is held back until the agent has confirmed it; the
// rest counts as declined.
func (m *Machine) settle(b *bargain, whole resources.Resources, filters *mesos.Filters) {
	a := b.agent
	a.used = a.used.Add(underlying(b.needs))
	converted := b.rest.Without(whole)
	declined := b.rest.Without(converted)
	for _, need := range b.needs {
		declined = declined.Without(need.Filter(resources.Entry.Shared)) // a copy of it is used
	}
	if !converted.IsEmpty() {
		a.held = append(a.held, holding{what: converted, until: b.last.seq})
	}
	m.recountFor(a, view.Overtaken)
	m.addToAllocator(a, share{b.framework, b.role, declined})
	m.recover(b.framework, a, b.role, declined, filters)
}

// acceptable returns the offers named: at least one, none twice, all f's, on
// one agent and in one role.
func (m *Machine) acceptable(f *framework, ids []*mesos.OfferID) ([]*offer, error) {
	if len(ids) == 0 {
		return nil, field.Invalid("accept.offer_ids", nil, "No offers specified")
	}
	offers := make([]*offer, 0, len(ids))
	for i, id := range ids {
		path := indexed("accept.offer_ids", i)
		o := m.offers.byID[OfferID(id.GetValue())]
		switch {
		case o == nil && m.offers.overtaken.has(OfferID(id.GetValue()), f):
			m.publish(view.AcceptOvertaken{Framework: f.id()})
			return nil, field.Invalid(path, id.GetValue(), "is no longer valid: another framework was first")
		case o == nil || o.framework != f:
			return nil, field.Invalid(path, id.GetValue(), "is no longer valid")
		case i > 0 && o.agent != offers[0].agent:
			return nil, field.Invalid(path, id.GetValue(), "is for agent %s, and the first for %s", o.agent.id(), offers[0].agent.id())
		case i > 0 && o.view.Role != offers[0].view.Role:
			return nil, field.Invalid(path, id.GetValue(), "is for role %q, and the first for %q", o.view.Role, offers[0].view.Role)
		}
		for _, other := range offers {
			if other == o {
				return nil, field.Invalid(path, id.GetValue(), "is named twice")
			}
		}
		offers = append(offers, o)
	}
	return offers, nil
}

// refuseAccept gives up the offers that an ACCEPT named and that are there,
// and answers each of its operations.
func (m *Machine) refuseAccept(f *framework, call *scheduler.Call_Accept, why error) {
	for _, id := range call.GetOfferIds() {
		if o := m.offers.byID[OfferID(id.GetValue())]; o != nil && o.framework == f {
			m.endOffer(o, view.Discarded)
			m.returnOffer(o, nil)
		}
	}
	m.note(Warn, "Refused an ACCEPT: "+why.Error(), Field{"framework", string(f.id())})
	for i, op := range call.GetOperations() {
		infos := launched(op)
		if infos == nil {
			m.refuseOperation(f, indexed("accept.operations", i), op, why)
			continue
		}
		for _, info := range infos {
			m.refuseTask(f, info, f.lossState(mesos.TaskState_TASK_DROPPED), mesos.TaskStatus_REASON_INVALID_OFFERS,
				"Task launched with invalid offers: "+why.Error())
		}
	}
}

// launched lists the tasks of an operation; nil when it launches none.
func launched(op *mesos.Offer_Operation) []*mesos.TaskInfo {
	switch op.GetType() {
	case mesos.Offer_Operation_LAUNCH:
		return op.GetLaunch().GetTaskInfos()
	case mesos.Offer_Operation_LAUNCH_GROUP:
		return op.GetLaunchGroup().GetTaskGroup().GetTasks()
	}
	return nil
}

// operate carries out one operation.
func (m *Machine) operate(b *bargain, path string, op *mesos.Offer_Operation) {
	m.publish(view.Operated{Framework: b.framework.id(), Type: int32(op.GetType())})
	switch op.GetType() {
	case mesos.Offer_Operation_LAUNCH:
		m.launch(b, op)
	case mesos.Offer_Operation_LAUNCH_GROUP:
		m.launchGroup(b, op)
	default:
		if err := m.convert(b, op); err != nil {
			m.publish(view.OperationRefused{Type: op.GetType()})
			m.refuseOperation(b.framework, path, op, field.In(path, err))
		}
	}
}

// refuseOperation answers an operation that has an id, and notes any other:
// nobody asked to hear of it.
func (m *Machine) refuseOperation(f *framework, path string, op *mesos.Offer_Operation, why error) {
	m.note(Warn, "Dropped an operation: "+why.Error(), Field{"framework", string(f.id())}, Field{"operation", path})
	if op.GetId().GetValue() == "" {
		return
	}
	m.sendOperationStatus(f, &mesos.OperationStatus{
		OperationId: op.GetId(), State: mesos.OperationState_OPERATION_ERROR.Enum(), Message: new(why.Error()),
	})
}

// launch starts the tasks of a LAUNCH that are valid, and answers the others.
func (m *Machine) launch(b *bargain, op *mesos.Offer_Operation) {
	for _, info := range op.GetLaunch().GetTaskInfos() {
		err := checkNoID(op)
		if err == nil {
			err = m.launchTask(b, info)
		}
		if err != nil {
			m.refuseTask(b.framework, info, mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_INVALID, err.Error())
		}
	}
}

// launchGroup starts all tasks of a LAUNCH_GROUP, or none.
func (m *Machine) launchGroup(b *bargain, op *mesos.Offer_Operation) {
	err := checkNoID(op)
	if err == nil {
		err = m.startGroup(b, op.GetLaunchGroup())
	}
	if err == nil {
		return
	}
	for _, info := range op.GetLaunchGroup().GetTaskGroup().GetTasks() {
		m.refuseTask(b.framework, info, mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_GROUP_INVALID, err.Error())
	}
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// notContained is the error of a task that needs more than there is.
func notContained(path string, need, rest resources.Resources) error {
	return field.Invalid(path, need.String(), "more than what is left of the offers: %s", fmt.Sprint(rest))
}
