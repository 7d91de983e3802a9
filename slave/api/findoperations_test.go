package api

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

func TestOperationsAndWhatTheyMade(t *testing.T) {
	v, s := shown(t)
	status := &mesos.OperationStatus{State: mesos.OperationState_OPERATION_PENDING.Enum()}
	for n, id := range []view.OperationID{"b", "a"} {
		v.Publish(view.OperationChanged{Operation: &view.Operation{ID: id, Number: uint64(n), Info: &mesos.Operation{
			Info: &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum()}, LatestStatus: status, Uuid: &mesos.UUID{Value: []byte(id)},
		}}})
	}
	got := ask(t, s, &agent.Call{Type: agent.Call_GET_OPERATIONS.Enum()}).GetGetOperations().GetOperations()
	if len(got) != 2 || string(got[0].GetUuid().GetValue()) != "b" {
		t.Errorf("operations are %v", got)
	}
	v.Publish(view.OperationRemoved{ID: "b"})
	if got = ask(t, s, &agent.Call{Type: agent.Call_GET_OPERATIONS.Enum()}).GetGetOperations().GetOperations(); len(got) != 1 {
		t.Errorf("operations are %v", got)
	}
	a := *v.Agent()
	a.Info = &mesos.AgentInfo{Hostname: proto.String("h"), Resources: resources.MustParse("cpus:4").Proto()}
	if total := totalOf(&a); total.Scalar(resources.CPUs) != 4000 {
		t.Errorf("before any operation it has %v", total)
	}
	a.Resources = resources.MustParse("cpus(r):1;cpus:3").Proto()
	if total := totalOf(&a); total.Len() != 2 {
		t.Errorf("after one it has %v", total)
	}
}
