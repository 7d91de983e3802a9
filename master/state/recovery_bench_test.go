package state

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// benchRegistry holds n agents and one framework.
func benchRegistry(tb testing.TB, n int) registry.Registry {
	fid := &mesos.FrameworkID{Value: proto.String("m-0000")}
	records := []*cluster.RegistryRecord{registry.FrameworkRecord(&cluster.FrameworkRecord{
		FrameworkId: fid, Status: cluster.FrameworkRecord_ADMITTED.Enum(),
		Framework: &mesos.FrameworkInfo{Id: fid, User: proto.String("u"), Name: proto.String("bench"), FailoverTimeout: proto.Float64(3600)},
	})}
	for i := range n {
		records = append(records, registry.AgentRecord(&cluster.AgentRecord{
			Agent: benchInfo(i), Status: cluster.AgentRecord_ADMITTED.Enum(), Since: &mesos.TimeInfo{Nanoseconds: proto.Int64(1)},
		}))
	}
	r, err := registry.New(records)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func benchInfo(i int) *mesos.AgentInfo {
	return &mesos.AgentInfo{
		Id: &mesos.AgentID{Value: proto.String(fmt.Sprintf("m-S%d", i))}, Hostname: proto.String(fmt.Sprintf("host%d", i)),
		Resources: amounts("", 400, 400000),
	}
}

// BenchmarkRecover begins to lead 50,000 agents, none of which is back.
func BenchmarkRecover(b *testing.B) {
	r := benchRegistry(b, 50_000)
	b.ReportAllocs()
	for b.Loop() {
		m := New(Config{MasterID: "n", Allocator: benchAllocator})
		m.Step(time.Unix(1000, 0), Started{Registry: r})
		if len(m.agents.recovered) != 50_000 {
			b.Fatal(len(m.agents.recovered))
		}
	}
}

// BenchmarkUnreachable gives up 50,000 agents that did not come back.
func BenchmarkUnreachable(b *testing.B) {
	r := benchRegistry(b, 50_000)
	for b.Loop() {
		m := New(Config{MasterID: "n", Allocator: benchAllocator})
		m.Step(time.Unix(1000, 0), Started{Registry: r})
		step(m, TimerFired{timerRecovery})
		if len(m.agents.recovered) != 0 {
			b.Fatal(len(m.agents.recovered))
		}
	}
}

// BenchmarkReregister takes back agents of the registry with ten tasks each.
func BenchmarkReregister(b *testing.B) {
	const agents, tasks = 20_000, 10
	r := benchRegistry(b, agents)
	var m *Machine
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		i := n % agents
		if i == 0 {
			m = New(Config{MasterID: "n", Allocator: benchAllocator})
			m.Step(time.Unix(1000, 0), Started{Registry: r})
		}
		msg := benchReregistration(b, i, tasks)
		b.StartTimer()
		m.Step(time.Unix(1000, 0), Received{From: benchPeer(i), Message: msg})
	}
	b.StopTimer()
	if err := m.Check(); err != nil {
		b.Fatal(err)
	}
}

// benchReregistration is what an agent says, as it comes off the wire: nothing
// of it is shared with another message.
func benchReregistration(b *testing.B, agent, tasks int) *cluster.ReregisterAgent {
	info := benchInfo(agent)
	m := &cluster.ReregisterAgent{Agent: info, Frameworks: []*mesos.FrameworkInfo{{
		Id: &mesos.FrameworkID{Value: proto.String("m-0000")}, User: proto.String("u"), Name: proto.String("bench"), FailoverTimeout: proto.Float64(3600),
	}}}
	for i := range tasks {
		id := &mesos.TaskID{Value: proto.String(fmt.Sprintf("task-%d-%d", agent, i))}
		uuid := make([]byte, 16)
		uuid[0] = byte(i)
		m.Tasks = append(m.Tasks, &mesos.Task{
			Name: proto.String("task"), TaskId: id, FrameworkId: m.Frameworks[0].Id, AgentId: info.Id,
			State: mesos.TaskState_TASK_RUNNING.Enum(), Resources: amounts("*", 0.1, 32),
			StatusUpdateState: mesos.TaskState_TASK_RUNNING.Enum(), StatusUpdateUuid: uuid,
			Statuses: []*mesos.TaskStatus{{
				TaskId: id, State: mesos.TaskState_TASK_RUNNING.Enum(), AgentId: info.Id, Timestamp: proto.Float64(1000), Uuid: uuid,
				Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
			}},
		})
	}
	data, err := proto.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	wire := new(cluster.ReregisterAgent)
	if err := proto.Unmarshal(data, wire); err != nil {
		b.Fatal(err)
	}
	return wire
}
