package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/actors/remote"
)

const (
	peerProcesses = 4
	peerCount     = 10_000
	peerRounds    = 30
)

// center is the actor that all peers are linked to.
type center struct {
	known  []actors.PID
	want   int
	all    chan struct{} // closed when all have come
	pongs  int
	round  chan struct{} // told when all have answered
	exited atomic.Int64
}

func (x *center) Init(c *actors.Context) {
	c.HandleExited(func(*actors.Context, actors.Exited) { x.exited.Add(1) })
	actors.Handle(c, func(c *actors.Context, _ *emptypb.Empty) {
		x.known = append(x.known, c.Sender())
		c.Link(c.Sender())
		if len(x.known) == x.want {
			close(x.all)
		}
	})
	actors.Handle(c, func(*actors.Context, *wrapperspb.BytesValue) {
		if x.pongs++; x.pongs == len(x.known) {
			x.pongs = 0
			x.round <- struct{}{}
		}
	})
}

// ping sends a message to each peer.
func (x *center) ping(m proto.Message) func(c *actors.Context) {
	return func(c *actors.Context) {
		for _, p := range x.known {
			c.Send(p, m)
		}
	}
}

// peers is the work of that name. What it measures is the one system in this
// process; the peers are transports without actors in others.
func peers(ctx context.Context, l load) (figures []figure, err error) {
	each := l.of(peerCount / peerProcesses)
	plain, err := plainPeers(ctx, each)
	if err != nil {
		return nil, err
	}
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	x := &center{want: each * peerProcesses, all: make(chan struct{}), round: make(chan struct{})}
	pid, err := s.Spawn("center", x)
	if err != nil {
		return nil, err
	}
	before := readMemory()
	start := time.Now()
	for range peerProcesses {
		c, err := startChild(ctx, "peers", s.Address(), strconv.Itoa(each))
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.end()) }()
	}
	if err := wait(ctx, x.all, "all peers have come"); err != nil {
		return nil, err
	}
	joined := time.Since(start)
	cpu, took, err := pingAll(ctx, s, pid, x)
	if err != nil {
		return nil, err
	}
	after := readMemory()
	n := float64(x.want)
	if left := x.exited.Load(); left > 0 {
		return nil, fmt.Errorf("%d of %d peers exited", left, x.want)
	}
	return []figure{
		{what: "heap per peer", value: after.heapOver(before) / n / 1024, unit: "KiB", target: target{atMost: 24}},
		{what: "stacks per peer", value: float64(after.stacks-before.stacks) / n / 1024, unit: "KiB"},
		{what: "goroutines per peer", value: float64(after.goroutines-before.goroutines) / n, target: target{atMost: 3.01}},
		{what: "CPU per ping and pong", value: cpu.Seconds() * 1e6 / n / peerRounds, unit: "µs", target: target{atMost: 12}},
		{what: "CPU of the same over plain TCP", value: plain.Seconds() * 1e6 / n / peerRounds, unit: "µs"},
		{what: "a round over all", value: took.Seconds() * 1e3 / peerRounds, unit: "ms"},
		{what: "until all had come", value: joined.Seconds(), unit: "s"},
	}, nil
}

// plainPeers is the CPU time of the rounds over plain TCP.
func plainPeers(ctx context.Context, each int) (cpu time.Duration, err error) {
	p, err := newPlain(ctx, peerProcesses, each)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	return p.pingAll(peerRounds)
}

// pingAll runs the rounds, one before the count, and gives this process's CPU
// time and the time that they took.
func pingAll(ctx context.Context, s *actors.System, pid actors.PID, x *center) (cpu, took time.Duration, err error) {
	m := hundredBytes()
	var start time.Time
	var used time.Duration
	for i := range peerRounds + 1 {
		s.Do(pid, x.ping(m))
		if err := wait(ctx, x.round, "all peers have answered"); err != nil {
			return 0, 0, err
		}
		if i == 0 {
			if used, err = cpuTime(); err != nil {
				return 0, 0, err
			}
			start = time.Now()
		}
	}
	took = time.Since(start)
	now, err := cpuTime()
	return now - used, took, err
}

// peersPatience bounds the waits of this work.
const peersPatience = 2 * time.Minute

func wait(ctx context.Context, c <-chan struct{}, what string) error {
	timer := time.NewTimer(peersPatience)
	defer timer.Stop()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("waited %v until %s", peersPatience, what)
	}
}

// peer is a system without actors that sends back what it gets.
type peer struct {
	transport *remote.Transport
	self, to  address.PID
}

func (p *peer) Deliver(d *remote.Delivery) remote.Work {
	if err := p.transport.Send(d.To, d.From, d.Message); err != nil && !errors.Is(err, remote.ErrClosed) {
		panic(err) // nothing here may fail, and the parent sees the end
	}
	return nil
}
func (p *peer) DeadLetter(_, _ address.PID, _ protoreflect.FullName, _ error)         {}
func (p *peer) Rejected(_, _ address.PID, _ string, _ protoreflect.FullName, _ error) {}
func (p *peer) Watch(_, _ address.PID)                                                {}
func (p *peer) Unwatch(_, _ address.PID)                                              {}

// join links the center; when that fails, as it may while thousands try, it is
// called again.
func (p *peer) join() {
	p.transport.Link(p.self, p.to)
	if err := p.transport.Send(p.self, p.to, &emptypb.Empty{}); err != nil && !errors.Is(err, remote.ErrClosed) {
		panic(err) // nothing here may fail, and the parent sees the end
	}
}

// Exited implements remote.Receiver.
func (p *peer) Exited(_, _ address.PID, reason string) {
	if strings.HasPrefix(reason, remote.Unreachable.Error()) {
		p.join()
	}
}

// peersRole is a process with many systems, each linked to the one of the
// first argument; the second says how many.
func peersRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("arguments %q, want an address and a number", args)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	to := address.PID{Name: "center", Address: args[0]}
	var all []*peer
	for i := range n {
		p := &peer{}
		name := fmt.Sprintf("%d-%d", unix.Getpid(), i)
		p.transport, err = remote.New(remote.Config{Address: "peer:0", Incarnation: name, Receiver: p})
		if err != nil {
			return err
		}
		p.self, p.to = address.PID{Name: "peer", Address: "peer:0", Incarnation: name}, to
		p.transport.Start()
		p.join()
		all = append(all, p)
	}
	fmt.Fprintln(out, "started")
	if err := untilEOF(in); err != nil {
		return err
	}
	return closeAll(all)
}

func closeAll(all []*peer) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	var group sync.WaitGroup
	errs := make([]error, len(all))
	for i, p := range all {
		group.Go(func() { errs[i] = p.transport.Close(ctx) })
	}
	group.Wait()
	return errors.Join(errs...)
}
