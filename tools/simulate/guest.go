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

// guestPatience is how long a guest may wait for everything, when nothing runs
// any more.
const guestPatience = 15 * time.Minute

// guest is the last framework of a run. It comes when nothing runs any more,
// and keeps every offer, until it was offered all that the agents have.
type guest struct {
	*process
	cluster *simulation
	session *session.Session
	offers  map[string]*mesos.Offer // by id
	since   time.Time
	looked  time.Time // when it was last asked what it lacks
	refused time.Time // when it gave back what it has of a host that it lacks something of
}

func newGuest(c *simulation) *guest {
	return &guest{
		process: c.net.process("guest:0"), cluster: c, offers: make(map[string]*mesos.Offer), since: c.net.now, refused: c.net.now,
	}
}

func (g *guest) boot() {
	g.process.start()
	var err error
	g.session, err = session.New(session.Config{
		Framework: &mesos.FrameworkInfo{
			User: proto.String("somebody"), Name: proto.String("guest"), Roles: []string{"guest"},
			FailoverTimeout: proto.Float64(week.Seconds()),
			Capabilities:    []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		},
		Seed: g.net.chance.Uint64(),
	})
	if err != nil {
		g.cluster.fail("the guest: %v", err)
		return
	}
	g.actors["scheduler"] = g
	g.cluster.quorum.follow(g.process, func(leader string) {
		g.step(session.MasterDetected{Master: session.Peer(masterActor(leader))})
	})
}

func (g *guest) receive(from string, m proto.Message) {
	g.step(session.Received{From: session.Peer(from), Message: m})
}

func (g *guest) exited(peer string) { g.step(session.PeerExited{Peer: session.Peer(peer)}) }

func (g *guest) step(in session.Input) {
	for _, effect := range g.session.Step(g.now(), in) {
		switch e := effect.(type) {
		case session.Send:
			g.send("scheduler", string(e.To), e.Call)
		case session.SetTimer:
			g.setTimer(e.Key, e.After, func() { g.step(session.TimerFired{Key: e.Key}) })
		case session.CancelTimer:
			g.cancelTimer(e.Key)
		case session.Link:
			g.watch("scheduler", string(e.Peer))
		case session.Unlink:
			g.unwatch("scheduler", string(e.Peer))
		case session.Persist:
			g.later(g.cluster.diskTime(), func() { g.step(session.Persisted{}) })
		case session.Disconnected:
			clear(g.offers)
		case session.Deliver:
			g.event(e.Event)
		case session.Ended:
			g.cluster.fail("the session of the guest ended: %v", e.Err)
		}
	}
}

func (g *guest) event(e *scheduler.Event) {
	for _, o := range e.GetOffers().GetOffers() {
		g.offers[o.Id.GetValue()] = o
		g.cluster.oracle.offered(g.address, abilities{}, o)
	}
	if e.Rescind != nil {
		delete(g.offers, e.Rescind.GetOfferId().GetValue())
	}
}

// exchange gives back, now and then, all that the guest has of a host: what it lacks
// there may be too little to be offered alone.
func (g *guest) exchange(host string) {
	if g.net.now.Sub(g.refused) < time.Minute {
		return
	}
	g.refused = g.net.now
	for _, id := range slices.Sorted(maps.Keys(g.offers)) {
		if g.offers[id].GetHostname() == host {
			delete(g.offers, id)
			g.step(session.Submit{Call: &scheduler.Call{
				Type:    scheduler.Call_DECLINE.Enum(),
				Decline: &scheduler.Call_Decline{OfferIds: []*mesos.OfferID{{Value: &id}}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(0)}},
			}})
		}
	}
}

// missing says what the guest still lacks, and where; empty when nothing.
func (g *guest) missing() (what, host string) {
	held := make(map[string]resources.Resources)
	for _, o := range g.offers {
		held[o.GetHostname()] = held[o.GetHostname()].Add(unallocated(o.Resources))
	}
	for _, a := range g.cluster.agents {
		host := fmt.Sprintf("agent%d", a.number)
		all := g.cluster.oracle.stockOf(a).Filter(func(e resources.Entry) bool { return e.Role() == "*" || e.Role() == "guest" })
		if has := held[host]; !has.Equal(all) {
			return fmt.Sprintf("of %q on %s only %q", all, host, has), host
		}
	}
	return "", ""
}

// host lets the guest come, and tells whether it has everything.
func (c *simulation) host() bool {
	if c.options.FaultEvery < 0 && len(c.options.script) == 0 {
		return true
	}
	if c.guest == nil {
		c.guest = newGuest(c)
		c.guest.boot()
	}
	if c.net.now.Sub(c.guest.looked) < time.Second {
		return false
	}
	c.guest.looked = c.net.now
	missing, where := c.guest.missing()
	if missing != "" && c.net.now.Sub(c.guest.since) > guestPatience {
		c.fail("law 1: when nothing ran any more, a guest was offered %s", missing)
	}
	if missing != "" {
		c.guest.exchange(where)
	}
	return missing == ""
}
