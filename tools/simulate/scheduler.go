package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/session"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// schedulerNode is a scheduler's process: a session of its author's framework.
type schedulerNode struct {
	*process
	*author
	session *session.Session
	inbox   []news            // not taken in yet
	inverse map[string]string // inverse offers, by agent
	// Another process took its place, and it does not know.
	former bool
	// The address of the master that it was told of last; empty is none.
	detected string
}

func newSchedulerNode(a *author) *schedulerNode {
	a.lives++
	return &schedulerNode{
		process: a.cluster.net.process(fmt.Sprintf("scheduler%d.%d:0", a.number, a.lives)), author: a,
	}
}

func (s *schedulerNode) boot() {
	if s.former || s.up {
		return
	}
	s.process.start()
	s.inbox, s.inverse = nil, make(map[string]string)
	s.lives++
	var err error
	s.session, err = session.New(session.Config{Framework: s.info(), Seed: s.net.chance.Uint64()})
	if err != nil {
		s.cluster.fail("scheduler %d: %v", s.number, err)
		return
	}
	s.actors["scheduler"] = s
	for _, id := range s.openTasks() {
		s.step(session.Watch{TaskID: &mesos.TaskID{Value: &id}, AgentID: s.open[id]})
		s.killInTime(id)
	}
	s.cluster.quorum.follow(s.process, func(leader string) {
		s.detected = leader
		s.step(session.MasterDetected{Master: session.Peer(masterActor(leader))})
	})
	s.wonder()
}

func (s *schedulerNode) crash() {
	s.process.kill()
	s.net.after(s.net.between(100*time.Millisecond, 30*time.Second), s.boot)
}

// succeed lets another process take the framework over, while this one still
// runs.
func (s *schedulerNode) succeed() *schedulerNode {
	s.former = true
	next := newSchedulerNode(s.author)
	s.net.note("%s takes over from %s", next.address, s.address)
	next.boot()
	return next
}

// endedWith is the end of a session. A process that was taken over from ends; one
// whose framework is no more begins another.
func (s *schedulerNode) endedWith(err error) {
	s.net.note("the session of %s ended: %v", s.address, err)
	switch {
	case s.former:
	case err != nil && strings.Contains(err.Error(), "Framework failed over"):
		// One that was taken over from did not know, and took it back.
	case err == nil: // as its author wanted
		s.forget()
	case strings.Contains(err.Error(), "Framework has been removed"):
		s.cluster.oracle.frameworkRemoved(s.author)
		s.forget()
	default:
		s.cluster.fail("the session of scheduler %d ended: %v", s.number, err)
	}
	s.crash()
}

// wonder does now and then what an author may do.
func (s *schedulerNode) wonder() {
	if s.cluster.options.FaultEvery < 0 {
		return
	}
	s.later(s.net.between(10*time.Second, time.Minute), func() {
		s.askForOperations()
		switch s.net.chance.IntN(4) {
		case 0:
			s.submit(&scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}})
		case 1:
			s.submit(&scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: s.question()})
		case 2:
			s.submit(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum(), Suppress: &scheduler.Call_Suppress{}})
			s.later(s.net.between(time.Second, 20*time.Second), s.revive)
		default:
			s.revive()
		}
		s.wonder()
	})
}

// question asks for every task that is open.
func (s *schedulerNode) question() *scheduler.Call_Reconcile {
	q := &scheduler.Call_Reconcile{}
	for _, id := range s.openTasks() {
		q.Tasks = append(q.Tasks, &scheduler.Call_Reconcile_Task{TaskId: &mesos.TaskID{Value: &id}, AgentId: s.open[id]})
	}
	return q
}

func (s *schedulerNode) revive() {
	if s.launched < s.cluster.options.Tasks {
		s.submit(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum(), Revive: &scheduler.Call_Revive{}})
	}
}

func (s *schedulerNode) submit(call *scheduler.Call) {
	if !s.former {
		s.step(session.Submit{Call: call})
	}
}

func (s *schedulerNode) receive(from string, m proto.Message) {
	if e, ok := m.(*scheduler.Event); ok && e.GetType() != scheduler.Event_ERROR && !s.former && !s.woke.Equal(s.net.now) {
		s.cluster.oracle.frameworkHears(s.author)
	}
	effects := s.session.Step(s.now(), session.Received{From: session.Peer(s.ears(from)), Message: m})
	s.cluster.oracle.schedulerObeys(s, from, effects)
	s.performAll(effects)
}

func (s *schedulerNode) exited(peer string) { s.step(session.PeerExited{Peer: session.Peer(peer)}) }

func (s *schedulerNode) step(in session.Input) {
	s.performAll(s.session.Step(s.now(), in))
}

func (s *schedulerNode) performAll(effects []session.Effect) {
	life := s.life
	for _, effect := range effects {
		if s.burns() {
			s.crash()
		}
		if !s.up || s.life != life {
			return
		}
		s.perform(effect)
	}
}

