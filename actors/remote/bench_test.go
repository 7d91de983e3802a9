package remote

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors/address"
)

func benchSystem(b *testing.B, hook func(from, to address.PID, principal string, m proto.Message)) *system {
	b.Helper()
	r := newRecorder()
	r.hook = hook
	return start(b, Config{Receiver: r})
}

// BenchmarkPingPong measures a round trip between two systems of one process.
func BenchmarkPingPong(b *testing.B) {
	back := make(chan struct{}, 1)
	var y *system
	msg := wrapperspb.Bytes(make([]byte, 100))
	x := benchSystem(b, func(_, _ address.PID, _ string, _ proto.Message) { back <- struct{}{} })
	y = benchSystem(b, func(from, to address.PID, _ string, _ proto.Message) {
		if err := y.Send(to, from, msg); err != nil {
			b.Error(err)
		}
	})
	from, to := x.pid("x"), y.pid("y")
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Send(from, to, msg); err != nil {
			b.Fatal(err)
		}
		<-back
	}
}

// BenchmarkOneWay measures messages of 100 bytes from one sender, as many at a
// time as half the budget holds.
func BenchmarkOneWay(b *testing.B) {
	const window = 100_000
	tokens := make(chan struct{}, 2)
	got := 0
	msg := wrapperspb.Bytes(make([]byte, 100))
	x := benchSystem(b, nil)
	y := benchSystem(b, func(_, _ address.PID, _ string, _ proto.Message) {
		if got++; got%window == 0 {
			tokens <- struct{}{}
		}
	})
	tokens <- struct{}{}
	from, to := x.pid("x"), y.pid("y")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%window == 0 {
			<-tokens
		}
		if err := x.Send(from, to, msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPingPongTwoProcesses measures a round trip to another process.
func BenchmarkPingPongTwoProcesses(b *testing.B) {
	back := make(chan struct{}, 1)
	x := benchSystem(b, func(_, _ address.PID, _ string, _ proto.Message) { back <- struct{}{} })
	to := spawnChild(b).echo
	msg := wrapperspb.Bytes(make([]byte, 100))
	from := x.pid("x")
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Send(from, to, msg); err != nil {
			b.Fatal(err)
		}
		<-back
	}
}

// BenchmarkPulse measures one round of the pulse over 50,000 quiet links.
func BenchmarkPulse(b *testing.B) {
	s := start(b, Config{})
	const links = 50_000
	peers := make([]*peer, links)
	for i := range peers {
		p := &peer{t: s.Transport}
		p.link = newLink(p, greeting{}, 1)
		peers[i] = p
	}
	for b.Loop() {
		round := beat{now: s.now(), every: 1}
		for _, p := range peers {
			p.beat(round)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/links, "ns/link")
}
