package executor

import (
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/mesos/executor"
)

// gateway is one subscription: to the agent's actor it is a native executor. It
// ends with its stream, and its stream with it.
type gateway struct {
	agent      actors.PID
	subscribe  *executor.Call
	stream     *carrier.Stream
	subscribed bool // the agent said so
}

// Init subscribes.
func (g *gateway) Init(c *actors.Context) {
	actors.Handle(c, g.event)
	c.Send(g.agent, g.subscribe)
	g.subscribe = nil
}

// Finalize ends the stream, however the gateway ends.
func (g *gateway) Finalize(*actors.Context) { g.stream.End(nil) }

// event passes on what the agent says. One that ends the subscription before it
// began is the last.
func (g *gateway) event(c *actors.Context, e *executor.Event) {
	if from := c.Sender(); from.Name != g.agent.Name || from.Address != g.agent.Address {
		return // anybody may know this actor's name
	}
	if err := g.stream.Send(e); err != nil {
		c.Stop()
		return
	}
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		g.subscribed = true
	case executor.Event_SHUTDOWN, executor.Event_ERROR:
		if !g.subscribed {
			c.Stop()
		}
	}
}

func event(t executor.Event_Type) *executor.Event { return &executor.Event{Type: t.Enum()} }

// tooSlow is the last event of a client that was cut off.
func tooSlow() *executor.Event {
	e := event(executor.Event_ERROR)
	e.Error = &executor.Event_Error{Message: proto.String("the events were not read as fast as they came: subscribe again")}
	return e
}
