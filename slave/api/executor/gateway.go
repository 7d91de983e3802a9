package executor

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos/executor"
)

// heartbeatEvery is the pace of HEARTBEAT events.
const heartbeatEvery = 30 * time.Minute

// stream takes the events of one subscription. Its methods do not block.
type stream interface {
	// Send is false when the stream takes no more: the reader is too slow, or gone.
	Send(m proto.Message) bool
	// Close ends the stream after what was sent.
	Close()
}

// gateway is one subscription: to the agent's actor it is a native executor.
// Whatever becomes of its executor it has no opinion of; it ends with its
// stream, and its stream with it.
type gateway struct {
	agent      actors.PID
	subscribe  *executor.Call
	stream     stream
	subscribed bool // the agent said so
	pid        actors.PID
}

// Init subscribes.
func (g *gateway) Init(c *actors.Context) {
	g.pid = c.Self()
	actors.Handle(c, g.event)
	c.Every(heartbeatEvery, func() { g.tell(c, &executor.Event{Type: executor.Event_HEARTBEAT.Enum()}) })
	c.Send(g.agent, g.subscribe)
	g.subscribe = nil
}

// Finalize closes the stream, however the gateway ends.
func (g *gateway) Finalize(*actors.Context) { g.stream.Close() }

// event passes on what the agent says. One that ends the subscription before it
// began is the last.
func (g *gateway) event(c *actors.Context, e *executor.Event) {
	if c.Sender().Name != g.agent.Name || c.Sender().Address != g.agent.Address {
		return
	}
	g.tell(c, e)
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		g.subscribed = true
	case executor.Event_SHUTDOWN, executor.Event_ERROR:
		if !g.subscribed {
			c.Stop()
		}
	}
}

func (g *gateway) tell(c *actors.Context, e *executor.Event) {
	if !g.stream.Send(e) {
		c.Stop()
	}
}
