package state

import (
	"fmt"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
	"troupe/slave/state/check"
)

// stock is what the agent has to give, and what changes it.
type stock struct {
	// As the operations that are durable have left it; allocated to nobody, and
	// without what is lent.
	total resources.Resources
	// Of the journal, while it is read: what operations have made.
	converted []*mesos.Resource
	known     map[OperationID]*operation // until their end is acknowledged
	queue     []*operation               // not ended, in the order in which they came; the first is being done
	held      []*launch                  // that wait for the queue to be empty
	last      uint64                     // number of an operation
	// What is lent, revocable; lends tells that there is an estimate.
	lent  resources.Resources
	lends bool
}

// restock makes of what the operator gives the agent what operations had made of
// it. It is false when that cannot be, and the agent ends: reservations and
// volumes are not to be lost to a change of flags.
func (m *Machine) restock() bool {
	configured, err := resources.New(m.info.GetResources()...)
	if err == nil {
		var converted resources.Resources
		if converted, err = resources.New(m.stock.converted...); err == nil {
			m.stock.total, err = operations.Restore(configured, converted)
		}
	}
	m.stock.converted = nil
	if err != nil {
		m.exit("the agent has less than is reserved", fmt.Errorf("the agent was started with resources that lack what is "+
			"reserved, or a volume: %w; set --resources back, and unreserve or destroy what is to go (removing the folder meta of "+
			"its work directory gives all reservations and volumes up, and leaves their data)", err))
	}
	return err == nil
}

// inUse is what executors and tasks have that have not ended, allocated to nobody;
// of what was lent of a reservation, what it is taken from.
func (m *Machine) inUse() resources.Resources {
	var used resources.Resources
	take := func(list []*mesos.Resource) {
		if r, err := resources.New(list...); err == nil { // a launch was checked
			used = used.Add(r.Unallocate().Underlying())
		}
	}
	for _, e := range m.containers {
		if !e.generated() {
			take(e.info.GetResources())
		}
		for _, t := range e.tasks {
			if !check.Over(t.next) {
				take(t.info.GetResources())
			}
		}
	}
	return used
}

// needs are the reservations and volumes that a launch is made of, or that are lent
// to it; those must be there before it. Most have none, and cost nothing here.
func (l *launch) needs() resources.Resources {
	var needs resources.Resources
	take := func(list []*mesos.Resource) {
		if !converted(list) {
			return
		}
		if r, err := resources.New(list...); err == nil {
			needs = needs.Add(operations.Checkpointed(r.Unallocate().Underlying()))
		}
	}
	if e := l.tasks[0].executor; !e.generated() {
		take(e.info.GetResources())
	}
	for _, t := range l.tasks {
		take(t.info.GetResources())
	}
	return needs
}

// converted tells that something of a list may have come about by an operation.
func converted(list []*mesos.Resource) bool {
	for _, r := range list {
		if len(r.Reservations) > 0 || r.Reservation != nil || r.Disk != nil {
			return true
		}
	}
	return false
}

// totalResources is what masters are told.
func (m *Machine) totalResources() []*mesos.Resource { return m.stock.total.Proto() }

func resourcesRecord(total resources.Resources) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Resources{
		Resources: &cluster.ResourcesConverted{Resources: operations.Checkpointed(total).Proto()},
	}}
}
