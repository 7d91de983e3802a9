package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors/remote/frame"
)

// quick are limits by which tests need not wait long, and a busy machine is not
// taken for a dead peer.
var quick = Limits{Heartbeat: 100 * time.Millisecond, DeadAfter: 2500 * time.Millisecond, StallAfter: 10 * time.Second, AckDelay: 50 * time.Millisecond}

// TestKilledPeer: a peer dies with messages under way; what it did not take is
// dead, to the last message.
func TestKilledPeer(t *testing.T) {
	a := start(t, Config{})
	p := spawnChild(t)
	a.link("x", p.sink)
	const first, second = 3000, 20_000
	a.fill(p.sink, first)
	eventually(t, "the child has them", func() bool { return p.count() == first })
	eventually(t, "all is acknowledged", func() bool { return a.Peers()[0].QueuedBytes == 0 })
	p.signal(syscall.SIGSTOP)
	a.fill(p.sink, second)
	p.kill()
	a.waitFor(t, "exited x>sink lost", 1)
	a.waitFor(t, "dead x>sink", second)
	if n := a.count("dead"); n != second {
		t.Errorf("%d dead letters, want %d", n, second)
	}
	a.say("x", p.sink, "late")
	a.waitFor(t, "dead x>sink unreachable", 1)
}

// TestStoppedPeer: a process that stands still is noticed in time, and what it
// did not take is dead; going on, it notices too, and may be linked again.
func TestStoppedPeer(t *testing.T) {
	a := start(t, Config{Limits: quick})
	p := spawnChild(t)
	a.link("x", p.echo)
	a.say("x", p.echo, "hello")
	a.waitFor(t, "deliver echo>x hello", 1)
	eventually(t, "all is acknowledged", func() bool { return a.Peers()[0].QueuedBytes == 0 })
	p.signal(syscall.SIGSTOP)
	a.fill(p.sink, 100)
	a.waitFor(t, "exited x>echo lost: the peer was silent for", 1)
	a.waitFor(t, "dead x>sink unconfirmed: lost: the peer was silent for", 100)
	if n := a.count("dead"); n != 100 {
		t.Errorf("%d dead letters, want 100", n)
	}
	p.signal(syscall.SIGCONT)
	eventually(t, "it answers again", func() bool {
		a.say("x", p.echo, "again")
		return a.count("deliver echo>x again") > 0
	})
}

// TestCutCable: when bytes stop to pass, with nothing said, both sides notice.
func TestCutCable(t *testing.T) {
	a, b := start(t, Config{Limits: quick}), start(t, Config{Limits: quick})
	p := newProxy(t, b.cfg.Address)
	y := b.at("y")
	y.Address = p.ln.Addr().String()
	a.link("x", y)
	b.waitFor(t, "watch x>y", 1)
	b.link("y", a.at("x"))
	a.waitFor(t, "watch y>x", 1)
	p.cut()
	a.say("x", y, "into the void")
	a.waitFor(t, "exited x>y lost: the peer was silent for", 1)
	b.waitFor(t, "exited y>x lost: the peer was silent for", 1)
	a.waitFor(t, "dead x>y unconfirmed", 1)
	b.waitFor(t, "unwatch x>y", 1)
	p.pass()
	a.say("x", y, "back")
	b.waitFor(t, "deliver x>y back", 1)
}

// TestQuietLinksLive: heartbeats alone keep a link.
func TestQuietLinksLive(t *testing.T) {
	a, b := start(t, Config{Limits: quick}), start(t, Config{Limits: quick})
	a.link("x", b.at("y"))
	b.waitFor(t, "watch", 1)
	before := a.Peers()[0]
	quiet := time.After(2 * quick.DeadAfter)
	<-quiet
	after := a.Peers()[0]
	if !after.Linked || !after.Since.Equal(before.Since) || a.count("exited") != 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if after.Traffic.BytesIn == before.Traffic.BytesIn || after.Traffic.BytesOut == before.Traffic.BytesOut {
		t.Error("there was no heartbeat")
	}
}

