package simulate

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// spare is how much disk frameworks leave unreserved of what they are offered.
const spare = 50

// reservedDisk is disk reserved for a role, and a volume unless that is empty.
func reservedDisk(amount float64, role, volume string) *mesos.Resource {
	r := &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount},
		Reservations: []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role}},
	}
	if volume != "" {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &volume},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		}
	}
	return r
}

// stock is what may be done with some disk.
type stock struct {
	free     float64 // of nobody
	reserved float64 // for the role
	volumes  []*mesos.Resource
	shares   bool // whoever has it may share volumes
}

func stockOf(r resources.Resources, role string) stock {
	var s stock
	for e := range r.Unallocate().All() {
		switch {
		case e.Name() != resources.Disk:
		case e.Role() == "*":
			s.free += e.Amount().Float()
		case e.Role() != role || len(e.Reservations()) != 1 || e.Reservations()[0].GetLabels() != nil:
		case e.Disk().GetPersistence() != nil:
			s.volumes = append(s.volumes, proto.CloneOf(e.Proto()))
		default:
			s.reserved += e.Amount().Float()
		}
	}
	return s
}

// convert makes up an operation that such a stock allows; nil when there is
// none.
func (c *simulation) convert(s stock, role, volume string) *mesos.Offer_Operation {
	amount := float64(1 + c.net.chance.IntN(20))
	resizable := len(s.volumes) > 0 && s.volumes[0].Shared == nil
	switch n := c.net.chance.IntN(6); {
	case n == 0 && len(s.volumes) > 0:
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: s.volumes[:1]}}
	case n == 1 && resizable && s.reserved >= amount:
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_GROW_VOLUME.Enum(), GrowVolume: &mesos.Offer_Operation_GrowVolume{
			Volume: s.volumes[0], Addition: reservedDisk(amount, role, ""),
		}}
	case n == 2 && resizable && s.volumes[0].GetScalar().GetValue() > 1:
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_SHRINK_VOLUME.Enum(), ShrinkVolume: &mesos.Offer_Operation_ShrinkVolume{
			Volume: s.volumes[0], Subtract: &mesos.Value_Scalar{Value: proto.Float64(1)},
		}}
	case n == 3 && s.reserved >= amount:
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{
			Resources: []*mesos.Resource{reservedDisk(amount, role, "")},
		}}
	case n <= 4 && s.reserved >= amount:
		disk := reservedDisk(amount, role, volume)
		if s.shares && c.net.oneIn(2) {
			disk.Shared = &mesos.Resource_SharedInfo{}
		}
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{
			Volumes: []*mesos.Resource{disk},
		}}
	case s.free >= amount+spare:
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{
			Resources: []*mesos.Resource{reservedDisk(amount, role, "")},
		}}
	}
	return nil
}

// conversions makes up what an author does with the disk of an offer before it
// launches, each operation on what those before it leave. Most have a name.
func (a *author) conversions(o *mesos.Offer) []*mesos.Offer_Operation {
	role := o.GetAllocationInfo().GetRole()
	if a.cluster.options.FaultEvery <= 0 || role == "*" || !a.cluster.net.oneIn(4) {
		return nil
	}
	left, err := resources.New(o.Resources...)
	if err != nil {
		return nil // launches complains
	}
	left = left.Unallocate()
	var list []*mesos.Offer_Operation
	for range 1 + a.cluster.net.chance.IntN(3) {
		a.converted++
		s := stockOf(left, role)
		s.shares = a.able.shared
		op := a.cluster.convert(s, role, fmt.Sprintf("f%d-v%d", a.number, a.converted))
		if op == nil {
			continue
		}
		if operations.Speculative(op.GetType()) {
			left, err = operations.Apply(op, left)
		}
		if err != nil {
			a.cluster.fail("an operation that an author made up: %v", err)
			return nil
		}
		if !a.cluster.net.oneIn(3) {
			id := fmt.Sprintf("f%d-o%d", a.number, a.converted)
			op.Id = &mesos.OperationID{Value: &id}
			a.operations[id] = o.AgentId
		}
		list = append(list, op)
		if !operations.Speculative(op.GetType()) {
			break // what it works on is there when it has ended
		}
	}
	return list
}

// operationTold takes in the status of an operation, and acknowledges it.
func (s *schedulerNode) operationTold(status *mesos.OperationStatus) {
	id := status.GetOperationId().GetValue()
	s.cluster.oracle.operationTold(s, status)
	switch status.GetState() {
	case mesos.OperationState_OPERATION_PENDING, mesos.OperationState_OPERATION_UNREACHABLE, mesos.OperationState_OPERATION_RECOVERING:
		return
	}
	delete(s.operations, id)
	if status.Uuid != nil {
		s.submit(&scheduler.Call{
			Type: scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS.Enum(),
			AcknowledgeOperationStatus: &scheduler.Call_AcknowledgeOperationStatus{
				AgentId: status.GetAgentId(), OperationId: status.GetOperationId(), Uuid: status.GetUuid().GetValue(),
			},
		})
	}
}

// askForOperations asks for every operation that has not ended.
func (s *schedulerNode) askForOperations() {
	q := &scheduler.Call_ReconcileOperations{}
	for _, id := range slices.Sorted(maps.Keys(s.operations)) {
		q.Operations = append(q.Operations, &scheduler.Call_ReconcileOperations_Operation{
			OperationId: &mesos.OperationID{Value: &id}, AgentId: s.operations[id],
		})
	}
	if len(q.Operations) > 0 {
		s.submit(&scheduler.Call{Type: scheduler.Call_RECONCILE_OPERATIONS.Enum(), ReconcileOperations: q})
	}
}

