package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// client is a framework that thinks for a fixed time before it answers offers. It
// wants them while it has work: without, it suppresses them, and revives them when
// work comes.
type client struct {
	w      *world
	peer   string
	name   string
	role   string
	think  time.Duration
	id     *mesos.FrameworkID
	chance *rand.Rand

	queue   []time.Time // when each task that is not launched came
	open    map[string]bool
	quiet   bool
	started time.Time
	tasks   int
	sent    map[string]time.Time // launches under way: when their task came

	first    time.Duration // from its subscription to its first task; 0 before
	running  int
	waits    []time.Duration
	wasted   int // offers that were gone when it had thought about them
	answered int
}

func newClient(w *world, i int, think time.Duration, role string) *client {
	return &client{
		w: w, peer: fmt.Sprintf("scheduler@f%d:1", i), name: fmt.Sprint("f", i), role: role, think: think,
		chance: rand.New(rand.NewPCG(w.seed, uint64(i+1))), open: make(map[string]bool), sent: make(map[string]time.Time),
	}
}

func (c *client) subscribe() error {
	c.started = c.w.now
	c.say(&scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{User: proto.String("u"), Name: &c.name, Roles: []string{c.role}, Capabilities: []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
		}},
	}})
	if c.w.load.gap > 0 {
		return c.arrive()
	}
	return nil
}

// endless is whether the framework never runs out of work.
func (c *client) endless() bool { return c.w.load.gap == 0 }

// arrive brings a job, and plans the next.
func (c *client) arrive() error {
	for range c.w.load.job {
		c.queue = append(c.queue, c.w.now)
	}
	if c.quiet {
		c.quiet = false
		c.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	}
	c.w.after(time.Duration(c.chance.ExpFloat64()*float64(c.w.load.gap)), c.arrive)
	return nil
}

func (c *client) say(call *scheduler.Call) {
	call.FrameworkId = c.id
	c.w.tell(c.peer, call)
}

func (c *client) receive(m proto.Message) {
	e, ok := m.(*scheduler.Event)
	if !ok {
		return
	}
	switch e.GetType() {
	case scheduler.Event_SUBSCRIBED:
		c.id = e.Subscribed.FrameworkId
	case scheduler.Event_OFFERS:
		offers := e.Offers.Offers
		for _, o := range offers {
			c.open[o.Id.GetValue()] = true
		}
		c.w.after(c.think, func() error {
			for _, o := range offers {
				c.answer(o)
			}
			c.rest()
			return nil
		})
	case scheduler.Event_RESCIND:
		delete(c.open, e.Rescind.OfferId.GetValue())
	case scheduler.Event_UPDATE:
		c.update(e.Update.Status)
	}
}

// answer takes of an offer as much as there is work for, if it is still there.
func (c *client) answer(o *mesos.Offer) {
	if !c.open[o.Id.GetValue()] {
		c.wasted++
		return
	}
	delete(c.open, o.Id.GetValue())
	c.answered++
	room := int(min(scalar(o, "cpus"), scalar(o, "mem")/memPerTask))
	if !c.endless() {
		room = min(room, len(c.queue))
	}
	if room == 0 {
		c.say(&scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{OfferIds: []*mesos.OfferID{o.Id}}})
		return
	}
	var infos []*mesos.TaskInfo
	for range room {
		came := c.w.now
		if !c.endless() {
			came, c.queue = c.queue[0], c.queue[1:]
		}
		c.tasks++
		id := fmt.Sprintf("%s-%d", c.name, c.tasks)
		c.sent[id] = came
		infos = append(infos, &mesos.TaskInfo{
			Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: o.AgentId, Resources: amounts(1, memPerTask),
			Command: &mesos.CommandInfo{Value: proto.String("true")},
		})
	}
	c.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{o.Id}, Operations: []*mesos.Offer_Operation{{
			Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
		}},
		Filters: &mesos.Filters{RefuseSeconds: proto.Float64(0)}, // more work may come
	}})
}

// rest asks for no more offers while there is no work.
func (c *client) rest() {
	if !c.endless() && len(c.queue) == 0 && !c.quiet {
		c.quiet = true
		c.say(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()})
	}
}

func (c *client) update(s *mesos.TaskStatus) {
	id := s.TaskId.GetValue()
	switch s.GetState() {
	case mesos.TaskState_TASK_RUNNING:
		c.running++
		c.waits = append(c.waits, c.w.now.Sub(c.sent[id]))
		if c.first == 0 {
			c.first = c.w.now.Sub(c.started)
		}
		delete(c.sent, id)
	case mesos.TaskState_TASK_DROPPED: // another was first: it is to be done again
		if !c.endless() {
			c.queue = slices.Insert(c.queue, 0, c.sent[id])
			if c.quiet {
				c.quiet = false
				c.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
			}
		}
		delete(c.sent, id)
	}
	if s.Uuid != nil {
		c.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: s.AgentId, TaskId: s.TaskId, Uuid: s.Uuid,
		}})
	}
}

// settle counts what still waits as having waited until the end.
func (c *client) settle(end time.Time) {
	for _, came := range c.queue {
		c.waits = append(c.waits, end.Sub(came))
	}
}

func scalar(o *mesos.Offer, name string) float64 {
	for _, r := range o.Resources {
		if r.GetName() == name {
			return r.GetScalar().GetValue()
		}
	}
	return 0
}
