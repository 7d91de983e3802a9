package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/allocator/core"
	"troupe/master/registry"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

const (
	masterPeer    = "master@m:5050"
	allocatorPeer = "allocator@m:5050"
)

// event is something that happens at a time; of several at once, in the order in
// which they were planned.
type event struct {
	at  time.Time
	seq int
	do  func() error
}

// plan is a heap of events.
type plan []event

// Len is part of heap.Interface, as are the four that follow.
func (p plan) Len() int { return len(p) }

// Less orders by time, then by when it was planned.
func (p plan) Less(i, j int) bool {
	return p[i].at.Before(p[j].at) || p[i].at.Equal(p[j].at) && p[i].seq < p[j].seq
}

// Swap exchanges two.
func (p plan) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

// Push appends one.
func (p *plan) Push(x any) { *p = append(*p, x.(event)) }

// Pop removes the last.
func (p *plan) Pop() any {
	last := (*p)[len(*p)-1]
	(*p)[len(*p)-1] = event{}
	*p = (*p)[:len(*p)-1]
	return last
}

// world is a cluster under a virtual clock.
type world struct {
	setting
	now, began time.Time
	plan       plan
	planned    int
	chance     *rand.Rand

	master     *state.Machine
	allocator  *core.Allocator
	stored     registry.Registry
	timers     map[string]int // by owner and key: which setting of it counts
	agents     map[string]*node
	frameworks map[string]*client
	order      []*client
	counts     counts
}

// counts is what the master's events add up to.
type counts struct {
	offers, rescinded, conflicts int
	steps                        int
}

func newWorld(s setting) (*world, error) {
	w := &world{
		setting: s, now: time.Unix(1e9, 0), began: time.Unix(1e9, 0),
		chance: rand.New(rand.NewPCG(s.seed, 0)), timers: make(map[string]int),
		agents: make(map[string]*node), frameworks: make(map[string]*client),
		allocator: core.New(core.Options{Overlap: s.overlap}),
		master:    state.New(state.Config{MasterID: "M", Allocator: allocatorPeer, OfferOverlap: s.overlap}),
	}
	var err error
	if w.stored, err = registry.New(s.quotas()); err != nil {
		return nil, err
	}
	w.after(0, func() error { return w.step(state.Started{Registry: w.stored}) })
	for i := range agents {
		n := &node{w: w, peer: fmt.Sprintf("agent@a%d:5051", i), tasks: make(map[string]bool)}
		w.agents[n.peer] = n
		w.after(hop, n.register)
	}
	for i, think := range s.mix.think {
		c := newClient(w, i, think, s.role(i))
		w.frameworks[c.peer] = c
		w.order = append(w.order, c)
		w.after(time.Second, c.subscribe)
	}
	return w, nil
}

// role is that of a framework.
func (s setting) role(i int) string {
	if s.load.guaranteed && s.mix.think[i] == lame {
		return fmt.Sprint("slow", i)
	}
	return "*"
}

// quotas guarantee roles of their own a tenth of the cluster.
func (s setting) quotas() (list []*cluster.RegistryRecord) {
	for i := range s.mix.think {
		if role := s.role(i); role != "*" {
			list = append(list, registry.QuotaRecord(&cluster.QuotaRecord{Config: &quota.QuotaConfig{
				Role: &role, Guarantees: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(agents * cpusPerAgent / 10)}},
			}}))
		}
	}
	return list
}

// after plans something.
func (w *world) after(d time.Duration, do func() error) {
	w.planned++
	heap.Push(&w.plan, event{w.now.Add(d), w.planned, do})
}

// run lets the simulated time pass.
func (w *world) run() error {
	for len(w.plan) > 0 {
		next := heap.Pop(&w.plan).(event)
		if next.at.Sub(w.began) > w.span {
			break
		}
		w.now = next.at
		if err := next.do(); err != nil {
			return err
		}
	}
	for _, c := range w.order {
		c.settle(w.now)
	}
	return w.check()
}

// check holds the cluster against the first law: what runs on an agent is there.
func (w *world) check() error {
	for _, n := range w.agents {
		if len(n.tasks) > cpusPerAgent {
			return fmt.Errorf("%d tasks of a cpu run on %s, which has %d", len(n.tasks), n.peer, cpusPerAgent)
		}
	}
	if err := w.allocator.Check(); err != nil {
		return err
	}
	return w.master.Check()
}

// tell sends the master a message.
func (w *world) tell(from string, m proto.Message) {
	w.after(hop, func() error { return w.step(state.Received{From: state.Peer(from), Message: m}) })
}

// checkEvery is how many steps of the master lie between two looks at all laws.
const checkEvery = 1000