func (s *schedulerNode) perform(effect session.Effect) {
	switch e := effect.(type) {
	case session.Send:
		s.send("scheduler", string(e.To), e.Call)
	case session.SetTimer:
		s.setTimer(e.Key, e.After, func() { s.step(session.TimerFired{Key: e.Key}) })
	case session.CancelTimer:
		s.cancelTimer(e.Key)
	case session.Link:
		s.watch("scheduler", string(e.Peer))
	case session.Unlink:
		s.unwatch("scheduler", string(e.Peer))
	case session.Persist:
		s.later(s.cluster.diskTime(), func() {
			if !s.former {
				s.id = e.FrameworkID
			}
			s.step(session.Persisted{})
		})
	case session.Connected:
		clear(s.inverse)
		if s.leaving {
			s.submit(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		}
	case session.Deliver:
		s.event(e.Event)
	case session.Refused:
		s.net.note("scheduler %d: refused: %v", s.number, e.Err)
	case session.Ended:
		s.endedWith(e.Err)
	}
}

func (s *schedulerNode) event(e *scheduler.Event) {
	switch e.GetType() {
	case scheduler.Event_OFFERS:
		for _, o := range e.Offers.Offers {
			s.cluster.oracle.offered(s.address, s.able, o)
			s.consider(o)
		}
	case scheduler.Event_INVERSE_OFFERS:
		s.askedToLeave(e.InverseOffers.InverseOffers)
	case scheduler.Event_RESCIND_INVERSE_OFFER:
		s.inverseRescinded(e.RescindInverseOffer.InverseOfferId.GetValue())
	case scheduler.Event_UPDATE:
		s.update(e.Update.Status)
	case scheduler.Event_UPDATE_OPERATION_STATUS:
		s.operationTold(e.UpdateOperationStatus.Status)
	}
}

// consider launches as many tasks as an offer has room for, or refuses it.
func (s *schedulerNode) consider(o *mesos.Offer) {
	if s.former || s.leaving || s.net.oneIn(10) || s.launched >= s.due() {
		s.decline(o)
		return
	}
	list := s.conversions(o)
	operation, tasks := s.launches(o, 1+s.net.chance.IntN(8), len(list) == 0 && s.net.oneIn(2))
	if operation != nil {
		list = append(list, operation)
	}
	if len(list) == 0 {
		s.decline(o)
		return
	}
	for _, t := range tasks {
		s.killInTime(t.TaskId.GetValue())
	}
	s.submit(&scheduler.Call{
		Type: scheduler.Call_ACCEPT.Enum(),
		Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{o.Id}, Operations: list,
			Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1)},
		},
	})
}

// killInTime kills a task when its time has come, if it is to be killed.
func (s *schedulerNode) killInTime(id string) {
	if plan := s.cluster.oracle.fates[id].plan; plan.killed > 0 {
		s.later(plan.killed, func() { s.kill(id) })
	}
}

func (s *schedulerNode) kill(id string) {
	agent, ok := s.open[id]
	if !ok {
		return
	}
	s.cluster.oracle.killWanted(id)
	s.submit(&scheduler.Call{
		Type: scheduler.Call_KILL.Enum(),
		Kill: &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: &id}, AgentId: agent},
	})
}

func (s *schedulerNode) decline(o *mesos.Offer) {
	seconds := []float64{0, 1, 5, 20}[s.net.chance.IntN(4)]
	if s.launched >= s.cluster.options.Tasks {
		seconds = 3600
	}
	s.step(session.Submit{Call: &scheduler.Call{
		Type:    scheduler.Call_DECLINE.Enum(),
		Decline: &scheduler.Call_Decline{OfferIds: []*mesos.OfferID{o.Id}, Filters: &mesos.Filters{RefuseSeconds: &seconds}},
	}})
}

// news is an update that waits for its author.
type news struct {
	status *mesos.TaskStatus
	// It is an agent's word behind an end of which only a master has told. The
	// author, who may wait for it, does not.
	behind bool
}

// update queues what the author is told. It takes in one after the other, each
// when what the author makes of it is on disk.
func (s *schedulerNode) update(status *mesos.TaskStatus) {
	behind := len(status.GetUuid()) > 0 && slices.ContainsFunc(s.inbox, func(n news) bool {
		return len(n.status.GetUuid()) == 0 && terminal(n.status.GetState()) && proto.Equal(n.status.TaskId, status.TaskId)
	})
	s.inbox = append(s.inbox, news{status, behind})
	if len(s.inbox) == 1 {
		s.takeIn()
	}
}

func (s *schedulerNode) takeIn() {
	s.later(s.cluster.diskTime(), func() {
		status, behind := s.inbox[0].status, s.inbox[0].behind
		s.inbox = s.inbox[1:]
		if !behind {
			s.cluster.oracle.told(s, status)
		}
		if terminal(status.GetState()) {
			delete(s.open, status.TaskId.GetValue())
		}
		if len(s.inbox) > 0 {
			s.takeIn()
		}
		s.step(session.Handled{Status: status})
	})
}
