package frameworktest_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// resident reserves a disk, makes a volume of it, and runs a task there for as long
// as there is none.
type resident struct {
	frameworks.Base
	told   []mesos.OperationState
	offers [][]*mesos.Resource
}

func (r *resident) Offers(_ *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		r.offers = append(r.offers, o.GetResources())
	}
}

func (r *resident) Other(_ *frameworks.Driver, e *scheduler.Event) {
	r.told = append(r.told, e.GetUpdateOperationStatus().GetStatus().GetState())
}

func disk(volume string) *mesos.Resource {
	r := &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(10)},
		Reservations: []*mesos.Resource_ReservationInfo{{
			Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web"), Principal: proto.String("p"),
		}},
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("web")},
	}
	if volume != "" {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &volume, Principal: proto.String("p")},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		}
	}
	return r
}

func named(id string, op *mesos.Offer_Operation) *mesos.Offer_Operation {
	op.Id = &mesos.OperationID{Value: &id}
	return op
}

func TestOperations(t *testing.T) {
	s := frameworktest.NewStage(t)
	r := &resident{}
	d := s.Run(frameworks.Options{Roles: []string{"web"}, Principal: "p"}, r)
	s.Agent("S1", "cpus:1;disk:10")
	offer := func(id string) []*mesos.OfferID { return []*mesos.OfferID{{Value: &id}} }
	reserve := &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: []*mesos.Resource{disk("")}},
	}
	create := &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: []*mesos.Resource{disk("v")}},
	}
	launch := &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{
		TaskInfos: []*mesos.TaskInfo{{
			Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String("t")}, AgentId: &mesos.AgentID{Value: proto.String("S1")},
			Resources: []*mesos.Resource{disk("v")},
		}},
	}}
	d.Accept(offer("O1"), named("reserve", reserve), named("create", create), named("again", create), launch)
	s.Advance(0)
	states := []mesos.OperationState{mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_ERROR}
	if !slices.Equal(r.told, states) || !slices.Equal(s.Live(), []string{"t"}) {
		t.Errorf("%v, alive: %v", r.told, s.Live())
	}
	s.Rescind() // so that all that is free comes in one offer
	s.Update("t", mesos.TaskState_TASK_FAILED)
	last := r.offers[len(r.offers)-1]
	if !slices.ContainsFunc(last, func(x *mesos.Resource) bool { return x.GetDisk().GetPersistence().GetId() == "v" }) {
		t.Errorf("the volume is not offered: %v", last)
	}
	d.Accept(offer("O1"), named("late", reserve))
	s.Advance(0)
	if len(r.told) != 4 || r.told[3] != mesos.OperationState_OPERATION_DROPPED {
		t.Errorf("of a void offer: %v", r.told)
	}
}
