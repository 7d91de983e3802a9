package core

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// sharedVolume is one of 5 for role r.
func sharedVolume() *mesos.Resource {
	return &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(5)},
		Reservations: []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("r")}},
		Disk: &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		},
		Shared: &mesos.Resource_SharedInfo{},
	}
}

const sharedText = "disk(reservations: [(DYNAMIC,r)])[v,data]<SHARED>:5"

// sharers is an agent with a shared volume and frameworks that can use it, of which
// the first uses cpus of the agent, and the volume in so many tasks.
func sharers(t *testing.T, used int, ids ...string) *rig {
	r := newRig(t, Options{})
	for _, id := range ids {
		f := addFramework(id, "r")
		f.Framework.Capabilities = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_SHARED_RESOURCES)
		r.send(f)
	}
	agent := addAgent("a", "cpus:4")
	agent.Agent.Resources = append(agent.Agent.Resources, sharedVolume())
	if used > 0 {
		u := &cluster.AddAgent_Used{FrameworkId: frameworkIDOf(ids[0]), Role: proto.String("r"), Resources: list("cpus:3")}
		for range used {
			u.Resources = append(u.Resources, sharedVolume())
		}
		agent.Used = append(agent.Used, u)
	}
	r.send(agent)
	return r
}

// A shared volume that is in use is offered to a further framework of its role.
func TestSharedVolumesInUseAreOffered(t *testing.T) {
	r := sharers(t, 2, "f", "g")
	r.want("a to g/r: cpus:1; " + sharedText)
}

// It is offered as often as something else is, and once to each at a time.
func TestSharedVolumesAreOfferedAgain(t *testing.T) {
	r := sharers(t, 0, "f")
	r.want("a to f/r: cpus:4; " + sharedText)
	g := addFramework("g", "r")
	g.Framework.Capabilities = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_SHARED_RESOURCES)
	r.send(g, suppress("f"), recoverFrom("f", "r", "a", "cpus:1"))
	r.want("a to g/r: cpus:1; " + sharedText)
	r.want()
}

// Frameworks that cannot use it, or are of another role, are not offered it.
func TestSharedVolumesAreForTheCapable(t *testing.T) {
	r := sharers(t, 1, "f")
	r.send(suppress("f"), addFramework("g", "r"))
	r.want("a to g/r: cpus:1")
	r = sharers(t, 1, "f")
	g := addFramework("g", "s")
	g.Framework.Capabilities = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_SHARED_RESOURCES)
	r.send(suppress("f"), g)
	r.want("a to g/s: cpus:1")
}

// Copies come back one by one, and what is counted stays right.
func TestSharedVolumesComeBack(t *testing.T) {
	r := sharers(t, 3, "f")
	r.send(suppress("f"))
	r.want()
	for range 3 {
		r.send(&cluster.RecoverResources{
			FrameworkId: frameworkIDOf("f"), Role: proto.String("r"), AgentId: agentIDOf("a"),
			Resources: append(list("cpus:1"), sharedVolume()),
		})
		r.want()
	}
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f")})
	r.want("a to f/r: cpus:4; " + sharedText)
}
