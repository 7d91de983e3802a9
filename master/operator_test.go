package master_test

import (
	"context"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// ask sends an operator's request and returns what is wrong with it.
func (b *bench) ask(request proto.Message) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	reply, err := b.sys.Ask(ctx, b.sys.PID(master.Name), request)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply.(*cluster.OperatorReply).GetError()
}

func (b *bench) register() *mesos.AgentID {
	b.t.Helper()
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{
		Agent:        &mesos.AgentInfo{Hostname: proto.String("h")},
		Capabilities: []*mesos.AgentInfo_Capability{{Type: mesos.AgentInfo_Capability_AGENT_DRAINING.Enum()}},
	})
	return next[*cluster.AgentRegistered](b, "agent").GetAgentId()
}

func TestAnAgentIsMarkedGone(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), nil)
	id := b.register()
	request := &cluster.AgentRequest{AgentId: id, Action: cluster.AgentRequest_MARK_GONE.Enum()}
	for range 2 { // the second time it is gone already
		if wrong := b.ask(request); wrong != "" {
			t.Error(wrong)
		}
	}
	next[*cluster.ShutdownAgent](b, "agent")
	b.as("agent", &cluster.ReregisterAgent{Agent: &mesos.AgentInfo{Id: id, Hostname: proto.String("h")}})
	next[*cluster.ShutdownAgent](b, "agent")
	unknown := &mesos.AgentID{Value: proto.String("unknown")}
	if wrong := b.ask(&cluster.AgentRequest{AgentId: unknown, Action: request.Action}); wrong == "" {
		t.Error("an agent that nobody knows was marked gone")
	}
}

func TestADrainOutlivesTheMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s, err := store.Open(path, "c")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s, nil)
	id := b.register()
	drain := &cluster.AgentRequest{AgentId: id, Action: cluster.AgentRequest_DRAIN.Enum()}
	if wrong := b.ask(drain); wrong != "" {
		t.Fatal(wrong)
	}
	b.end()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(path, "c"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, err := s.Load(t.Context())
	if err != nil || len(records) != 1 {
		t.Fatalf("the registry has %v, and %v", records, err)
	}
	if r := records[0].GetAgent(); !r.GetDeactivated() || r.GetDrain() == nil {
		t.Errorf("the registry has %v", r)
	}
}

// TestAFrameworkOutlivesTheMaster ends a master and begins another with its
// registry: the framework is known there, and what was torn down is refused.
func TestAFrameworkOutlivesTheMaster(t *testing.T) {
	s := store.NewMemory("c")
	b := newBench(t, s, nil)
	info := &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), FailoverTimeout: proto.Float64(3600)}
	kept, over := b.subscribeAs("scheduler", info), b.subscribeAs("other", info)
	if wrong := b.ask(&cluster.TeardownRequest{FrameworkId: over}); wrong != "" {
		t.Fatal(wrong)
	}
	b.end()

	b = newBench(t, s, func(o *master.Options) { o.Config.MasterID = "N" })
	info.Id = over
	b.spawn("other")
	b.as("other", &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), FrameworkId: over, Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}})
	if e := next[*scheduler.Event](b, "other"); e.GetType() != scheduler.Event_ERROR {
		t.Errorf("a framework that is over got %v", e)
	}
	if wrong := b.ask(&cluster.TeardownRequest{FrameworkId: kept}); wrong != "" {
		t.Errorf("the framework is not known: %s", wrong)
	}
}

// subscribeAs subscribes a new scheduler and returns its framework's id.
func (b *bench) subscribeAs(name string, info *mesos.FrameworkInfo) *mesos.FrameworkID {
	b.t.Helper()
	b.spawn(name)
	b.as(name, &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}})
	return next[*scheduler.Event](b, name).GetSubscribed().GetFrameworkId()
}

// end ends the master with all its actors, at once.
func (b *bench) end() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.sys.Close(ctx); err != nil {
		b.t.Fatal(err)
	}
}
