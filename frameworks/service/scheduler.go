package service

import (
	"go.uber.org/zap"

	"troupe/frameworks"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
	mesosscheduler "troupe/messages/mesos/scheduler"
)

// scheduler is the Service as its framework calls it.
type scheduler Service

var _ frameworks.Scheduler = (*scheduler)(nil)

func (s *scheduler) service() *Service { return (*Service)(s) }

// Connected has offers come.
func (s *scheduler) Connected(_ *frameworks.Driver, id string, master *mesos.MasterInfo, _ bool) {
	s.service().set(func(x *Status) { *x = Status{Framework: id, Master: master, Connected: true} })
	s.loop.Put(state.Connected{})
}

// Disconnected voids all offers.
func (s *scheduler) Disconnected(*frameworks.Driver, string) {
	s.service().set(func(x *Status) { x.Master, x.Connected = nil, false })
	s.loop.Put(state.Disconnected{})
}

// Offers are answered by the machine's effects.
func (s *scheduler) Offers(_ *frameworks.Driver, offers []*mesos.Offer) {
	s.metrics.offers.WithLabelValues("received").Add(float64(len(offers)))
	s.loop.Put(state.Offers{Offers: offers})
}

// Rescinded voids an offer.
func (s *scheduler) Rescinded(_ *frameworks.Driver, offer string) {
	s.metrics.offers.WithLabelValues("rescinded").Inc()
	s.loop.Put(state.Rescinded{Offer: offer})
}

// Update is acknowledged when the machine says so: when it is durable.
func (s *scheduler) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	s.metrics.updates.WithLabelValues(st.GetState().String()).Inc()
	s.loop.Put(state.Status{Status: st})
	return false
}

// Message is of an app's own executor, to whom the framework has nothing to say.
func (s *scheduler) Message(*frameworks.Driver, *mesosscheduler.Event_Message) {}

// Failure of an executor is followed by updates of its tasks.
func (s *scheduler) Failure(_ *frameworks.Driver, f *mesosscheduler.Event_Failure) {
	if f.GetExecutorId() == nil && f.GetAgentId() != nil {
		s.loop.Put(state.Lost{Agent: f.GetAgentId().GetValue()})
	}
}

// Refused warns: what was launched comes back as an update, and all else is asked
// for again.
func (s *scheduler) Refused(_ *frameworks.Driver, call *mesosscheduler.Call, err error) {
	s.metrics.refused.Inc()
	s.log.Warn("A call was refused", zap.Stringer("type", call.GetType()), zap.Error(err))
}

// Other is nothing that the framework has asked for.
func (s *scheduler) Other(*frameworks.Driver, *mesosscheduler.Event) {}
