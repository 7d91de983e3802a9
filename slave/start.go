package slave

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"troupe/actors"
	"troupe/slave/state"
)

// Service is an agent that was started. It ends when the master or an operator
// orders it to, or when its journal fails; the process must exit then. Closing
// the actor system instead leaves every task running.
type Service struct {
	agent  *Agent
	end    sync.Once
	done   chan struct{}
	reason string
	err    error
}

// Start spawns the agent's actor.
func Start(sys *actors.System, o Options) (*Service, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	o.Config.Sandbox = func(agent string, f state.FrameworkID, e state.ExecutorID, c state.ContainerID) string {
		return o.Sandboxes.Run(agent, string(f), string(e), string(c))
	}
	o.Config.StandaloneSandbox = func(c state.ContainerID) string { return o.Sandboxes.Standalone(string(c)) }
	o.Config.VolumeFolder = o.Volumes.Path
	if o.Config.Endpoint == "" {
		o.Config.Endpoint = sys.Address()
	}
	o.Config.Seed = [2]uint64{rand.Uint64(), rand.Uint64()}
	s := &Service{done: make(chan struct{})}
	s.agent = &Agent{options: o, sys: sys, service: s, machine: state.New(o.Config)}
	if _, err := sys.Spawn(Name, s.agent); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	return s, nil
}

// Done is closed when the agent has ended.
func (s *Service) Done() <-chan struct{} { return s.done }

// End says why the agent has ended; err is nil if it was ordered. Valid after
// Done is closed.
func (s *Service) End() (reason string, err error) { return s.reason, s.err }

// SetMaster tells of a new leading master, or of none by the zero PID.
func (s *Service) SetMaster(master actors.PID) {
	var p state.Peer
	if !master.IsZero() {
		p = state.Peer(master.String())
	}
	s.agent.later(state.MasterDetected{Master: p})
}

// Leave has the agent end every task, and then itself, however long that takes; what
// does not end is killed. It returns at once; see Done.
func (s *Service) Leave(reason string) { s.agent.later(state.ShutdownOrdered{Reason: reason}) }

// Shutdown ends every task, then the agent, and waits for it. Tasks get their
// grace; when ctx ends first, what is left is not waited for.
func (s *Service) Shutdown(ctx context.Context, reason string) error {
	s.Leave(reason)
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("shut the agent down: %w", errors.Join(ctx.Err(), s.err))
	}
}

func (s *Service) finish(reason string, err error) {
	s.end.Do(func() {
		s.reason, s.err = reason, err
		close(s.done)
	})
}
