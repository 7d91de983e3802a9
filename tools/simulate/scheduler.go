package simulate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/session"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// schedulerNode is a scheduler's process: a session, and an author that wants
// so many tasks to have run.
type schedulerNode struct {
	*process
	cluster *simulation
	number  int
	role    string
	session *session.Session
	inbox   []*mesos.TaskStatus // not taken in yet
	// What the author keeps on disk.
	id       *mesos.FrameworkID
	launched int
	open     map[string]*mesos.AgentID // tasks that have not ended, and where
	ended    bool
}

func newSchedulerNode(c *simulation, number int) *schedulerNode {
	return &schedulerNode{
		process: c.net.process(fmt.Sprintf("scheduler%d:0", number)), cluster: c, number: number,
		role: []string{"*", "eng", "eng/web", "ops"}[number%4], open: make(map[string]*mesos.AgentID),
	}
}

func (s *schedulerNode) boot() {
	s.process.start()
	s.inbox = nil
	info := &mesos.FrameworkInfo{
		User: proto.String("somebody"), Name: proto.String(fmt.Sprintf("framework %d", s.number)),
		Roles: []string{s.role}, FailoverTimeout: proto.Float64(7 * 24 * 3600), Checkpoint: proto.Bool(true), Id: s.id,
		Capabilities: []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()},
		},
	}
	var err error
	if s.session, err = session.New(session.Config{Framework: info, Seed: s.net.chance.Uint64()}); err != nil {
		s.cluster.fail("scheduler %d: %v", s.number, err)
		return
	}
	s.actors["scheduler"] = s
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		s.step(session.Watch{TaskID: &mesos.TaskID{Value: &id}, AgentID: s.open[id]})
	}
	s.cluster.quorum.follow(s.process, func(leader string) {
		s.step(session.MasterDetected{Master: session.Peer(masterActor(leader))})
	})
}

func (s *schedulerNode) crash() {
	s.process.kill()
	s.net.after(s.net.between(100*time.Millisecond, 30*time.Second), s.boot)
}

// done tells that every task has been launched, and has ended.
func (s *schedulerNode) done() bool {
	return s.up && s.launched == s.cluster.options.Tasks && len(s.open) == 0
}

func (s *schedulerNode) receive(from string, m proto.Message) {
	s.step(session.Received{From: session.Peer(from), Message: m})
}

func (s *schedulerNode) exited(peer string) { s.step(session.PeerExited{Peer: session.Peer(peer)}) }

func (s *schedulerNode) step(in session.Input) {
	life := s.life
	for _, effect := range s.session.Step(s.now(), in) {
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
		s.send("scheduler", string(e.To), e.Message)
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
			s.id = e.FrameworkID
			s.step(session.Persisted{})
		})
	case session.Deliver:
		s.event(e.Event)
	case session.Refused:
		s.net.note("scheduler %d: refused: %v", s.number, e.Err)
	case session.Ended:
		s.ended = true
		s.cluster.fail("the session of scheduler %d ended: %v", s.number, e.Err)
	}
}

func (s *schedulerNode) event(e *scheduler.Event) {
	switch e.GetType() {
	case scheduler.Event_OFFERS:
		for _, o := range e.Offers.Offers {
			s.consider(o)
		}
	case scheduler.Event_UPDATE:
		s.update(e.Update.Status)
	}
}

var taskNeeds = resources.MustParse("cpus:1;mem:128")

// consider launches as many tasks as an offer has room for, or refuses it.
func (s *schedulerNode) consider(o *mesos.Offer) {
	if s.net.oneIn(10) || s.launched == s.cluster.options.Tasks {
		s.decline(o)
		return
	}
	offered, err := resources.New(o.Resources...)
	if err != nil {
		s.cluster.fail("offer %s: %v", o.Id.GetValue(), err)
		return
	}
	var infos []*mesos.TaskInfo
	want := taskNeeds.Allocate(s.role)
	for limit := 1 + s.net.chance.IntN(8); len(infos) < limit && s.launched < s.cluster.options.Tasks && offered.Contains(want); {
		offered = offered.Without(want)
		infos = append(infos, s.newTask(o.AgentId, want))
	}
	if len(infos) == 0 {
		s.decline(o)
		return
	}
	for _, info := range infos {
		s.cluster.oracle.taskLaunched(s, info)
	}
	s.step(session.Submit{Call: &scheduler.Call{
		Type: scheduler.Call_ACCEPT.Enum(),
		Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{o.Id},
			Operations: []*mesos.Offer_Operation{{
				Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
			}},
			Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1)},
		},
	}})
}

func (s *schedulerNode) newTask(agent *mesos.AgentID, needs resources.Resources) *mesos.TaskInfo {
	s.launched++
	id := fmt.Sprintf("f%d-t%d", s.number, s.launched)
	s.open[id] = agent
	if plan := s.cluster.planOf(id); plan.killed > 0 {
		s.later(plan.killed, func() { s.kill(id) })
	}
	return &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: agent, Resources: needs.Proto(),
		Command: &mesos.CommandInfo{Value: proto.String("work")},
	}
}

func (s *schedulerNode) kill(id string) {
	if agent, ok := s.open[id]; ok && !s.ended {
		s.step(session.Submit{Call: &scheduler.Call{
			Type: scheduler.Call_KILL.Enum(),
			Kill: &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: &id}, AgentId: agent},
		}})
	}
}

func (s *schedulerNode) decline(o *mesos.Offer) {
	seconds := []float64{0, 1, 5, 60}[s.net.chance.IntN(4)]
	if s.launched == s.cluster.options.Tasks {
		seconds = 3600
	}
	s.step(session.Submit{Call: &scheduler.Call{
		Type:    scheduler.Call_DECLINE.Enum(),
		Decline: &scheduler.Call_Decline{OfferIds: []*mesos.OfferID{o.Id}, Filters: &mesos.Filters{RefuseSeconds: &seconds}},
	}})
}

// update queues what the author is told. It takes in one after the other, each
// when what the author makes of it is on disk.
func (s *schedulerNode) update(status *mesos.TaskStatus) {
	s.inbox = append(s.inbox, status)
	if len(s.inbox) == 1 {
		s.takeIn()
	}
}

func (s *schedulerNode) takeIn() {
	s.later(s.cluster.diskTime(), func() {
		status := s.inbox[0]
		s.inbox = s.inbox[1:]
		s.cluster.oracle.told(s, status)
		if terminal(status.GetState()) {
			delete(s.open, status.TaskId.GetValue())
		}
		if len(s.inbox) > 0 {
			s.takeIn()
		}
		s.step(session.Handled{Status: status})
	})
}
