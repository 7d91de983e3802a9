package state

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// simOperations is what a world knows of the operations that its master sent,
// and of the volumes on the agent's disk, which outlive the agent's process.
type simOperations struct {
	pending map[string]*cluster.ApplyOperation // by uuid, until their end was told
	ended   map[string]*mesos.OperationStatus
	unacked map[string]*cluster.OperationUpdate
	total   resources.Resources // as the master knows it; empty before it does
	folders map[Volume]bool
	// Of volumes that the disk failed to make or to remove: either may be, there
	// is nothing in the folder then.
	doubtful map[Volume]bool
	disk     []Effect // that the disk has to do
}

func newOperations() simOperations {
	return simOperations{
		pending: map[string]*cluster.ApplyOperation{}, ended: map[string]*mesos.OperationStatus{},
		unacked: map[string]*cluster.OperationUpdate{}, folders: map[Volume]bool{}, doubtful: map[Volume]bool{},
	}
}

// apply sends an operation; it is pending even if it is lost.
func (w *world) apply(op *mesos.Offer_Operation) {
	if !w.connected() {
		return
	}
	w.number++
	uuid := fmt.Sprintf("%016d", w.number)
	if w.number%2 == 0 {
		op.Id = &mesos.OperationID{Value: &uuid}
	}
	msg := &cluster.ApplyOperation{Operation: op, OperationUuid: &mesos.UUID{Value: []byte(uuid)}}
	w.pending[uuid] = msg
	w.receive(w.masterPeer(), msg)
}

func simDisk(volume string) *mesos.Resource {
	r := &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(10)},
		Reservations: []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("r")}},
	}
	if volume != "" {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &volume},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		}
	}
	return r
}

func (w *world) reserve(t *rapid.T) {
	list := []*mesos.Resource{simDisk("")}
	if rapid.Bool().Draw(t, "unreserve") {
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: list}})
	} else {
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: list}})
	}
}

func (w *world) createOrDestroy(t *rapid.T) {
	list := []*mesos.Resource{simDisk(rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "volume"))}
	if rapid.Bool().Draw(t, "destroy") {
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: list}})
	} else {
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: list}})
	}
}

// runWithVolume launches a task with a volume, behind operations that make it if
// it is to be made.
func (w *world) runWithVolume(made bool) {
	disk, v := []*mesos.Resource{simDisk("")}, []*mesos.Resource{simDisk("v1")}
	if made {
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: disk}})
		w.apply(&mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: v}})
	}
	if w.connected() {
		id := w.newTask()
		info := simTaskInfo(id)
		info.Resources = append(slices.Clone(info.Resources), simDisk("v1"))
		w.tellAgent(&cluster.RunTask{Framework: simFramework(), Task: info}, id)
	}
}

func (w *world) onDisk(e Effect) { w.disk = append(w.disk, e) }

// answerDisk does what the disk has to do, or nothing of it.
func (w *world) answerDisk(fails bool) {
	work := w.disk
	w.disk = nil
	var err error
	if fails {
		err = errors.New("input/output error")
	}
	for _, e := range work {
		switch e := e.(type) {
		case MakeVolumes:
			w.isJournaled(e.Operation)
			if w.doubtful[e.Volumes[0]] = fails; !fails {
				w.folders[e.Volumes[0]] = true
			}
			w.step(VolumesChanged{e.Operation, err})
		case RemoveVolumes:
			w.isJournaled(e.Operation)
			if w.doubtful[e.Volumes[0]] = fails; !fails {
				delete(w.folders, e.Volumes[0])
			}
			w.step(VolumesChanged{e.Operation, err})
		case LinkVolumes:
			if v := e.Links[0].Volume; !w.folders[v] && !w.doubtful[v] {
				w.t.Fatalf("a volume is linked that is not there: %+v", e)
			}
			w.step(VolumesLinked{e.Container, e.Launch, err})
		}
	}
}

// isJournaled: nothing is done on the disk that a crash would leave half done
// and unknown.
func (w *world) isJournaled(id OperationID) {
	w.isDurable("work of operation "+string(id), func(r *cluster.JournalRecord) bool {
		got, ok := operationID(r.GetOperation().GetOperation().GetUuid())
		return ok && got == id
	})
}