// step gives the master an input and carries out what it wants.
func (w *world) step(in state.Input) error {
	effects := append([]state.Effect(nil), w.master.Step(w.now, in)...)
	for _, e := range effects {
		if err := w.perform(e); err != nil {
			return err
		}
	}
	if w.counts.steps++; w.counts.steps%checkEvery == 0 {
		return w.check()
	}
	return nil
}

func (w *world) perform(e state.Effect) error {
	switch e := e.(type) {
	case state.Send:
		w.send(string(e.To), e.Message)
	case state.Persist:
		next, _, err := registry.Apply(w.stored, e.Operation)
		if err == nil {
			w.stored = next
		}
		w.after(hop, func() error { return w.step(state.Persisted{Key: e.Key, Err: err}) })
	case state.SetTimer:
		w.setTimer("master/"+e.Key, e.After, func() error { return w.step(state.TimerFired{Key: e.Key}) })
	case state.CancelTimer:
		delete(w.timers, "master/"+e.Key)
	case state.Publish:
		w.observe(e.Event)
	case state.Halt:
		return fmt.Errorf("the master ended: %w", e.Err)
	}
	return nil
}

func (w *world) setTimer(key string, after time.Duration, fire func() error) {
	w.planned++
	mine := w.planned
	w.timers[key] = mine
	w.after(after, func() error {
		if w.timers[key] != mine {
			return nil
		}
		delete(w.timers, key)
		return fire()
	})
}

func (w *world) observe(e view.Event) {
	switch e := e.(type) {
	case view.OffersMade:
		w.counts.offers += len(e.Offers)
	case view.OfferRemoved:
		if e.End == view.Overtaken {
			w.counts.rescinded++
		}
	case view.AcceptOvertaken:
		w.counts.conflicts++
	}
}

// send carries a message of the master's.
func (w *world) send(to string, m proto.Message) {
	if to == allocatorPeer {
		w.decide(core.Received{From: masterPeer, Message: m}) // of the same process
		return
	}
	w.after(hop, func() error {
		if n := w.agents[to]; n != nil {
			n.receive(m)
		}
		if c := w.frameworks[to]; c != nil {
			c.receive(m)
		}
		return nil
	})
}

// decide gives the allocator an input and carries out what it wants.
func (w *world) decide(in core.Input) {
	for _, e := range w.allocator.Step(w.now, in) {
		switch e := e.(type) {
		case core.Send:
			w.after(0, func() error { return w.step(state.Received{From: allocatorPeer, Message: e.Message}) })
		case core.SetTimer:
			w.setTimer("allocator/"+e.Key, e.After, func() error {
				w.decide(core.TimerFired{Key: e.Key})
				return nil
			})
		case core.CancelTimer:
			delete(w.timers, "allocator/"+e.Key)
		}
	}
}

// node is an agent whose tasks only take time.
type node struct {
	w       *world
	peer    string
	id      *mesos.AgentID
	tasks   map[string]bool
	updates uint32
}

func (n *node) register() error {
	return n.w.step(state.Received{From: state.Peer(n.peer), Message: &cluster.RegisterAgent{
		Agent: &mesos.AgentInfo{Hostname: proto.String(n.peer), Resources: amounts(cpusPerAgent, memPerAgent)},
	}})
}

func (n *node) receive(m proto.Message) {
	switch m := m.(type) {
	case *cluster.AgentRegistered:
		n.id = m.AgentId
	case *cluster.RunTask:
		n.start(m)
	}
}

// start runs a task for as long as chance says.
func (n *node) start(m *cluster.RunTask) {
	id := m.Task.TaskId.GetValue()
	n.tasks[id] = true
	n.update(m, mesos.TaskState_TASK_RUNNING)
	life := time.Duration(n.w.chance.ExpFloat64() * float64(meanLife))
	n.w.after(life, func() error {
		delete(n.tasks, id)
		n.update(m, mesos.TaskState_TASK_FINISHED)
		return nil
	})
}

func (n *node) update(m *cluster.RunTask, is mesos.TaskState) {
	n.updates++
	uuid := make([]byte, 16)
	uuid[0], uuid[1], uuid[2], uuid[3] = byte(n.updates), byte(n.updates>>8), byte(n.updates>>16), byte(n.updates>>24)
	n.w.tell(n.peer, &cluster.StatusUpdate{FrameworkId: m.Framework.Id, AgentId: n.id, LatestState: &is, Status: &mesos.TaskStatus{
		TaskId: m.Task.TaskId, AgentId: n.id, State: &is, Uuid: uuid, Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
	}})
}

func amounts(cpus, mem float64) []*mesos.Resource {
	return []*mesos.Resource{
		{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &cpus}},
		{Name: proto.String("mem"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &mem}},
	}
}
