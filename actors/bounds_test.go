package actors

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"
)

// until asks again and again whether something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); !holds(); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("still not: %s", what)
		}
	}
}

func infoOf(t *testing.T, s *System, name string) ActorInfo {
	t.Helper()
	for _, i := range s.Actors() {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("no actor %s", name)
	panic("unreachable")
}

// occupied is an actor that is busy until release is closed.
func occupied(t *testing.T, s *System, release <-chan struct{}, o ...SpawnOption) PID {
	t.Helper()
	p := spawn(t, s, "slow", func(c *Context) {
		Handle(c, func(*Context, *durationpb.Duration) {})
		Handle(c, func(*Context, *wrapperspb.BytesValue) {})
	}, o...)
	entered := make(chan struct{})
	s.Do(p, func(*Context) {
		close(entered)
		<-release
	})
	<-entered
	return p
}

func TestAFloodIsBoundedByMessages(t *testing.T) {
	s := newSystem(t, Options{Limits: Limits{MailboxMessages: 5000}})
	release := make(chan struct{})
	p := occupied(t, s, release, WithMailbox(Limits{MailboxMessages: 100}))
	for i := range 1000 {
		s.Send(p, number(i))
	}
	ran := false
	s.Do(p, func(*Context) { ran = true }) // is the actor's own, so it fits
	if i := infoOf(t, s, "slow"); i.Depth != 101 || i.Refused != 900 {
		t.Errorf("depth %d and %d refused, want 101 and 900", i.Depth, i.Refused)
	}
	if l := s.DeadLetters(); len(l) != 1 || l[0].Count != 900 || l[0].Reason != "mailbox full" || l[0].To != p {
		t.Errorf("dead letters %+v", l)
	}
	close(release)
	settle(t, s, p)
	s.Send(p, number(1))
	settle(t, s, p)
	if i := infoOf(t, s, "slow"); i.Depth != 0 || i.Refused != 900 || i.Handled != 1+100+1+1+1+1 || !ran {
		t.Errorf("afterwards: %+v, ran %t", i, ran)
	}
}

func TestAFloodFromAPeerIsBoundedByBytes(t *testing.T) {
	a := listening(t)
	b := newSystem(t, Options{Listen: "127.0.0.1:0", Limits: Limits{MailboxBytes: 1 << 20}})
	release := make(chan struct{})
	p := occupied(t, b, release)
	big := wrapperspb.Bytes(make([]byte, 100<<10))
	const sent = 50
	for range sent {
		a.Send(p, big)
	}
	until(t, "all have come", func() bool {
		i := infoOf(t, b, "slow")
		return i.Depth+i.Refused == sent
	})
	if i := infoOf(t, b, "slow"); i.Bytes > 1<<20 || i.Depth != 10 || i.Refused != 40 {
		t.Errorf("%d bytes in %d messages, %d refused; want at most 1 MiB, 10 and 40", i.Bytes, i.Depth, i.Refused)
	}
	if l := b.DeadLetters(); len(l) != 1 || l[0].Count != 40 || l[0].From.Address != a.Address() {
		t.Errorf("dead letters %+v", l)
	}
	close(release)
	settle(t, b, p)
	if i := infoOf(t, b, "slow"); i.Bytes != 0 || i.Depth != 0 {
		t.Errorf("afterwards: %+v", i)
	}
}

// An actor that had a great burst, and one that had few messages, are both
// small again when idle.
func TestQueuesGiveTheirMemoryBack(t *testing.T) {
	s := newSystem(t, Options{})
	release := make(chan struct{})
	p := occupied(t, s, release)
	for i := range 100_000 {
		s.Send(p, number(i))
	}
	close(release)
	settle(t, s, p)
	until(t, "the queue is small", func() bool {
		b := &s.table.get("slow").box
		b.mu.Lock()
		defer b.mu.Unlock()
		return !b.scheduled && cap(b.in) <= idleSlots && cap(b.out) <= idleSlots
	})
}

func TestQueuesOfAnyLengthKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b mailbox
		next, expected := uint64(0), uint64(0)
		take := func(most int) {
			for range most {
				if b.dry() {
					b.out, b.next = b.out[:0], 0
					if !b.pull() {
						break
					}
				}
				e := &b.out[b.next]
				if b.next++; e.ask != expected {
					t.Fatalf("envelope %d is %d", expected, e.ask)
				}
				expected++
				*e = envelope{}
			}
			if b.dry() && len(b.in) == 0 && b.between == nil {
				b.in, b.out, b.next = shrink(b.in), shrink(b.out[:0]), 0
				if cap(b.in) > idleSlots || cap(b.out) > idleSlots {
					t.Fatalf("idle with room for %d and %d", cap(b.in), cap(b.out))
				}
			}
		}
		for _, n := range rapid.SliceOfN(rapid.IntRange(-3000, 3000), 1, 30).Draw(t, "posted and taken") {
			take(-n)
			for range n {
				b.push(envelope{ask: next})
				next++
			}
		}
		rest := b.rest()
		for _, e := range rest {
			if e.ask != expected {
				t.Fatalf("of the rest, envelope %d is %d", expected, e.ask)
			}
			expected++
		}
		if expected != next {
			t.Fatalf("%d of %d came out", expected, next)
		}
	})
}