func (w *world) operationUpdate(m *cluster.OperationUpdate) {
	uuid, status := string(m.GetOperationUuid().GetValue()), m.GetStatus()
	w.isDurable("the end of operation "+uuid, func(r *cluster.JournalRecord) bool {
		return string(r.GetOperation().GetOperation().GetLatestStatus().GetUuid().GetValue()) == string(status.GetUuid().GetValue())
	})
	w.operationEnded(uuid, status)
	w.unacked[uuid] = m
	if len(m.GetTotalResources()) > 0 {
		w.learn(m.GetTotalResources())
	}
}

func (w *world) operationEnded(uuid string, status *mesos.OperationStatus) {
	if known := w.ended[uuid]; known != nil && known.GetState() != status.GetState() {
		w.t.Fatalf("operation %s ended as %v, and then as %v", uuid, known, status)
	}
	w.ended[uuid] = status
	delete(w.pending, uuid)
}

// learn takes a total in, which always comes to the same.
func (w *world) learn(list []*mesos.Resource) {
	total, err := resources.New(list...)
	if err != nil {
		w.t.Fatal(err)
	}
	if total.Scalar(resources.Disk) != simTotal.Scalar(resources.Disk) {
		w.t.Fatalf("the agent has %v", total)
	}
	w.total = total
}

// compareOperations is what a master does when an agent registers again.
func (w *world) compareOperations(m *cluster.ReregisterAgent, answer *cluster.AgentReregistered) {
	w.learn(m.GetTotalResources())
	named := map[string]bool{}
	for _, o := range m.GetOperations() {
		uuid := string(o.GetUuid().GetValue())
		named[uuid] = true
		if o.GetLatestStatus().GetState() != mesos.OperationState_OPERATION_PENDING {
			w.operationEnded(uuid, o.GetLatestStatus())
		}
	}
	for _, uuid := range sortedKeys(w.pending) {
		if !named[uuid] {
			answer.MissingOperations = append(answer.MissingOperations, &cluster.AgentReregistered_MissingOperation{
				OperationUuid: w.pending[uuid].OperationUuid, OperationId: w.pending[uuid].GetOperation().GetId(),
			})
		}
	}
}

func (w *world) acknowledgeOperations() {
	for _, uuid := range sortedKeys(w.unacked) {
		u := w.unacked[uuid]
		delete(w.unacked, uuid)
		w.receive(w.masterPeer(), &cluster.OperationUpdateAck{OperationUuid: u.OperationUuid, StatusUuid: u.GetStatus().GetUuid()})
	}
}

// checkOperations: each has ended, the master knows what the agent has, and that
// is what is on the disk.
func (w *world) checkOperations() {
	s := &w.m.stock
	if len(w.pending) > 0 || len(s.known) > 0 || len(s.queue) > 0 || len(s.held) > 0 {
		w.t.Fatalf("operations are left: %v; %v, %v, %v", sortedKeys(w.pending), s.known, s.queue, s.held)
	}
	if !w.total.IsEmpty() && !w.total.Equal(s.total) {
		w.t.Fatalf("the master knows of %v, the agent of %v", w.total, s.total)
	}
	volumes := map[Volume]bool{}
	for e := range s.total.All() {
		if e.Disk().GetPersistence() != nil {
			volumes[volumeOf(e.Proto())] = true
		}
	}
	for _, id := range []string{"v1", "v2"} {
		v := Volume{Role: "r", ID: id}
		if volumes[v] != w.folders[v] && !w.doubtful[v] {
			w.t.Fatalf("volume %s is there: %v, its folder: %v", id, volumes[v], w.folders[v])
		}
	}
}

// reservations counts the records that a snapshot has for them.
func (w *world) reservations() int {
	if operations.Checkpointed(w.m.stock.total).IsEmpty() {
		return 0
	}
	return 1
}

var simTotal = resources.MustParse("cpus:8;mem:4096;disk:100")
