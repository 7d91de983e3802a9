package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/bare"
)

// nodeWindow is how many messages a sink counts before it tells the sender.
const nodeWindow = 50_000

// nodeRole is a process with an actor that echoes and one that counts.
func nodeRole(_ []string, in io.Reader, out io.Writer) error {
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	_, err = s.Spawn("echo", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(c *actors.Context, m *wrapperspb.BytesValue) { c.Reply(m) })
	}))
	if err != nil {
		return err
	}
	count := 0
	var greeter actors.PID
	_, err = s.Spawn("sink", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(c *actors.Context, m *emptypb.Empty) {
			greeter = c.Sender()
			c.Reply(m)
		})
		actors.Handle(c, func(c *actors.Context, _ *wrapperspb.BytesValue) {
			if count++; count%nodeWindow == 0 {
				c.Send(greeter, &emptypb.Empty{})
			}
		})
	}))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.Address())
	return errors.Join(untilEOF(in), end(s))
}

// bareRole is the same with protoactor alone.
func bareRole(_ []string, in io.Reader, out io.Writer) error {
	n, err := bare.NewNode(nodeWindow)
	if err != nil {
		return err
	}
	defer n.Close()
	fmt.Fprintln(out, n.Address())
	return untilEOF(in)
}

// pair is a system here and one in a child, of each kind.
type pair struct {
	ours, theirs     *child
	system           *actors.System
	node             *bare.Node
	ourEnd, theirEnd string // addresses of the children
}

func newPair(ctx context.Context) (p *pair, err error) {
	p = &pair{}
	if p.system, err = actors.New(actors.Options{}); err != nil {
		return nil, err
	}
	if p.node, err = bare.NewNode(nodeWindow); err != nil {
		return nil, errors.Join(err, p.end())
	}
	if p.ours, err = startChild(ctx, "node"); err != nil {
		return nil, errors.Join(err, p.end())
	}
	if p.theirs, err = startChild(ctx, "bare"); err != nil {
		return nil, errors.Join(err, p.end())
	}
	p.ourEnd, p.theirEnd = p.ours.ready, p.theirs.ready
	return p, nil
}

func (p *pair) end() error {
	errs := []error{end(p.system)}
	for _, c := range []*child{p.ours, p.theirs} {
		if c != nil {
			errs = append(errs, c.end())
		}
	}
	if p.node != nil {
		p.node.Close()
	}
	return errors.Join(errs...)
}

// pingPong is the work ping-pong.
func pingPong(ctx context.Context, l load) (figures []figure, err error) {
	p, err := newPair(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	tcp, err := newPlain(ctx, 1, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tcp.end()) }()
	n := l.of(20_000)
	m := hundredBytes()
	var ours, theirs, bytes []time.Duration
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		times, err := p.pingPong(n, m)
		if err != nil {
			return nil, err
		}
		ours = better(ours, times)
		theirs = better(theirs, p.node.PingPong(p.theirEnd, n, m))
		if times, err = tcp.pingPong(n); err != nil {
			return nil, err
		}
		bytes = better(bytes, times)
	}
	return []figure{
		{what: "p50", value: micro(ours, 50), unit: "µs", target: target{atMost: 30}},
		{what: "p99", value: micro(ours, 99), unit: "µs"},
		{what: "p50, protoactor", value: micro(theirs, 50), unit: "µs"},
		{what: "p99, protoactor", value: micro(theirs, 99), unit: "µs"},
		{what: "p50, plain TCP", value: micro(bytes, 50), unit: "µs"},
	}, nil
}

// better sorts times and gives the better of two sorted ones, by the median.
func better(best, times []time.Duration) []time.Duration {
	slices.Sort(times)
	if best == nil || times[len(times)/2] < best[len(best)/2] {
		return times
	}
	return best
}

// micro is a percentile of sorted times, in µs.
func micro(sorted []time.Duration, percent int) float64 {
	return float64(sorted[min(len(sorted)*percent/100, len(sorted)-1)].Nanoseconds()) / 1e3
}

// pingPong is what bare's does, with this module's actors.
func (p *pair) pingPong(n int, m *wrapperspb.BytesValue) ([]time.Duration, error) {
	times := make([]time.Duration, 0, n)
	done := make(chan struct{})
	to := actors.PID{Name: "echo", Address: p.ourEnd}
	var sent time.Time
	send := func(c *actors.Context) {
		sent = time.Now()
		c.Send(to, m)
	}
	pinger, err := p.system.Spawn("", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(c *actors.Context, _ *wrapperspb.BytesValue) {
			times = append(times, time.Since(sent))
			if len(times) < n {
				send(c)
			} else {
				close(done)
			}
		})
	}))
	if err != nil {
		return nil, err
	}
	p.system.Do(pinger, send)
	<-done
	return times, nil
}

// oneWay is the work one-way.
func oneWay(ctx context.Context, l load) (figures []figure, err error) {
	p, err := newPair(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	n := max(nodeWindow, l.of(1_500_000)/nodeWindow*nodeWindow)
	m := hundredBytes()
	ourCPU, theirCPU := meter{child: p.ours}, meter{child: p.theirs}
	ours, theirs, err := compare(ctx, n,
		func() (time.Duration, error) {
			return ourCPU.around(func() (time.Duration, error) { return p.oneWay(n, m) })
		},
		func() (time.Duration, error) {
			return theirCPU.around(func() (time.Duration, error) { return p.node.OneWay(p.theirEnd, n, nodeWindow, m), nil })
		})
	if err != nil {
		return nil, err
	}
	return append(beside("one way", ours, theirs, target{atLeast: 1.3}),
		figure{what: "CPU of both per message", value: ourCPU.least.Seconds() * 1e6 / float64(n), unit: "µs"},
		figure{what: "CPU of both, protoactor", value: theirCPU.least.Seconds() * 1e6 / float64(n), unit: "µs"},
	), nil
}

// oneWay is what bare's does, with this module's actors.
func (p *pair) oneWay(n int, m *wrapperspb.BytesValue) (time.Duration, error) {
	told := make(chan struct{}, n/nodeWindow+2)
	to := actors.PID{Name: "sink", Address: p.ourEnd}
	collector, err := p.system.Spawn("", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(*actors.Context, *emptypb.Empty) { told <- struct{}{} })
	}))
	if err != nil {
		return 0, err
	}
	p.system.Do(collector, func(c *actors.Context) { c.Send(to, &emptypb.Empty{}) })
	<-told // linked
	told <- struct{}{}
	start := time.Now()
	for i := range n {
		if i%nodeWindow == 0 {
			<-told
		}
		p.system.Send(to, m)
	}
	<-told
	return time.Since(start), nil
}