// TestBudget: what goes over a peer's budget is dead, at once and counted, and
// the link with it, so that nothing arrives behind a gap that nobody was told of.
func TestBudget(t *testing.T) {
	lim := Limits{QueueBytes: 1 << 20, MaxMessage: 64 << 10}
	a := start(t, Config{Limits: lim})
	p := spawnChild(t)
	a.link("x", p.sink)
	a.say("x", p.sink, "hello")
	eventually(t, "it is there", func() bool { return p.count() == 1 && a.Peers()[0].QueuedBytes == 0 })
	p.signal(syscall.SIGSTOP)
	const fits = (1 << 20) / (1024 + 3 + messageCost)
	a.fill(p.sink, fits)
	if q := a.Peers()[0].QueuedBytes; q > 1<<20 || a.count("dead") != 0 {
		t.Errorf("%d bytes queued, %d dead", q, a.count("dead"))
	}
	a.fill(p.sink, 1)
	a.waitFor(t, "exited x>sink over budget", 1)
	if got := a.count("dead x>sink over budget"); got != 1 {
		t.Errorf("%d over budget", got)
	}
	eventually(t, "the rest is accounted for", func() bool { return a.count("dead") == fits+1 })
	p.signal(syscall.SIGCONT)
	a.say("x", p.sink, "again")
	eventually(t, "it is there again", func() bool { return p.count() >= 2 })
	if got := a.Totals().Traffic.DeadLetters[OverBudget]; got != 1 {
		t.Errorf("%d counted, want 1", got)
	}
}

