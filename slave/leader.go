package slave

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	"troupe/slave/state"
)

// masterName is the name of a master's actor.
const masterName = "master"

// Detector finds the leading master. Its methods may be called from any
// goroutine.
type Detector interface {
	// Leader blocks until the leader is another than known, and returns it; nil
	// is nobody, in both places. An error that is not the context's is for good,
	// and ends the agent.
	Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error)
	// Doubt tells that the leader at an address, host:port, cannot be reached, or
	// says that it does not lead; hint may be the address of the one that is said
	// to. It does not block.
	Doubt(leader, hint string)
	// Suspect tells that the leader at an address has said nothing for long: if
	// another leads, Leader returns. It does not block.
	Suspect(leader string)
}

// leader is whom the detector found last; nil and "" for nobody.
type leader struct {
	info    *mesos.MasterInfo
	address string
}

// A leader speaks every five seconds. One that has missed a beat may be a process
// that was stopped, and another may lead long before its link is given up.
const (
	leaderWatch   = 2 * time.Second
	leaderSilence = 7 * time.Second
)

// watchLeader looks at how long the leader has been silent, now and then.
func (a *Agent) watchLeader(c *actors.Context) {
	if a.options.Detector == nil {
		return
	}
	c.Every(leaderWatch, func() {
		if a.leader.address != "" && silent(a.sys.Peers(), a.leader.address) {
			a.options.Detector.Suspect(a.leader.address)
		}
	})
}

// silent tells whether the peer at an address should have said something.
func silent(peers []actors.PeerInfo, address string) bool {
	return slices.ContainsFunc(peers, func(p actors.PeerInfo) bool {
		return p.Address == address && p.Linked && p.Silence > leaderSilence
	})
}

// follow turns to every leader that the detector finds.
func (a *Agent) follow(c *actors.Context) {
	if a.options.Detector == nil {
		return
	}
	known := a.leader.info
	c.Go(func(ctx context.Context) func() {
		info, err := a.options.Detector.Leader(ctx, known)
		return func() {
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				a.service.finish("the master cannot be looked for", err)
				return
			}
			a.turnTo(c, info)
			a.follow(c)
		}
	})
}

// turnTo tells the machine who leads.
func (a *Agent) turnTo(c *actors.Context, info *mesos.MasterInfo) {
	a.leader = leader{info: info}
	var peer state.Peer
	if info != nil {
		address, err := masters.Address(info)
		if err != nil {
			a.log.Warn("The leading master cannot be reached", zap.Error(err))
		} else {
			a.leader.address = address
			peer = state.Peer(actors.PID{Name: masterName, Address: address}.String())
			a.log.Info("A master leads", zap.String("master", address), zap.String("id", info.GetId()))
		}
	}
	a.step(c, state.MasterDetected{Master: peer})
}

// notLeading turns away from a master that does not lead.
func (a *Agent) notLeading(c *actors.Context, m *cluster.NotLeading) {
	hint := ""
	if m.GetLeader() != nil {
		if address, err := masters.Address(m.GetLeader()); err == nil {
			hint = address
		}
	}
	a.doubt(c.Sender(), hint)
}

// doubt counts only about the actor of the leader that was found.
func (a *Agent) doubt(pid actors.PID, hint string) {
	if a.options.Detector != nil && pid.Name == masterName && pid.Address == a.leader.address {
		a.options.Detector.Doubt(pid.Address, hint)
	}
}
