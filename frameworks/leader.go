package frameworks

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/frameworks/session"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// MasterName is the name of a master's actor.
const MasterName = "master"

// Detector finds the leading master; master/detector has those for every form
// of Options.Master. Its methods may be called from any goroutine.
type Detector interface {
	// Leader blocks until the leader is another than known, and returns it; nil
	// is nobody, in both places. An error that is not the context's is for good,
	// and ends the framework's run.
	Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error)
	// Doubt tells that the leader at an address, host:port, cannot be reached, or
	// says that it does not lead; hint may be the address of the one that is said
	// to. It does not block.
	Doubt(leader, hint string)
}

// seeker is where a shell looks for its master, and whom it has found.
type seeker struct {
	// detector is nil when the master is given and does not change.
	detector Detector
	where    string
	info     *mesos.MasterInfo
	master   actors.PID
	// stop ends the search that runs; searching tells that one does.
	stop      context.CancelCauseFunc
	searching bool
}

// errPatience ends a search.
var errPatience = errors.New("patience is over")

// seek begins to turn to whoever leads.
func (s *shell) seek() {
	if s.seeker.detector == nil {
		s.queue(session.MasterDetected{Master: session.Peer(s.seeker.master.String())})
		return
	}
	known := s.seeker.info
	s.seeker.searching = true
	search, stop := context.WithCancelCause(context.Background())
	s.seeker.stop = stop
	s.ground.Go(func(ctx context.Context) func() {
		defer context.AfterFunc(ctx, func() { stop(ctx.Err()) })()
		info, err := s.seeker.detector.Leader(search, known)
		return func() {
			stop(nil)
			s.seeker.searching = false
			s.onLeader(info, err)
		}
	})
}

// stopSearch ends a search in vain, and tells whether there was one.
func (s *shell) stopSearch() bool {
	if !s.seeker.searching || !s.seeker.master.IsZero() {
		return false
	}
	s.seeker.stop(errPatience)
	return true
}

// onLeader turns to whom the detector found.
func (s *shell) onLeader(info *mesos.MasterInfo, err error) {
	switch {
	case errors.Is(err, errPatience):
		s.fail(err)
		return
	case err != nil:
		s.failure = err
		s.step(session.Leave{})
		return
	}
	s.seeker.info = info
	next := actors.PID{}
	if info != nil {
		at, bad := masters.Address(info)
		if bad != nil {
			s.log.Warn("the leading master cannot be reached", zap.Error(bad))
		} else {
			next = actors.PID{Name: MasterName, Address: at}
		}
	}
	s.seeker.master = next
	s.step(session.MasterDetected{Master: session.Peer(next.String())})
	s.seek()
}

// doubt counts only about the master that was found.
func (s *shell) doubt(master, hint string) {
	pid, err := address.Parse(master)
	if err == nil && s.seeker.detector != nil && pid.WellKnown() == s.seeker.master {
		s.seeker.detector.Doubt(pid.Address, hint)
	}
}
