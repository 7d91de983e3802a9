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
	fewPeers      = 300
	fewRounds     = 600
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
// process; the peers are transports without actors in others. The CPU time is
// taken with few peers, too, whose memory fits into the processor's caches.
func peers(ctx context.Context, l load) ([]figure, error) {
	few, err := linked(ctx, fewPeers/peerProcesses, l.of(fewRounds))
	if err != nil {
		return nil, err
	}
	fewPlain, err := plainPeers(ctx, fewPeers/peerProcesses, l.of(fewRounds))
	if err != nil {
		return nil, err
	}
	each := l.of(peerCount / peerProcesses)
	many, err := linked(ctx, each, peerRounds)
	if err != nil {
		return nil, err
	}
	manyPlain, err := plainPeers(ctx, each, peerRounds)
	if err != nil {
		return nil, err
	}
	return []figure{
		{what: "heap per peer", value: many.heap / 1024, unit: "KiB", target: target{atMost: 24}},
		{what: "stacks per peer", value: many.stacks / 1024, unit: "KiB"},
		{what: "goroutines per peer", value: many.goroutines, target: target{atMost: 3.01}},
		{what: "CPU per ping and pong", value: many.cpu, unit: "µs", target: target{atMost: 12}},
		{what: "CPU of the same over plain TCP", value: manyPlain, unit: "µs"},
		{what: "CPU per ping and pong, 300 peers", value: few.cpu, unit: "µs", target: target{atMost: 12}},
		{what: "CPU of the same over plain TCP", value: fewPlain, unit: "µs"},
		{what: "a round over all", value: many.round.Seconds() * 1e3, unit: "ms"},
		{what: "until all had come", value: many.joined.Seconds(), unit: "s"},
	}, nil
}

// perPeer is what was measured, of bytes and goroutines the share of one peer.
type perPeer struct {
	heap, stacks, goroutines float64
	cpu                      float64 // µs per ping and pong
	round, joined            time.Duration
}

// linked measures a system with so many peers in each of some processes.
func linked(ctx context.Context, each, rounds int) (got perPeer, err error) {
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	x := &center{want: each * peerProcesses, all: make(chan struct{}), round: make(chan struct{})}
	pid, err := s.Spawn("center", x)
	if err != nil {
		return got, err
	}
	before := readMemory()
	start := time.Now()
	for range peerProcesses {
		c, err := startChild(ctx, "peers", s.Address(), strconv.Itoa(each))
		if err != nil {
			return got, err
		}
		defer func() { err = errors.Join(err, c.end()) }()
	}
	if err := wait(ctx, x.all, "all peers have come"); err != nil {
		return got, err
	}
	got.joined = time.Since(start)
	cpu, took, err := pingAll(ctx, s, pid, x, rounds)
	if err != nil {
		return got, err
	}
	after := readMemory()
	n := float64(x.want)
	got.heap, got.stacks = after.heapOver(before)/n, float64(after.stacks-before.stacks)/n
	got.goroutines = float64(after.goroutines-before.goroutines) / n
	got.cpu = cpu.Seconds() * 1e6 / n / float64(rounds)
	got.round = took / time.Duration(rounds)
	if left := x.exited.Load(); left > 0 {
		return got, fmt.Errorf("%d of %d peers exited", left, x.want)
	}
	return got, nil
}

// plainPeers is the CPU time of a ping and pong over plain TCP, in µs.
func plainPeers(ctx context.Context, each, rounds int) (cpu float64, err error) {
	p, err := newPlain(ctx, peerProcesses, each)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	used, err := p.pingAll(rounds)
	return used.Seconds() * 1e6 / float64(each*peerProcesses*rounds), err
}

// pingAll runs the rounds, one before the count, and gives this process's CPU
// time and the time that they took.
func pingAll(ctx context.Context, s *actors.System, pid actors.PID, x *center, rounds int) (cpu, took time.Duration, err error) {
	m := hundredBytes()
	var start time.Time
	var used time.Duration
	for i := range rounds + 1 {
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
