package service

import (
	"context"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
	calls "troupe/messages/mesos/scheduler"
)

// perform carries out one effect.
func (s *Service) perform(e state.Effect) {
	switch e := e.(type) {
	case state.Persist:
		s.persist(e)
	case state.Answer:
		s.loop.Answer(e.Request, e)
	case state.SetTimer:
		s.loop.SetTimer(e.At, state.TimerFired{})
	case state.PublishRoot:
		s.options.Board.PublishRoot(e)
		s.roles.follow(e.Root, s.driver.SetRoles)
	case state.PublishApp:
		s.options.Board.PublishApp(e)
	case state.PublishDeployments:
		s.options.Board.PublishDeployments(e)
	case state.Event:
		s.metrics.events.WithLabelValues(string(e.Occasion)).Inc()
		s.options.Events(e)
	case state.StartProbes:
		s.prober.Start(e)
	case state.StopProbes:
		s.prober.Stop(e)
	case state.Fail:
		s.log.Error("The framework cannot go on", zap.Error(e.Err))
		s.loop.Fail(e.Err)
	default:
		s.call(e)
	}
}

// call carries out an effect on the cluster.
func (s *Service) call(e state.Effect) {
	switch e := e.(type) {
	case state.Accept:
		s.accept(e)
	case state.Decline:
		s.metrics.offers.WithLabelValues("declined").Inc()
		s.driver.Decline([]*mesos.Offer{e.Offer}, e.For)
	case state.Suppress:
		s.metrics.calls.WithLabelValues("suppress").Inc()
		s.driver.Suppress()
	case state.Revive:
		s.metrics.calls.WithLabelValues("revive").Inc()
		s.driver.Revive()
	case state.KillTask:
		s.metrics.calls.WithLabelValues("kill").Inc()
		s.kill(e)
	case state.Watch:
		s.driver.Watch(e.Task, e.Agent)
	case state.Acknowledge:
		s.driver.Acknowledge(e.Status)
	}
}

// accept uses an offer. What it leaves is wanted at once, if anything is: else it
// would be kept back for five seconds, and an app of many instances would start a few
// at a time.
func (s *Service) accept(e state.Accept) {
	s.metrics.accepted(e.Operations)
	s.driver.Call(&calls.Call{Type: calls.Call_ACCEPT.Enum(), Accept: &calls.Call_Accept{
		OfferIds: []*mesos.OfferID{e.Offer.GetId()}, Operations: e.Operations, Filters: &mesos.Filters{RefuseSeconds: new(0.0)},
	}})
}

// kill ends a task, once nobody uses it.
func (s *Service) kill(e state.KillTask) {
	end := func() { s.driver.Kill(e.Task, graceOf(e.Grace)) }
	if s.options.Quiet == nil {
		end()
		return
	}
	s.quieter.await(e.Task, func(run context.Context) {
		ctx, cancel := context.WithTimeout(run, s.options.QuietFor)
		defer cancel()
		err := s.options.Quiet(ctx, e.Task)
		switch {
		case run.Err() != nil:
			return // the next life asks for it again
		case err != nil:
			s.log.Warn("A task is ended although it may be in use", zap.String("task", e.Task), zap.Error(err))
		}
		end()
	})
}

// graceOf is a grace period as the driver takes it, to whom 0 is the task's own. A
// period of none is the shortest there is.
func graceOf(grace *time.Duration) time.Duration {
	if grace == nil {
		return 0
	}
	return max(*grace, time.Nanosecond)
}

func (s *Service) persist(e state.Persist) {
	changes := make(map[string][]byte, len(e.Changes))
	for _, c := range e.Changes {
		changes[c.Key] = c.Value
	}
	s.loop.Persist(changes, func(err error) state.Input { return state.Persisted{Number: e.Number, Err: err} })
}
