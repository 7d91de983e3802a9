package containers

import (
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

const (
	// As messages/cluster has it: pieces that are on their way.
	outputWindow = 16
	inputWindow  = 4
)

// visit is the actor of one request. What it hears is read from its channels;
// all have room for what may come.
type visit struct {
	agent actors.PID
	host  actors.PID // zero until the agent has named it
	call  *agent.Call

	answers chan *cluster.ContainerAnswer
	output  chan *agent.ProcessIO
	// The end of the output.
	ended chan *cluster.ContainerOutputEnd
	taken chan *cluster.ContainerInputTaken
	left  chan *cluster.ContainerInputLeft
	// Closed when the host is gone, or does what it must not.
	lost chan struct{}
}

func newVisit(to actors.PID, call *agent.Call) *visit {
	return &visit{
		agent: to, call: call, answers: make(chan *cluster.ContainerAnswer, 1),
		output: make(chan *agent.ProcessIO, outputWindow), ended: make(chan *cluster.ContainerOutputEnd, 1),
		taken: make(chan *cluster.ContainerInputTaken, inputWindow+1), left: make(chan *cluster.ContainerInputLeft, 1),
		lost: make(chan struct{}),
	}
}

// Init sends the call to the agent.
func (v *visit) Init(c *actors.Context) {
	actors.Handle(c, v.sent)
	hear(c, v.answers, func(c *actors.Context) bool { return c.Sender() == v.agent || v.ofHost(c) })
	hear(c, v.ended, v.ofHost)
	hear(c, v.taken, v.ofHost)
	hear(c, v.left, v.ofHost)
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerOutput) {
		if v.ofHost(c) {
			pass(c, v.output, m.GetIo())
		}
	})
	c.HandleExited(func(c *actors.Context, _ actors.Exited) { c.Stop() })
	c.Send(v.agent, &cluster.ContainerCall{Call: v.call})
}

// Finalize tells whoever waits that nothing more comes.
func (v *visit) Finalize(*actors.Context) { close(v.lost) }

func (v *visit) ofHost(c *actors.Context) bool {
	from := c.Sender()
	return from.Name == v.host.Name && from.Address == v.host.Address
}

// sent learns which host has the call.
func (v *visit) sent(c *actors.Context, m *cluster.ContainerCallSent) {
	if c.Sender() != v.agent {
		return
	}
	host, err := address.Parse(m.GetHost())
	if err != nil {
		c.Stop() // the agent would not
		return
	}
	v.host = host
	c.Link(host)
}

// hear passes messages on that may come.
func hear[M proto.Message](c *actors.Context, to chan M, may func(*actors.Context) bool) {
	actors.Handle(c, func(c *actors.Context, m M) {
		if may(c) {
			pass(c, to, m)
		}
	})
}

// pass gives up on a host that sends more than there is room for.
func pass[T any](c *actors.Context, to chan T, v T) {
	select {
	case to <- v:
	default:
		c.Stop()
	}
}