// reserve lets an operator do something with the disk of an agent.
func (c *simulation) reserve(a *agentNode) {
	role := []string{"guest", "ops"}[c.net.chance.IntN(2)]
	c.ordered++
	op := c.convert(stockOf(c.oracle.stockOf(a), role), role, fmt.Sprintf("op-v%d", c.ordered))
	id := a.identity()
	if m := c.leader(); m != nil && !m.paused && op != nil {
		m.step(state.Received{From: "operator@console:0", Message: &cluster.OperationRequest{
			AgentId: &mesos.AgentID{Value: &id}, Operation: op,
		}})
	}
}

// operationsKnown is what agents have written down of operations.
type operationsKnown struct {
	ends map[string]bool // uuids of statuses
	// What they came to, one after the other; what an agent has spoken of makes
	// what came before it past.
	converted map[*agentNode][]resources.Resources
	told      map[string]mesos.OperationState // by id, which is unique here
}

func newOperationsKnown() operationsKnown {
	return operationsKnown{
		ends: make(map[string]bool), converted: make(map[*agentNode][]resources.Resources), told: make(map[string]mesos.OperationState),
	}
}

// operationWritten tells what an agent's journal holds now for good.
func (o *oracle) operationWritten(a *agentNode, r *cluster.JournalRecord) {
	switch r := r.Record.(type) {
	case *cluster.JournalRecord_Resources:
		if len(o.operations.converted[a]) == 0 {
			o.operations.converted[a] = []resources.Resources{{}}
		}
		o.operations.converted[a] = append(o.operations.converted[a], unallocated(r.Resources.GetResources()))
		if firm := firmOf(o.used[a]); !o.has(a, firm) {
			o.cluster.fail("law 1: the journal of %s has %s, and its tasks use %s", a.address, o.stockOf(a), firm)
		}
	case *cluster.JournalRecord_Operation:
		if uuid := r.Operation.GetOperation().GetLatestStatus().GetUuid().GetValue(); len(uuid) > 0 {
			o.operations.ends[string(uuid)] = true
		}
	}
}

// stockOf is what an agent has, by its journal.
func (o *oracle) stockOf(a *agentNode) resources.Resources {
	var newest resources.Resources
	if list := o.operations.converted[a]; len(list) > 0 {
		newest = list[len(list)-1]
	}
	return o.restored(a, newest)
}

// has tells whether an agent has what is used there. What is shared may be used
// several times.
func (o *oracle) has(a *agentNode, used resources.Resources) bool {
	total := o.total
	for e := range used.All() {
		if e.Role() != "*" {
			total = o.stockOf(a)
			break
		}
	}
	_, ok := total.Use(used)
	return ok
}

func (o *oracle) restored(a *agentNode, converted resources.Resources) resources.Resources {
	total, err := operations.Restore(o.total, converted)
	if err != nil {
		o.cluster.fail("law 1: the journal of %s: %v", a.address, err)
	}
	return total
}

// operationRevealed judges an agent's word on how an operation ended.
func (o *oracle) operationRevealed(p *process, m *cluster.OperationUpdate) {
	if !o.operations.ends[string(m.GetStatus().GetUuid().GetValue())] {
		o.cluster.fail("law 4: %s says that operation %x is %s, of which its journal does not know", p.address, m.GetOperationUuid().GetValue(), m.GetStatus().GetState())
	}
	if m.GetStatus().GetState() == mesos.OperationState_OPERATION_FINISHED {
		o.totalRevealed(p, m.GetTotalResources())
	}
}

// totalRevealed judges what an agent says that it has: all of it is durable, and
// nothing that it spoke of before is lost. Of its newest write it may not have
// heard yet.
func (o *oracle) totalRevealed(p *process, told []*mesos.Resource) {
	a, ok := p.actors["agent"].(*agentNode)
	if !ok {
		return
	}
	total := o.total
	if len(told) > 0 {
		total = unallocated(told)
	}
	list := o.operations.converted[a]
	for n, converted := range list {
		if o.restored(a, converted).Equal(total) {
			o.operations.converted[a] = list[n:]
			return
		}
	}
	if len(list) > 0 || !total.Equal(o.total) {
		o.cluster.fail("law 4: %s says that it has %s, by its journal that is %s", p.address, total, o.stockOf(a))
	}
}

// operationTold judges what a framework hears of an operation.
func (o *oracle) operationTold(s *schedulerNode, status *mesos.OperationStatus) {
	id, now := status.GetOperationId().GetValue(), status.GetState()
	if status.Uuid == nil {
		return // of a question, or of an operation that never was
	}
	if !o.operations.ends[string(status.GetUuid().GetValue())] {
		o.cluster.fail("law 4: operation %s is told to be %s, and no journal knows of it", id, now)
	}
	if was, again := o.operations.told[id]; again && was != now {
		o.cluster.fail("law 2: operation %s is told to be %s, after %s", id, now, was)
	}
	o.operations.told[id] = now
}

// operationsAtTheEnd judges what must have come about long after the last fault.
// Of an agent that died before it had written down its id nobody hears again.
func (o *oracle) operationsAtTheEnd() {
	there := make(map[string]bool)
	for _, a := range o.cluster.agents {
		there[a.identity()] = true
	}
	for _, s := range o.cluster.schedulers {
		for _, id := range slices.Sorted(maps.Keys(s.operations)) {
			if there[s.operations[id].GetValue()] && !o.over[s.id.GetValue()] {
				o.cluster.fail("law 2: of operation %s nobody heard the end, long after the last fault", id)
			}
		}
	}
}
