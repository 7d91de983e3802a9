package scheduler

import (
	"errors"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	calls "troupe/messages/mesos/scheduler"
)

// gateway is the actor of one subscription. It lives as long as the stream.
type gateway struct {
	master    actors.PID
	subscribe *calls.Call
	stream    *carrier.Stream
	// subscribed is called when the master says as which framework.
	subscribed func(framework string)
	// ended is called once the gateway is no more.
	ended func()
}

// Init subscribes.
func (g *gateway) Init(c *actors.Context) {
	actors.Handle(c, g.event)
	actors.Handle(c, func(c *actors.Context, r *calls.APIResult) {
		c.Log().Info("The master refused part of a call", zap.Uint32("status", r.GetStatusCode()), zap.String("error", r.GetError()))
	})
	actors.Handle(c, func(c *actors.Context, _ *cluster.NotLeading) { c.Stop() })
	c.HandleExited(func(c *actors.Context, _ actors.Exited) { c.Stop() })
	c.Link(g.master)
	c.Send(g.master, g.subscribe)
	g.subscribe = nil
}

// Finalize ends the stream behind what is waiting in it.
func (g *gateway) Finalize(*actors.Context) {
	g.ended()
	g.stream.End(nil)
}

// event gives an event to the client. An ERROR is the last.
func (g *gateway) event(c *actors.Context, e *calls.Event) {
	if c.Sender() != g.master {
		return // nobody else speaks for the master
	}
	if e.GetType() == calls.Event_SUBSCRIBED {
		g.subscribed(e.GetSubscribed().GetFrameworkId().GetValue())
	}
	err := g.stream.Send(e)
	switch {
	case errors.Is(err, carrier.ErrSlow):
		c.Log().Warn("A scheduler was cut off: it does not read its events as fast as they come")
		c.Stop()
	case errors.Is(err, carrier.ErrEnded):
		c.Stop()
	case err != nil:
		c.Log().Error("An event could not be written", zap.Error(err))
		c.Stop()
	case e.GetType() == calls.Event_ERROR:
		c.Stop()
	}
}
