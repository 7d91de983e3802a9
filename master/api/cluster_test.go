package api

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

const (
	masterID   = "68efc341-25d3-4305-8cde-0d13ba972218"
	allocator  = state.Peer("allocator@127.0.0.1:5050#m")
	subscriber = state.Peer("scheduler@127.0.0.1:0#s")
)

// testCluster is a machine whose events feed a view.
type testCluster struct {
	t       testing.TB
	machine *state.Machine
	view    *View
	now     time.Time
	offers  []*mesos.Offer // made so far
	inverse []*mesos.InverseOffer
	replies []proto.Message // to what was asked
	// Of every status; nil: one with the name of the task.
	container *mesos.ContainerStatus
}

func newTestCluster(t testing.TB) *testCluster {
	c := &testCluster{
		t: t, now: time.Unix(1000, 0),
		machine: state.New(state.Config{MasterID: masterID, Allocator: allocator}),
		view:    NewView(view.Limits{CompletedFrameworks: 50, CompletedTasks: 1000, UnreachableTasks: 1000}),
	}
	t.Cleanup(c.view.Close)
	c.step(state.Started{Registry: registry.Registry{}})
	return c
}

// step performs what concerns the view, and answers what is to be persisted.
func (c *testCluster) step(in state.Input) {
	var persisted []uint64
	for _, e := range c.machine.Step(c.now, in) {
		switch e := e.(type) {
		case state.Publish:
			c.view.Publish(e.Event)
		case state.Persist:
			persisted = append(persisted, e.Key)
		case state.Send:
			if event, ok := e.Message.(*scheduler.Event); ok {
				c.offers = append(c.offers, event.GetOffers().GetOffers()...)
				c.inverse = append(c.inverse, event.GetInverseOffers().GetInverseOffers()...)
			}
		case state.Answer:
			c.replies = append(c.replies, e.Reply)
		}
	}
	for _, key := range persisted {
		c.step(state.Persisted{Key: key})
	}
}

func (c *testCluster) receive(from state.Peer, m proto.Message) {
	c.step(state.Received{From: from, Message: m})
}

func agentPeer(i int) state.Peer { return state.Peer(fmt.Sprintf("agent@host%d:5051#a", i)) }

func agentID(i int) *mesos.AgentID {
	return &mesos.AgentID{Value: proto.String(fmt.Sprintf("%s-S%d", masterID, i))}
}

func frameworkID(i int) *mesos.FrameworkID {
	return &mesos.FrameworkID{Value: proto.String(fmt.Sprintf("%s-%04d", masterID, i))}
}

// agent registers one that is capable of MULTI_ROLE, and of what else is named.
func (c *testCluster) agent(i int, has string, can ...mesos.AgentInfo_Capability_Type) {
	capabilities := []*mesos.AgentInfo_Capability{{Type: mesos.AgentInfo_Capability_MULTI_ROLE.Enum()}}
	for _, one := range can {
		capabilities = append(capabilities, &mesos.AgentInfo_Capability{Type: one.Enum()})
	}
	c.receive(agentPeer(i), &cluster.RegisterAgent{
		Agent: &mesos.AgentInfo{
			Hostname: proto.String(fmt.Sprintf("host%d", i)), Port: proto.Int32(5051), Resources: resources.MustParse(has).Proto(),
			Attributes: []*mesos.Attribute{{Name: proto.String("rack"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: proto.String("r1")}}},
		},
		Version:      proto.String("1.0"),
		Capabilities: capabilities,
	})
}

func (c *testCluster) framework(roles ...string) {
	c.receive(subscriber, &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{
			User: proto.String("u"), Name: proto.String("n"), Roles: roles,
			Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		},
	}})
}

// offer offers resources of an agent to the first framework.
func (c *testCluster) offer(agent int, role, what string) *mesos.OfferID {
	c.receive(allocator, &cluster.Allocations{Epoch: proto.Uint64(1), Allocations: []*cluster.Allocations_Allocation{{
		FrameworkId: frameworkID(0), AgentId: agentID(agent), Role: &role, Resources: resources.MustParse(what).Proto(),
	}}})
	return c.offers[len(c.offers)-1].GetId()
}

