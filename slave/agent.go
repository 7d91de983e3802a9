package slave

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/slave/state"
)

// Agent is the actor that the master, executor hosts and executors speak to.
// It gives its machine everything that happens, and performs what that
// decides.
type Agent struct {
	options   Options
	sys       *actors.System
	service   *Service
	machine   *state.Machine
	timers    map[string]*actors.Timer
	keepers   map[state.HostID]*keeper // touched by the keepers only in their own queues
	rewriting bool                     // the journal
	leader    leader
	log       *zap.Logger
}

// Init begins with what the journal held.
func (a *Agent) Init(c *actors.Context) {
	a.log = c.Log().WithOptions(zap.WrapCore(sample))
	a.timers = make(map[string]*actors.Timer)
	a.keepers = make(map[state.HostID]*keeper)
	actors.Handle(c, a.notLeading)
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		a.step(c, state.Received{From: state.Peer(c.Sender().String()), Principal: c.Principal(), Message: m})
	})
	c.HandleExited(func(c *actors.Context, e actors.Exited) {
		a.step(c, state.PeerExited{Peer: state.Peer(e.PID.String())})
		a.doubt(e.PID, "")
	})
	a.options.Journal.OnStall(func(err error) { a.later(state.JournalStalled{Err: err}) })
	a.step(c, state.Started{Records: a.options.Records, Rebooted: a.options.Rebooted, Damaged: a.options.Damaged})
	a.options.Records = nil
	a.retireOthers()
	c.Every(a.options.DiskWatchInterval, func() { a.collect(c) })
	if !a.options.Master.IsZero() {
		a.step(c, state.MasterDetected{Master: state.Peer(a.options.Master.String())})
	}
	a.lend(c)
	a.follow(c)
	a.watchLeader(c)
}

// sample bounds what a flood of bad input writes: of lines with one text, the
// first 20 of every second, and then every 1000th.
func sample(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Second, 20, 1000)
}

// retireOthers lets go of the sandboxes that no container has. Which of those that
// are no executors' live, hosts alone know: where there is none, none does.
func (a *Agent) retireOthers() {
	live, alone := map[string]bool{}, filepath.Dir(a.options.Sandboxes.Standalone("any"))
	for _, path := range a.machine.Sandboxes() {
		live[path] = true
	}
	if err := a.options.Sandboxes.RetireAll(func(path string) bool {
		return live[path] || a.machine.HasHosts() && filepath.Dir(path) == alone
	}); err != nil {
		a.log.Warn("Old sandboxes were not found", zap.Error(err))
	}
}

func (a *Agent) collect(c *actors.Context) {
	c.Go(func(ctx context.Context) func() {
		err := a.options.Sandboxes.Collect(ctx, time.Now())
		return func() {
			if err != nil {
				a.log.Warn("Not every sandbox that is due was collected", zap.Error(err))
			}
		}
	})
}

// step performs the effects of one input, in order.
func (a *Agent) step(c *actors.Context, in state.Input) {
	for _, effect := range a.machine.Step(time.Now(), in) {
		a.perform(c, effect)
	}
	a.tidyJournal()
}

// later steps in the actor's queue, from any goroutine. It is dropped when the
// actor has stopped.
func (a *Agent) later(in state.Input) {
	a.sys.Do(a.sys.PID(Name), func(c *actors.Context) { a.step(c, in) })
}

func (a *Agent) perform(c *actors.Context, effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		c.Send(a.pid(e.To), e.Message)
	case state.Publish:
		a.options.Publisher.Publish(e.Event)
	case state.SetTimer:
		a.setTimer(c, e)
	case state.CancelTimer:
		a.timers[e.Key].Stop()
		delete(a.timers, e.Key)
	case state.Checkpoint:
		a.options.Journal.Append(e.Records, func(err error) { a.later(state.Checkpointed{Key: e.Key, Err: err}) })
	case state.Link:
		c.Link(a.pid(e.Peer))
	case state.Unlink:
		c.Unlink(a.pid(e.Peer))
	case state.Note:
		a.write(e)
	case state.Exit:
		a.service.finish(e.Reason, e.Err)
	default:
		a.performDevice(c, effect)
	}
}

// pid is the zero address for what is none: what is sent there becomes a dead
// letter.
func (a *Agent) pid(p state.Peer) actors.PID {
	pid, err := address.Parse(string(p))
	if err != nil {
		a.log.Warn("No address", zap.String("peer", string(p)), zap.Error(err))
		return actors.PID{}
	}
	return pid
}

const (
	// stopped is how late a timer fires in a process that was stopped for a
	// while, or starved.
	stopped = time.Second
	// hearing is how long such a process listens before it believes the timer:
	// what it waited for may have come meanwhile.
	hearing = 2 * time.Second
)

func (a *Agent) setTimer(c *actors.Context, e state.SetTimer) {
	a.timers[e.Key].Stop()
	fire := func() {
		delete(a.timers, e.Key)
		a.step(c, state.TimerFired{Key: e.Key})
	}
	due := time.Now().Add(e.After)
	a.timers[e.Key] = c.After(e.After, func() {
		if time.Since(due) > stopped {
			a.timers[e.Key] = c.After(hearing, fire)
			return
		}
		fire()
	})
}

// tidyJournal rewrites a journal that has grown, with what the machine is now.
// Everything the machine asked for so far was given to the journal before.
func (a *Agent) tidyJournal() {
	if a.rewriting || !a.options.Journal.Grown() {
		return
	}
	a.rewriting = true
	a.options.Journal.Rewrite(a.machine.Snapshot(), func(err error) {
		a.sys.Do(a.sys.PID(Name), func(c *actors.Context) {
			if err == nil {
				a.rewriting = false
				return
			}
			// There was no room, or the next Append fails as well, and ends the agent.
			a.log.Error("The journal was not rewritten", zap.Error(err))
			c.After(rewriteRetry, func() { a.rewriting = false })
		})
	})
}

// rewriteRetry is the wait after a rewrite that failed: it costs a snapshot.
const rewriteRetry = time.Minute

// write logs a note.
func (a *Agent) write(n state.Note) {
	level := [...]func(string, ...zap.Field){state.Debug: a.log.Debug, state.Info: a.log.Info, state.Warn: a.log.Warn}[n.Level]
	fields := make([]zap.Field, 0, len(n.Fields))
	for _, f := range n.Fields {
		fields = append(fields, zap.String(f.Name, f.Value))
	}
	level(n.Text, fields...)
}
