package state

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	benchAllocator = Peer("allocator@127.0.0.1:5050")
	benchScheduler = Peer("scheduler@127.0.0.1:6000#s")
)

// benchCluster is a machine with n agents and one framework.
func benchCluster(tb testing.TB, n int) (*Machine, *mesos.FrameworkID) {
	m := New(Config{MasterID: "m", Allocator: benchAllocator})
	step(m, Started{Registry: registry.Registry{}})
	info := &mesos.FrameworkInfo{
		User: proto.String("u"), Name: proto.String("bench"), Roles: []string{"*"},
		Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
	}
	step(m, Received{From: benchScheduler, Message: &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info},
	}})
	for i := range n {
		step(m, Received{From: benchPeer(i), Message: &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
			Hostname: proto.String(fmt.Sprintf("host%d", i)), Resources: amounts("", 400, 400000),
		}}})
	}
	if len(m.agents.byID) != n {
		tb.Fatalf("%d agents registered, want %d", len(m.agents.byID), n)
	}
	return m, &mesos.FrameworkID{Value: proto.String("m-0000")}
}

func benchPeer(i int) Peer { return Peer(fmt.Sprintf("agent@10.0.%d.%d:5051#x", i/256, i%256)) }

// step answers whatever is to be persisted at once, and drops the rest.
func step(m *Machine, in Input) []Effect {
	var all []Effect
	inputs := []Input{in}
	for len(inputs) > 0 {
		next := inputs[0]
		inputs = inputs[1:]
		for _, e := range m.Step(time.Unix(1000, 0), next) {
			all = append(all, e)
			if p, ok := e.(Persist); ok {
				inputs = append(inputs, Persisted{Key: p.Key})
			}
		}
	}
	return all
}

func amounts(role string, cpus, mem float64) []*mesos.Resource {
	list := []*mesos.Resource{
		{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &cpus}},
		{Name: proto.String("mem"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &mem}},
	}
	if role != "" {
		for _, r := range list {
			r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
		}
	}
	return list
}

// BenchmarkTask takes tasks from the allocation of their resources to the
// acknowledged TASK_RUNNING, 200 in each ACCEPT.
func BenchmarkTask(b *testing.B) {
	const agents, batch = 1000, 200
	m, fid := benchCluster(b, agents)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		benchRound(b, m, fid, (n/batch)%agents, n, batch)
	}
	b.StopTimer()
	if err := m.Check(); err != nil {
		b.Fatal(err)
	}
}

func benchRound(b *testing.B, m *Machine, fid *mesos.FrameworkID, agent, first, batch int) {
	b.StopTimer()
	aid := &mesos.AgentID{Value: proto.String(fmt.Sprintf("m-S%d", agent))}
	var infos []*mesos.TaskInfo
	for i := range batch {
		infos = append(infos, &mesos.TaskInfo{
			Name: proto.String("task"), TaskId: &mesos.TaskID{Value: proto.String(fmt.Sprintf("task-%d", first+i))}, AgentId: aid,
			Resources: amounts("*", 0.01, 1), Command: &mesos.CommandInfo{Value: proto.String("true")},
		})
	}
	b.StartTimer()
	m.Step(time.Unix(1000, 0), Received{From: benchAllocator, Message: &cluster.Allocations{
		Epoch: proto.Uint64(1), Allocations: []*cluster.Allocations_Allocation{{
			FrameworkId: fid, Role: proto.String("*"), AgentId: aid, Resources: amounts("", 0.01*float64(batch), float64(batch)),
		}},
	}})
	var offer string
	for id := range m.offers.byID {
		offer = string(id)
	}
	m.Step(time.Unix(1000, 0), Received{From: benchScheduler, Message: &scheduler.Call{
		Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: fid, Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{{Value: &offer}}, Operations: []*mesos.Offer_Operation{{
				Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
			}},
		},
	}})
	for i := range batch {
		uuid := make([]byte, 16)
		uuid[0], uuid[1] = byte(i), byte(i>>8)
		m.Step(time.Unix(1000, 0), Received{From: benchPeer(agent), Message: &cluster.StatusUpdate{
			FrameworkId: fid, AgentId: aid, Status: &mesos.TaskStatus{
				TaskId: infos[i].TaskId, State: mesos.TaskState_TASK_RUNNING.Enum(), Uuid: uuid, AgentId: aid,
			},
		}})
		m.Step(time.Unix(1000, 0), Received{From: benchScheduler, Message: &scheduler.Call{
			Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: fid, Acknowledge: &scheduler.Call_Acknowledge{
				AgentId: aid, TaskId: infos[i].TaskId, Uuid: uuid,
			},
		}})
	}
}
