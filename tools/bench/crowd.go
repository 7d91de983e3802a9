package main

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// crowdAgent is an agent whose tasks run as soon as they arrive.
type crowdAgent struct {
	master     actors.PID
	hostname   string
	registered chan<- bool
	id         *mesos.AgentID
	updates    uint64
}

// spawnAgents returns when all n are registered.
func spawnAgents(s *actors.System, to actors.PID, n int) error {
	registered := make(chan bool, n)
	for i := range n {
		a := &crowdAgent{master: to, hostname: fmt.Sprintf("host%d", i), registered: registered}
		if _, err := s.Spawn(fmt.Sprintf("agent%d", i), a); err != nil {
			return err
		}
	}
	for range n {
		<-registered
	}
	return nil
}

// Init registers.
func (a *crowdAgent) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.AgentRegistered) {
		a.id = m.GetAgentId()
		a.registered <- true
	})
	actors.Handle(c, func(c *actors.Context, _ *cluster.Ping) { c.Reply(&cluster.Pong{AgentId: a.id}) })
	actors.Handle(c, a.run)
	c.HandleAny(func(*actors.Context, proto.Message) {})
	c.Send(a.master, &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
		Hostname: &a.hostname, Resources: resources.MustParse("cpus:64;mem:262144").Proto(),
	}})
}

func (a *crowdAgent) run(c *actors.Context, m *cluster.RunTask) {
	a.updates++
	id := make([]byte, 16)
	binary.BigEndian.PutUint64(id, a.updates)
	c.Send(a.master, &cluster.StatusUpdate{
		FrameworkId: m.GetFramework().GetId(), AgentId: a.id, Status: &mesos.TaskStatus{
			TaskId: m.GetTask().GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum(), AgentId: a.id,
			Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: id,
		},
	})
}

const (
	// tasksPerOffer divides the work among the agents.
	tasksPerOffer = 200
	// mostUnderWay is how many tasks a framework launches ahead of the news that
	// they run: what is sent and not taken is bounded by the links' budgets.
	mostUnderWay = 20_000
)

// hungry is a framework that fills every offer with tasks until it has enough.
// One that wants no task is done when every agent has been offered to it.
type hungry struct {
	say               func(*scheduler.Call) // to the master
	want, agents      int
	done              chan error
	framework         *mesos.FrameworkID
	offers            []*mesos.Offer // not used yet
	launched, running int
}

// hungryCall is how it subscribes.
func hungryCall() *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{
			User: proto.String("nobody"), Name: proto.String("hungry"), Roles: []string{"*"},
			Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		},
	}}
}

// native makes it an actor.
func (h *hungry) native(master actors.PID) actors.Actor {
	return actorFunc(func(c *actors.Context) {
		h.say = func(call *scheduler.Call) { c.Send(master, call) }
		actors.Handle(c, func(_ *actors.Context, e *scheduler.Event) { h.event(e) })
		c.HandleExited(func(_ *actors.Context, e actors.Exited) { h.done <- fmt.Errorf("the master is gone: %s", e.Reason) })
		c.Link(master)
		h.say(hungryCall())
	})
}

func (h *hungry) event(e *scheduler.Event) {
	switch e.GetType() {
	case scheduler.Event_SUBSCRIBED:
		h.framework = e.GetSubscribed().GetFrameworkId()
	case scheduler.Event_OFFERS:
		h.offers = append(h.offers, e.GetOffers().GetOffers()...)
		if h.want == 0 && len(h.offers) == h.agents {
			h.done <- nil
		}
		h.use()
	case scheduler.Event_UPDATE:
		h.updated(e.GetUpdate().GetStatus())
	case scheduler.Event_ERROR:
		h.done <- fmt.Errorf("the master says: %s", e.GetError().GetMessage())
	}
}

func (h *hungry) updated(s *mesos.TaskStatus) {
	if s.GetState() != mesos.TaskState_TASK_RUNNING {
		h.done <- fmt.Errorf("task %q: %v %s", s.GetTaskId().GetValue(), s.GetState(), s.GetMessage())
		return
	}
	h.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: h.framework, Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: s.GetAgentId(), TaskId: s.GetTaskId(), Uuid: s.GetUuid(),
	}})
	if h.running++; h.running == h.want {
		h.done <- nil
	}
	h.use()
}

// use launches tasks on the offers at hand.
func (h *hungry) use() {
	for len(h.offers) > 0 && h.launched < h.want && h.launched-h.running <= mostUnderWay-tasksPerOffer {
		h.accept(h.offers[0])
		h.offers = h.offers[1:]
	}
}

var eachTask = resources.MustParse("cpus:0.1;mem:32").Proto()

func (h *hungry) accept(o *mesos.Offer) {
	launch := &mesos.Offer_Operation_Launch{}
	for range min(tasksPerOffer, h.want-h.launched) {
		h.launched++
		launch.TaskInfos = append(launch.TaskInfos, &mesos.TaskInfo{
			Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String(fmt.Sprintf("t%d", h.launched))}, AgentId: o.GetAgentId(),
			Resources: eachTask, Command: &mesos.CommandInfo{Value: proto.String("sleep 1000")},
		})
	}
	h.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: h.framework, Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{o.GetId()}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1000)},
		Operations: []*mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: launch}},
	}})
}
