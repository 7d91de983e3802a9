package bare

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Names of a Node's actors.
const (
	echo = "echo"
	sink = "sink"
)

// Node is a system with protoactor's remote, on a free port of loopback.
type Node struct {
	sys    *actor.ActorSystem
	remote *remote.Remote
}

// NewNode starts a node with two actors for others: one sends back what it
// gets, one counts, and tells who greeted it of each window that is full.
func NewNode(window int) (*Node, error) {
	sys := newSystem()
	n := &Node{sys: sys, remote: remote.NewRemote(sys, remote.Configure("127.0.0.1", 0))}
	n.remote.Start()
	_, err := sys.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		if c.Sender() != nil {
			c.Respond(c.Message())
		}
	}), echo)
	if err != nil {
		return nil, err
	}
	count := 0
	var greeter *actor.PID
	_, err = sys.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch c.Message().(type) {
		case *emptypb.Empty:
			greeter = c.Sender()
			c.Send(greeter, &emptypb.Empty{})
		case *wrapperspb.BytesValue:
			if count++; count%window == 0 {
				c.Send(greeter, &emptypb.Empty{})
			}
		}
	}), sink)
	return n, err
}

// Address is where the node listens.
func (n *Node) Address() string { return n.sys.Address() }

// Close ends the node without waiting for what is under way.
func (n *Node) Close() { n.remote.Shutdown(false) }

// PingPong exchanges n messages with the echo of the node at the address, one
// at a time, and gives the time of each.
func (n *Node) PingPong(addr string, count int, m proto.Message) []time.Duration {
	times := make([]time.Duration, 0, count)
	done := make(chan struct{})
	var sent time.Time
	to := actor.NewPID(addr, echo)
	send := func(c actor.Context) {
		sent = time.Now()
		c.Request(to, m)
	}
	pinger := n.sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch c.Message().(type) {
		case *emptypb.Empty:
			send(c)
		case *wrapperspb.BytesValue:
			times = append(times, time.Since(sent))
			if len(times) < count {
				send(c)
			} else {
				close(done)
			}
		}
	}))
	n.sys.Root.Send(pinger, &emptypb.Empty{})
	<-done
	return times
}

// OneWay sends n messages to the sink of the node at the address, at most two
// windows of them unheard of, and gives the time until all are handled there.
func (n *Node) OneWay(addr string, count, window int, m proto.Message) time.Duration {
	told := make(chan struct{}, count/window+2)
	collector := n.sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*emptypb.Empty); ok {
			told <- struct{}{}
		}
	}))
	to := actor.NewPID(addr, sink)
	n.sys.Root.RequestWithCustomSender(to, &emptypb.Empty{}, collector)
	<-told // linked
	told <- struct{}{}
	start := time.Now()
	for i := range count {
		if i%window == 0 {
			<-told
		}
		n.sys.Root.Send(to, m)
	}
	<-told
	return time.Since(start)
}
