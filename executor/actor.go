package executor

import (
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/session"
	"troupe/messages/mesos/executor"
)

// Actor is an executor as an actor: the shell of session.Session, which calls
// a Handler. Run spawns one in a process; a host spawns many.
type Actor struct {
	config  Config
	handler Handler
	system  *actors.System
	session *session.Session
	driver  *Driver
	context *actors.Context
	timers  map[string]*actors.Timer
	log     *zap.Logger
	mute    bool
}

// NewActor makes an executor for s to spawn. Errors name the field of c.
func NewActor(s *actors.System, c Config, h Handler) (*Actor, error) {
	core, err := session.New(session.Config{
		FrameworkID: c.FrameworkID, ExecutorID: c.ExecutorID, Agent: session.Peer(c.Agent.String()),
		RecoveryTimeout: c.RecoveryTimeout, SubscriptionBackoffMax: c.SubscriptionBackoffMax,
		Seed: rand.Uint64(),
	})
	if err != nil {
		return nil, err
	}
	return &Actor{config: c, handler: h, system: s, session: core, timers: map[string]*actors.Timer{}}, nil
}

// Init subscribes. It is called by the system.
func (a *Actor) Init(c *actors.Context) {
	a.context, a.log = c, c.Log()
	a.driver = &Driver{actor: a, system: a.system, context: c}
	actors.Handle(c, func(c *actors.Context, e *executor.Event) {
		a.step(session.Received{From: session.Peer(c.Sender().String()), Message: e})
	})
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		a.step(session.Received{From: session.Peer(c.Sender().String()), Message: m})
	})
	c.HandleExited(func(_ *actors.Context, e actors.Exited) {
		a.step(session.PeerExited{Peer: session.Peer(e.PID.String())})
	})
	a.step(session.Start{})
}

// Driver is the handler's, for whoever spawned the actor. Valid once spawned.
func (a *Actor) Driver() *Driver { return a.driver }

// Mute keeps the executor from telling the agent anything more. It is called among
// the handler's calls, by a host that tells of the end itself.
func (a *Actor) Mute() { a.mute = true }

// Stop ends the actor after the current call. It is called among the
// handler's calls, by a host whose container is gone.
func (a *Actor) Stop() { a.context.Stop() }

func (a *Actor) step(in session.Input) {
	for _, e := range a.session.Step(time.Now(), in) {
		a.perform(e)
	}
}

func (a *Actor) perform(e session.Effect) {
	switch e := e.(type) {
	case session.Send:
		if !a.mute {
			a.context.Send(a.config.Agent, e.Message)
		}
	case session.SetTimer:
		a.timers[e.Key].Stop()
		a.timers[e.Key] = a.context.After(e.After, func() { a.step(session.TimerFired{Key: e.Key}) })
	case session.CancelTimer:
		a.timers[e.Key].Stop()
		delete(a.timers, e.Key)
	case session.Link:
		a.context.Link(a.config.Agent)
	case session.Unlink:
		a.context.Unlink(a.config.Agent)
	case session.Deliver:
		a.deliver(e.Event)
	case session.Ended:
		a.handler.Ended(a.driver, e.Err)
	case session.Note:
		fields := make([]zap.Field, 0, len(e.Fields)/2)
		for i := 0; i+1 < len(e.Fields); i += 2 {
			fields = append(fields, zap.String(e.Fields[i], e.Fields[i+1]))
		}
		a.log.Warn(e.Text, fields...)
	}
}

func (a *Actor) deliver(e *executor.Event) {
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		a.handler.Subscribed(a.driver, e.GetSubscribed())
	case executor.Event_LAUNCH:
		a.handler.Launch(a.driver, e.GetLaunch().GetTask())
	case executor.Event_LAUNCH_GROUP:
		a.handler.LaunchGroup(a.driver, e.GetLaunchGroup().GetTaskGroup().GetTasks())
	case executor.Event_KILL:
		a.handler.Kill(a.driver, e.GetKill().GetTaskId().GetValue(), e.GetKill().GetKillPolicy())
	case executor.Event_ACKNOWLEDGED:
		a.handler.Acknowledged(a.driver, e.GetAcknowledged().GetTaskId().GetValue(), e.GetAcknowledged().GetUuid())
	case executor.Event_MESSAGE:
		a.handler.Message(a.driver, e.GetMessage().GetData())
	case executor.Event_SHUTDOWN:
		a.handler.Shutdown(a.driver)
	}
}
