package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// rig is a policy, and a probe that stands for the master.
type rig struct {
	t      *testing.T
	system *actors.System
	policy actors.PID
	got    []string
	epochs []uint64
}

func (r *rig) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.Allocations) {
		r.epochs = append(r.epochs, m.GetEpoch())
		for _, a := range m.Allocations {
			what, err := resources.New(a.Resources...)
			if err != nil {
				r.t.Error(err)
			}
			r.got = append(r.got, a.AgentId.GetValue()+" to "+a.FrameworkId.GetValue()+"/"+a.GetRole()+": "+what.String())
		}
	})
}

// say sends messages as the master, lets d pass, and compares what was offered.
func (r *rig) say(d time.Duration, messages []proto.Message, want ...string) {
	r.t.Helper()
	r.got = nil
	ok := r.system.Do(r.system.PID("master"), func(c *actors.Context) {
		for _, m := range messages {
			c.Send(r.policy, m)
		}
	})
	if !ok {
		r.t.Fatal("the master's actor is gone")
	}
	<-time.After(d)
	synctest.Wait()
	if !slices.Equal(r.got, want) {
		r.t.Fatalf("offered\n %s\nwant\n %s", strings.Join(r.got, "\n "), strings.Join(want, "\n "))
	}
}

func list(text string) []*mesos.Resource { return resources.MustParse(text).Proto() }

func agentID(id string) *mesos.AgentID         { return &mesos.AgentID{Value: &id} }
func frameworkID(id string) *mesos.FrameworkID { return &mesos.FrameworkID{Value: &id} }

func machine(id, total, used string) *cluster.AddAgent {
	m := &cluster.AddAgent{Agent: &mesos.AgentInfo{Hostname: &id, Id: agentID(id), Resources: list(total)}}
	if used != "" {
		m.Used = []*cluster.AddAgent_Used{{FrameworkId: frameworkID("f"), Role: proto.String("r"), Resources: list(used)}}
	}
	return m
}

func scheduler(id string, roles ...string) *cluster.AddFramework {
	return &cluster.AddFramework{Framework: &mesos.FrameworkInfo{User: proto.String("u"), Name: &id, Id: frameworkID(id), Roles: roles}}
}

func begin(epoch uint64) *cluster.StartAllocator { return &cluster.StartAllocator{Epoch: &epoch} }

func back(agent, framework, what string, refuse float64) *cluster.RecoverResources {
	return &cluster.RecoverResources{
		FrameworkId: frameworkID(framework), AgentId: agentID(agent), Role: proto.String("r"), Resources: list(what),
		Filters: &mesos.Filters{RefuseSeconds: &refuse},
	}
}

func world(t *testing.T, test func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		system, err := actors.New(actors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := system.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		r := &rig{t: t, system: system}
		if r.policy, err = system.Spawn("allocator", new(packing)); err != nil {
			t.Fatal(err)
		}
		if _, err = system.Spawn("master", r); err != nil {
			t.Fatal(err)
		}
		test(r)
	})
}

const moment = 10 * time.Millisecond

func TestTheFullestAgentComesFirst(t *testing.T) {
	world(t, func(r *rig) {
		r.say(moment, []proto.Message{
			begin(1), machine("a", "cpus:4;mem:100", ""), machine("b", "cpus:4;mem:100", "cpus:3;mem:10"),
			machine("full", "cpus:4;mem:100", "cpus:4;mem:10"), machine("c", "cpus(x):4;cpus:2;mem:100", ""), scheduler("f", "r"),
		}, "b to f/r: cpus:1; mem:90", "c to f/r: cpus:2; mem:100", "a to f/r: cpus:4; mem:100")
	})
}

func TestWhoCameFirstIsServedFirst(t *testing.T) {
	world(t, func(r *rig) {
		r.say(moment, []proto.Message{begin(1), scheduler("late", "r"), scheduler("early", "r"), machine("a", "cpus:4;mem:100", "")},
			"a to late/r: cpus:4; mem:100")
		r.say(moment, []proto.Message{back("a", "late", "cpus:3;mem:100", 5)}, "a to early/r: cpus:3; mem:100")
		r.say(moment, []proto.Message{back("a", "early", "cpus:3;mem:100", 60)})
		r.say(6*time.Second, nil, "a to late/r: cpus:3; mem:100") // its refusal lapsed
		r.say(moment, []proto.Message{
			&cluster.SuppressOffers{FrameworkId: frameworkID("late")}, back("a", "late", "cpus:3;mem:100", 0),
		})
		r.say(moment, []proto.Message{&cluster.ReviveOffers{FrameworkId: frameworkID("early")}}, "a to early/r: cpus:3; mem:100")
	})
}

func TestWhatIsGoneIsOfferedNothing(t *testing.T) {
	world(t, func(r *rig) {
		inactive := machine("b", "cpus:4;mem:100", "")
		inactive.Active = proto.Bool(false)
		r.say(moment, []proto.Message{
			begin(1), scheduler("f", "r"), scheduler("g", "r"), &cluster.DeactivateFramework{FrameworkId: frameworkID("f")},
			&cluster.RemoveFramework{FrameworkId: frameworkID("g")}, machine("a", "cpus:4;mem:100", ""), inactive,
		})
		r.say(moment, []proto.Message{&cluster.RemoveAgent{AgentId: agentID("a")}, scheduler("f", "r")})
		r.say(moment, []proto.Message{&cluster.UpdateAgent{Agent: machine("b", "cpus:2;mem:100", "").Agent}}, "b to f/r: cpus:2; mem:100")
	})
}

// A new epoch forgets everything, and answers that somebody is there; nobody but
// its master is heard.
func TestEpochs(t *testing.T) {
	world(t, func(r *rig) {
		r.say(moment, []proto.Message{begin(1), machine("a", "cpus:4;mem:100", ""), begin(2), scheduler("f", "r")})
		if !slices.Equal(r.epochs, []uint64{1, 2}) {
			t.Errorf("answered to epochs %v", r.epochs)
		}
		r.system.Send(r.policy, machine("a", "cpus:4;mem:100", ""))
		r.say(moment, nil)
		r.say(moment, []proto.Message{machine("b", "cpus:4;mem:100", "")}, "b to f/r: cpus:4; mem:100")
	})
}
