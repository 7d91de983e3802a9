package allocator

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// probe stands for a master: it keeps the allocations it gets.
type probe struct {
	mu  sync.Mutex
	all []*cluster.Allocations
}

func (p *probe) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.Allocations) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all = append(p.all, m)
	})
}

func (p *probe) got() []*cluster.Allocations {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all
}

// rig is an actor system with an allocator and a probe for its master.
type rig struct {
	t         *testing.T
	system    *actors.System
	allocator *Allocator
	pid       actors.PID
	probe     *probe
	master    actors.PID
}

// run makes a rig in a bubble of virtual time.
func run(t *testing.T, test func(r *rig)) {
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
		r := &rig{t: t, system: system, allocator: New(Options{Seed: 1})}
		if r.pid, err = system.Spawn(Name, r.allocator); err != nil {
			t.Fatal(err)
		}
		r.enthrone("master")
		test(r)
	})
}

// enthrone spawns a probe as the master that is spoken for from now on.
func (r *rig) enthrone(name string) {
	r.probe = &probe{}
	pid, err := r.system.Spawn(name, r.probe)
	if err != nil {
		r.t.Fatal(err)
	}
	r.master = pid
}

// say sends messages as the master and lets d pass.
func (r *rig) say(d time.Duration, messages ...proto.Message) {
	r.t.Helper()
	ok := r.system.Do(r.master, func(c *actors.Context) {
		for _, m := range messages {
			c.Send(r.pid, m)
		}
	})
	if !ok {
		r.t.Fatal("the master's actor is gone")
	}
	wait(d)
}

// wait lets d of virtual time pass, and everything that it brings about.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func start(epoch uint64) *cluster.StartAllocator {
	return &cluster.StartAllocator{Epoch: &epoch}
}

func addFramework() *cluster.AddFramework {
	return &cluster.AddFramework{Framework: &mesos.FrameworkInfo{
		Id: &mesos.FrameworkID{Value: proto.String("F1")}, User: proto.String("u"), Name: proto.String("n"),
	}}
}

func addAgent() *cluster.AddAgent {
	return &cluster.AddAgent{Agent: &mesos.AgentInfo{
		Id: &mesos.AgentID{Value: proto.String("S1")}, Hostname: proto.String("h"),
		Resources: resources.MustParse("cpus:4;mem:1024").Proto(),
	}}
}

func TestOffersReachTheMasterInAMoment(t *testing.T) {
	run(t, func(r *rig) {
		r.say(2*time.Millisecond, start(7), addFramework(), addAgent())
		if len(r.probe.got()) != 1 || r.probe.got()[0].GetEpoch() != 7 || len(r.probe.got()[0].Allocations) != 1 {
			t.Fatalf("the master got %v", r.probe.got())
		}
		if s := r.allocator.Stats(); s.Agents != 1 || s.Frameworks != 1 || s.Allocations != 1 {
			t.Errorf("stats are %+v", s)
		}
	})
}

func TestFilterLapsesInVirtualTime(t *testing.T) {
	run(t, func(r *rig) {
		r.say(2*time.Millisecond, start(1), addFramework(), addAgent())
		given := r.probe.got()[0].Allocations[0]
		decline := &cluster.RecoverResources{
			FrameworkId: given.FrameworkId, AgentId: given.AgentId, Role: given.Role,
			Resources: given.Resources, Filters: &mesos.Filters{},
		}
		r.say(4900*time.Millisecond, decline)
		if len(r.probe.got()) != 1 {
			t.Fatalf("%d offers while the filter holds", len(r.probe.got()))
		}
		wait(200 * time.Millisecond)
		if len(r.probe.got()) != 2 {
			t.Errorf("%d offers after the filter lapsed, want 2", len(r.probe.got()))
		}
	})
}

func TestExitOfTheMasterEndsTheEpoch(t *testing.T) {
	run(t, func(r *rig) {
		r.say(2*time.Millisecond, start(1), addFramework(), addAgent())
		if err := r.system.Stop(context.Background(), r.master); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := r.allocator.Stats(); s.Agents != 0 {
			t.Errorf("%d agents are known without a master", s.Agents)
		}
		r.enthrone("master2")
		r.say(2*time.Millisecond, addAgent()) // before an epoch: refused
		r.say(2*time.Millisecond, start(2), addFramework(), addAgent())
		if len(r.probe.got()) != 1 || r.probe.got()[0].GetEpoch() != 2 {
			t.Errorf("the new master got %v", r.probe.got())
		}
	})
}

func TestUnknownMessagesAreHarmless(t *testing.T) {
	run(t, func(r *rig) {
		r.say(2*time.Millisecond, start(1), addFramework(), &cluster.Ping{}, &cluster.AddAgent{}, addAgent())
		if len(r.probe.got()) != 1 {
			t.Errorf("the master got %v", r.probe.got())
		}
		if got := r.allocator.Stats().Refused; got != 2 {
			t.Errorf("%d messages were refused, want 2", got)
		}
	})
}

// TestNobodyElsewhereTakesTheAllocator lets another system, which claims the
// allocator's own address, begin an epoch of its own.
func TestNobodyElsewhereTakesTheAllocator(t *testing.T) {
	for _, anywhere := range []bool{false, true} {
		home, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		defer home.Close(t.Context())
		a := New(Options{Anywhere: anywhere})
		pid, err := home.Spawn(Name, a)
		if err != nil {
			t.Fatal(err)
		}
		away, err := actors.New(actors.Options{Advertise: home.Address()})
		if err != nil {
			t.Fatal(err)
		}
		defer away.Close(t.Context())
		usurper, err := away.Spawn("master", &probe{})
		if err != nil {
			t.Fatal(err)
		}
		away.Do(usurper, func(c *actors.Context) {
			for _, m := range []proto.Message{start(9), addAgent()} {
				c.Send(actors.PID{Name: Name, Address: pid.Address, Incarnation: pid.Incarnation}, m)
			}
		})
		tick, late := time.NewTicker(time.Millisecond), time.After(3*time.Minute)
		defer tick.Stop()
		for s := a.Stats(); s.Refused < 2 && s.Agents == 0; s = a.Stats() {
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("nothing came: %+v", s)
			}
		}
		if taken := a.Stats().Agents > 0; taken != anywhere {
			t.Errorf("anywhere %v: %+v", anywhere, a.Stats())
		}
	}
}

// Anybody of the system may ask why a framework is offered nothing.
func TestExplains(t *testing.T) {
	run(t, func(r *rig) {
		reply, err := r.system.Ask(context.Background(), r.pid, &cluster.ExplainOffers{FrameworkId: &mesos.FrameworkID{Value: proto.String("F")}})
		if err != nil {
			t.Fatal(err)
		}
		if x := reply.(*cluster.OffersExplained); x.GetKnown() || x.GetFrameworkId().GetValue() != "F" {
			t.Errorf("the explanation is %v", x)
		}
	})
}