func (c *testCluster) launch(offer *mesos.OfferID, infos ...*mesos.TaskInfo) {
	c.receive(subscriber, &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: frameworkID(0), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{offer}, Operations: []*mesos.Offer_Operation{{
			Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
		}},
	}})
}

func task(id string, agent int, need string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: proto.String("name of " + id), TaskId: &mesos.TaskID{Value: &id}, AgentId: agentID(agent),
		Resources: resources.MustParse(need).Proto(), Command: &mesos.CommandInfo{Value: proto.String("sleep 1")},
	}
}

func (c *testCluster) update(agent int, id string, s mesos.TaskState, acknowledge bool) {
	c.now = c.now.Add(time.Second)
	container := c.container
	if container == nil {
		container = &mesos.ContainerStatus{ContainerId: &mesos.ContainerID{Value: proto.String("c-" + id)}}
	}
	uuid := []byte(fmt.Sprintf("%016d", c.now.Unix()))
	c.receive(agentPeer(agent), &cluster.StatusUpdate{FrameworkId: frameworkID(0), AgentId: agentID(agent), Status: &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: &id}, State: &s, AgentId: agentID(agent), Uuid: uuid, Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		Timestamp: proto.Float64(float64(c.now.Unix())), Healthy: proto.Bool(true),
		ContainerStatus: container,
	}})
	if acknowledge {
		c.receive(subscriber, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: frameworkID(0), Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: agentID(agent), TaskId: &mesos.TaskID{Value: &id}, Uuid: uuid,
		}})
	}
}

// everyday is a cluster that has a little of everything.
func everyday(t testing.TB) *testCluster {
	c := newTestCluster(t)
	c.agent(0, "cpus:8;mem:1024;disk:100;ports:[31000-32000];disk(eng/web):50;set:{a,b}")
	c.agent(1, "cpus:2;mem:256;cpus:2")
	c.framework("*", "eng/web")
	labelled := task("t2", 0, "cpus:1;mem:64;ports:[31000-31001]")
	labelled.Labels = &mesos.Labels{Labels: []*mesos.Label{{Key: proto.String("k"), Value: proto.String("v")}}}
	labelled.Discovery = &mesos.DiscoveryInfo{Visibility: mesos.DiscoveryInfo_CLUSTER.Enum(), Name: proto.String("d")}
	custom := task("t3", 0, "cpus:1")
	custom.Executor = &mesos.ExecutorInfo{
		ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, Name: proto.String("x"), Command: custom.Command,
		Resources: resources.MustParse("cpus:0.5").Proto(),
	}
	custom.Command = nil
	c.launch(c.offer(0, "*", "cpus:6;mem:512;ports:[31000-31010]"), task("t1", 0, "cpus:1;mem:64"), labelled, custom, task("bad/id", 0, "cpus:1"))
	c.update(0, "t1", mesos.TaskState_TASK_STARTING, true)
	c.update(0, "t1", mesos.TaskState_TASK_RUNNING, true)
	c.update(0, "t2", mesos.TaskState_TASK_RUNNING, true)
	c.update(0, "t2", mesos.TaskState_TASK_FINISHED, true)
	c.offer(0, "eng/web", "cpus:1;disk(eng/web):50")
	c.offer(1, "*", "cpus:1")
	c.receive(subscriber, &scheduler.Call{Type: scheduler.Call_KILL.Enum(), FrameworkId: frameworkID(0), Kill: &scheduler.Call_Kill{
		TaskId: &mesos.TaskID{Value: proto.String("unknown")},
	}})
	return c
}

// testMaster is what frameworks are told of the test's master.
var testMaster = &mesos.MasterInfo{
	Id: proto.String(masterID), Ip: proto.Uint32(16777343), Port: proto.Uint32(5050), Pid: proto.String("master@127.0.0.1:5050"),
	Hostname: proto.String("m"), Version: proto.String("0.1"),
	Address: &mesos.Address{Hostname: proto.String("m"), Ip: proto.String("127.0.0.1"), Port: proto.Int32(5050)},
	Capabilities: []*mesos.MasterInfo_Capability{
		{Type: mesos.MasterInfo_Capability_AGENT_UPDATE.Enum()},
		{Type: mesos.MasterInfo_Capability_AGENT_DRAINING.Enum()},
		{Type: mesos.MasterInfo_Capability_QUOTA_V2.Enum()},
	},
}