// TestBudgetWhileDialing holds for what waits for a link, too.
func TestBudgetWhileDialing(t *testing.T) {
	a := start(t, Config{Limits: Limits{QueueBytes: 100_000, MaxMessage: 10_000}, Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	to := anyone(a.at("y"))
	to.Address = "127.0.0.1:9"
	const fits = 100_000 / (1024 + 3 + messageCost)
	a.fill(to, fits)
	if got := a.count("dead"); got != 0 {
		t.Errorf("%d dead", got)
	}
	a.fill(to, 1)
	a.waitFor(t, "dead x>y over budget", 1)
	a.waitFor(t, "dead x>y unreachable: over budget", fits)
}

// TestStall: a peer that beats but takes nothing of what waits loses its link.
func TestStall(t *testing.T) {
	lim := quick
	lim.StallAfter = 500 * time.Millisecond
	s := start(t, Config{Limits: lim})
	p := knock(t, s).enter("one")
	p.write(frame.AppendMessage(greeted(), frame.Head{Target: 1, Type: 1}, encoded("hello")))
	s.waitFor(t, "deliver", 1)
	x := s.at("x")
	x.Address, x.Incarnation = "stranger:0", "one"
	s.link("y", x)
	s.say("y", x, "not taken")
	stop := make(chan struct{})
	defer close(stop)
	go func() { // beats without taking anything
		tick := time.NewTicker(lim.Heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if _, err := p.conn.Write(frame.AppendAck(nil, 0, 0)); err != nil {
					return
				}
			}
		}
	}()
	s.waitFor(t, "exited y>x lost: the peer took nothing of", 1)
	s.waitFor(t, "dead y>x unconfirmed: lost: the peer took nothing of", 1)
}

// TestNoLeak restarts a peer a hundred times, killed and in order in turn, and
// looks for connections and goroutines that stayed.
func TestNoLeak(t *testing.T) {
	a := start(t, Config{Limits: Limits{BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond}})
	ln := listen(t)
	addr := ln.Addr().String()
	var files, goroutines int
	for i := range 100 {
		b := start(t, Config{Listener: ln, Address: addr})
		y := b.at("y")
		a.link("x", y)
		a.say("x", y, "hello")
		b.waitFor(t, "deliver x>y hello", 1)
		b.say("y", a.at("x"), "hello")
		a.waitFor(t, "deliver y>x hello", i+1)
		if i%2 == 0 {
			b.close()
		} else {
			b.stop()
		}
		a.waitFor(t, "exited x>y", i+1)
		a.say("x", y, "into the gap")
		a.waitFor(t, "dead x>y unreachable", i+1)
		eventually(t, "no link", func() bool { return a.Totals().Linked == 0 })
		if i == 5 {
			files, goroutines = openFiles(t), runtime.NumGoroutine()
		}
		ln = listenAt(t, addr)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing is left over", func() bool { return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines })
	if n := len(a.Peers()); n != 1 {
		t.Errorf("%d peers are known, want 1", n)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// TestPeersAreForgotten after a while without a link.
func TestPeersAreForgotten(t *testing.T) {
	a := start(t, Config{})
	to := anyone(a.at("y"))
	to.Address = "127.0.0.1:1"
	a.say("x", to, "nobody")
	a.waitFor(t, "dead x>y unreachable", 1)
	p := a.all(nil)[0]
	p.beat(beat{now: a.now()})
	if len(a.Peers()) != 1 {
		t.Error("forgotten at once")
	}
	p.beat(beat{now: a.now() + int64(2*forgetAfter)})
	if len(a.Peers()) != 0 {
		t.Error("not forgotten")
	}
	if err := p.post(&letter{}); err != errForgotten {
		t.Errorf("post: %v", err)
	}
	if n := a.Totals().Traffic.DeadLetters[Unreachable]; n != 1 {
		t.Errorf("%d dead letters counted, want 1", n)
	}
	a.say("x", to, "nobody")
	a.waitFor(t, "dead x>y unreachable", 2)
}

// TestCloseHasADeadline: a peer that takes nothing holds nobody up, and what
// it did not take is dead.
func TestCloseHasADeadline(t *testing.T) {
	a := start(t, Config{})
	p := spawnChild(t)
	a.link("x", p.sink)
	a.say("x", p.sink, "hello")
	eventually(t, "it is there", func() bool { return p.count() == 1 && a.Peers()[0].QueuedBytes == 0 })
	p.signal(syscall.SIGSTOP)
	const n = 30_000
	a.fill(p.sink, n)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := a.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "had not taken all") {
		t.Errorf("close: %v", err)
	}
	if got := a.count("dead"); got != n {
		t.Errorf("%d dead letters, want %d", got, n)
	}
	if got := a.count("exited x>sink closed"); got != 1 {
		t.Errorf("exits: %q", a.only("exited"))
	}
}

// TestCloseWhileDialing tells what was waiting.
func TestCloseWhileDialing(t *testing.T) {
	a := start(t, Config{Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	to := anyone(a.at("y"))
	to.Address = "127.0.0.1:9"
	a.link("x", to)
	a.say("x", to, "waits")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := a.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if a.count("dead x>y closed") != 1 || a.count("exited x>y closed") != 1 {
		t.Errorf("told %q", a.told())
	}
}

// TestBothCloseAtOnce loses nothing.
func TestBothCloseAtOnce(t *testing.T) {
	for range 30 {
		a, b := start(t, Config{}), start(t, Config{})
		a.say("x", b.at("y"), "first")
		b.waitFor(t, "deliver", 1)
		for range 100 {
			a.say("x", b.at("y"), "ping")
			b.say("y", a.at("x"), "pong")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.part()
		}()
		a.part()
		<-done
		for s, want := range map[*system]int{a: 100, b: 101} {
			other := a
			if s == a {
				other = b
			}
			lost := other.count("dead")
			if got := s.count("deliver"); got+lost < want {
				t.Fatalf("%d delivered and %d dead of %d", got, lost, want)
			}
		}
	}
}

// part closes, in order or not.
func (s *system) part() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		s.t.Error(err)
	}
}

// TestSmallMessagesPassLongOnes: a small message does not wait for long ones of
// others.
func TestSmallMessagesPassLongOnes(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.say("x", b.at("y"), "link")
	b.waitFor(t, "deliver", 1)
	long := wrapperspb.String(strings.Repeat("l", 15<<20))
	for range 3 {
		if err := a.Send(a.at("long"), b.at("y"), long); err != nil {
			t.Fatal(err)
		}
	}
	a.say("small", b.at("y"), "quick")
	b.waitFor(t, "deliver long>y", 3)
	// The first long ones may be there before the last is encoded.
	if n := b.count("deliver small>y quick"); n != 1 {
		t.Errorf("%d small ones came before the last long one, want 1", n)
	}
}
