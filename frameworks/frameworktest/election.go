package frameworktest

import (
	"context"
	"strconv"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
)

// Election is a frameworks.Detector that finds whom a test lets lead.
type Election struct {
	mu      sync.Mutex
	leader  *mesos.MasterInfo
	terms   int
	failure error
	changed chan struct{}
	doubts  []Doubt
}

// Doubt is what a scheduler told of a leader.
type Doubt struct{ Leader, Hint string }

// NewElection makes an election that nobody has won.
func NewElection() *Election { return &Election{changed: make(chan struct{})} }

// Lead lets a master lead.
func (e *Election) Lead(m *Master) {
	e.mu.Lock()
	e.terms++
	info := InfoOf(m.PID, e.terms)
	e.mu.Unlock()
	e.set(func() { e.leader = info })
}

// InfoOf is the MasterInfo of a master's actor in one of its terms.
func InfoOf(pid actors.PID, term int) *mesos.MasterInfo {
	id := pid.Address + "/" + strconv.Itoa(term)
	return &mesos.MasterInfo{
		Id: &id, Ip: proto.Uint32(0), Port: proto.Uint32(0), Pid: proto.String(pid.WellKnown().String()),
	}
}

// Nobody lets nobody lead.
func (e *Election) Nobody() { e.set(func() { e.leader = nil }) }

// Fail lets nobody be found any more, for good.
func (e *Election) Fail(err error) { e.set(func() { e.failure = err }) }

// Doubts are what schedulers have told so far.
func (e *Election) Doubts() []Doubt {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Doubt(nil), e.doubts...)
}

func (e *Election) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.changed)
	e.changed = make(chan struct{})
}

// Leader implements frameworks.Detector.
func (e *Election) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	for {
		e.mu.Lock()
		leader, failure, changed := e.leader, e.failure, e.changed
		e.mu.Unlock()
		switch {
		case failure != nil:
			return nil, failure
		case leader.GetId() != known.GetId():
			return leader, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Doubt implements frameworks.Detector. The test decides who leads.
func (e *Election) Doubt(leader, hint string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubts = append(e.doubts, Doubt{leader, hint})
}

// Successor plays the next leading master, in another actor system: of frameworks
// it knows nothing, of tasks what the agents have told it. What was offered is
// free again.
func (m *Master) Successor(t TB, sys *actors.System) *Master {
	t.Helper()
	next := New(t, sys, nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	next.mu.Lock()
	defer next.mu.Unlock()
	next.cluster.script = m.cluster.script
	next.cluster.inherit(m.cluster)
	return next
}

// inherit takes in what agents tell a new leader.
func (m *cluster) inherit(of *cluster) {
	m.frameworks, m.nextOffer = of.frameworks, of.nextOffer
	for name, a := range of.agents {
		m.agents[name] = &agent{Agent: a.Agent, free: a.free}
	}
	for id, task := range of.tasks {
		again := *task
		again.agent = m.agents[task.agent.Name]
		again.unacknowledged = append([]*mesos.TaskStatus(nil), task.unacknowledged...)
		m.tasks[id] = &again
	}
}
