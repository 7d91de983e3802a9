package core

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// What is reserved in refinement, and what is shared, is for frameworks that can
// read it; others get the rest of the agent.
func TestCapabilitiesForReservations(t *testing.T) {
	dynamic := func(role string) *mesos.Resource_ReservationInfo {
		return &mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role}
	}
	refined := agentInfo("s1", "cpus:1;mem:64")
	refined.Resources[0].Reservations = []*mesos.Resource_ReservationInfo{dynamic("r"), dynamic("r/s")}
	shared := agentInfo("s1", "disk:10;mem:64")
	shared.Resources[0].Reservations = []*mesos.Resource_ReservationInfo{dynamic("r")}
	shared.Resources[0].Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")},
		Volume:      &mesos.Volume{ContainerPath: proto.String("d"), Mode: mesos.Volume_RW.Enum()},
	}
	shared.Resources[0].Shared = &mesos.Resource_SharedInfo{}
	for _, test := range []struct {
		name  string
		agent *mesos.AgentInfo
		has   mesos.FrameworkInfo_Capability_Type
		want  string
	}{
		{"refined, and cannot", refined, mesos.FrameworkInfo_Capability_SHARED_RESOURCES, "s1 to f/r/s: mem:64"},
		{
			"refined, and can", refined, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT,
			"s1 to f/r/s: cpus(reservations: [(DYNAMIC,r),(DYNAMIC,r/s)]):1; mem:64",
		},
		{"shared, and cannot", shared, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT, "s1 to f/r/s: mem:64"},
		{
			"shared, and can", shared, mesos.FrameworkInfo_Capability_SHARED_RESOURCES,
			"s1 to f/r/s: disk(reservations: [(DYNAMIC,r)])[v,d]<SHARED>:10; mem:64",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Options{})
			m := addFramework("f", "r/s")
			m.Framework.Capabilities = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE, test.has)
			r.send(m, &cluster.AddAgent{Agent: test.agent})
			r.want(test.want)
		})
	}
}
