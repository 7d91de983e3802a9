package master_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/master"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Once its leadership was ended, a master says nothing more, not even to what
// had come before; and whoever waits for it is told that it is gone when it
// stops.
func TestAnEndedLeadershipSaysNothing(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), nil)
	b.spawn("agent")
	m := b.sys.PID(master.Name)
	ended := errors.New("another one leads")
	// A question comes to a master that is busy, and then the end.
	held, asked, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b.sys.Do(m, func(*actors.Context) { close(held); <-release })
	<-held
	b.sys.Do(b.sys.PID("agent"), func(c *actors.Context) {
		c.Send(m, &cluster.KillTaskRequest{TaskId: &mesos.TaskID{Value: proto.String("x")}})
		c.Link(m)
		close(asked)
	})
	<-asked
	b.lead.End(ended)
	b.lead.End(errors.New("the first reason counts"))
	close(release)
	select {
	case <-b.lead.Done():
	case <-time.After(patience):
		t.Fatal("the master still leads")
	}
	if err := b.lead.Err(); !errors.Is(err, ended) {
		t.Errorf("it ended with %v", err)
	}
	if err := b.sys.Stop(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.probes["agent"].exited:
	case <-time.After(patience):
		t.Fatal("the agent is not told")
	}
	if n := len(b.probes["agent"].received); n != 0 {
		t.Errorf("the agent was told %d things by a master that leads no more", n)
	}
}

// A master that stands by answers everything with who leads, but for that
// answer itself.
func TestStandby(t *testing.T) {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	var leader *mesos.MasterInfo
	if _, err := sys.Spawn(master.Name, master.NewStandby(func() *mesos.MasterInfo { return leader })); err != nil {
		t.Fatal(err)
	}
	ask := func(m proto.Message) *cluster.NotLeading {
		t.Helper()
		answer, err := sys.Ask(t.Context(), sys.PID(master.Name), m)
		if err != nil {
			t.Fatal(err)
		}
		return answer.(*cluster.NotLeading)
	}
	if got := ask(&cluster.RegisterAgent{Agent: agentInfo()}).GetLeader(); got != nil {
		t.Errorf("%v leads", got)
	}
	leader = &mesos.MasterInfo{Id: proto.String("other"), Ip: proto.Uint32(1), Port: proto.Uint32(1)}
	if got := ask(wrapperspb.String("anything")).GetLeader(); got.GetId() != "other" {
		t.Errorf("%v leads", got)
	}
	// Were the first one answered, its answer would come before the second's.
	p := &probe{received: make(chan proto.Message, 10), exited: make(chan actors.Exited, 1)}
	pid, err := sys.Spawn("another", p)
	if err != nil {
		t.Fatal(err)
	}
	sys.Do(pid, func(c *actors.Context) {
		c.Send(sys.PID(master.Name), &cluster.NotLeading{})
		c.Send(sys.PID(master.Name), &cluster.Pong{})
	})
	<-p.received
	if err := sys.Stop(t.Context(), sys.PID(master.Name)); err != nil {
		t.Fatal(err)
	}
	if err := sys.Stop(t.Context(), pid); err != nil {
		t.Fatal(err)
	}
	if n := len(p.received); n != 0 {
		t.Errorf("%d answers too many", n)
	}
}
