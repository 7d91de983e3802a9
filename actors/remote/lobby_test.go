package remote

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"troupe/actors/remote/handshake"
)

// TestWhoWaitsIsTold: handshakes are bounded, and who waits for one hears of it
// until it is served; those who leave meanwhile are not served, and HTTP does not
// wait behind them.
func TestWhoWaitsIsTold(t *testing.T) {
	s := start(t, Config{
		Limits: Limits{MaxHandshakes: 2, MaxWaiting: 3, HandshakeTimeout: patience, Heartbeat: 20 * time.Millisecond},
		HTTP:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "it leads") }),
	})
	mute, halfway := knock(t, s), knock(t, s)
	halfway.write([]byte(handshake.Preface))
	eventually(t, "both are in", func() bool { return s.front.lobby.busy() == 2 })
	link := knock(t, s)
	link.write([]byte(handshake.Preface))
	link.write(handshake.Append(nil, strangerHello("one")))
	web, gone := knock(t, s), knock(t, s)
	web.write([]byte("GET /leader HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	if answer, err := io.ReadAll(web.conn); err != nil || !strings.HasSuffix(string(answer), "it leads") {
		t.Fatalf("HTTP has to wait, or is told of links: %q, %v", answer, err)
	}
	for range 3 {
		if m := link.hear(); m.Kind != handshake.Wait {
			t.Fatalf("who waits heard %+v", m)
		}
	}
	if err := gone.conn.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "who left is refused", func() bool { return s.Totals().Refused == 1 })
	if n := s.front.lobby.busy(); n != 2 {
		t.Errorf("%d handshakes are under way, want 2", n)
	}
	if err := mute.conn.Close(); err != nil {
		t.Fatal(err)
	}
	m := link.hear()
	for m.Kind == handshake.Wait {
		m = link.hear()
	}
	if m.Kind != handshake.Hello {
		t.Fatalf("who was served heard %+v", m)
	}
	if m := link.say(handshake.Msg{Kind: handshake.Attach, Seq: 1}); m.Kind != handshake.Welcome {
		t.Fatalf("answer to attach: %+v", m)
	}
	knock(t, s).enter("two")
}

// TestOthersAreServedAfterAFullLobby: where all seats are taken, those who come
// wait in the listener's queue.
func TestOthersAreServedAfterAFullLobby(t *testing.T) {
	s := start(t, Config{Limits: Limits{MaxHandshakes: 1, MaxWaiting: 2, HandshakeTimeout: patience}})
	var crowd []*stranger
	for range 6 {
		crowd = append(crowd, knock(t, s))
	}
	last := knock(t, s)
	eventually(t, "all seats are taken", func() bool {
		s.front.lobby.mu.Lock()
		defer s.front.lobby.mu.Unlock()
		return s.front.lobby.under == 1 && s.front.lobby.waiting.len() == 2
	})
	for _, p := range crowd {
		if err := p.conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	last.enter("last")
	eventually(t, "no handshake is under way", func() bool { return s.front.lobby.busy() == 0 })
}

// TestWhoWaitsIsLetGoAtTheEnd: Close ends connections that wait.
func TestWhoWaitsIsLetGoAtTheEnd(t *testing.T) {
	s := start(t, Config{Limits: Limits{MaxHandshakes: 1, MaxWaiting: 1, HandshakeTimeout: patience}})
	var crowd []*stranger
	for range 3 {
		crowd = append(crowd, knock(t, s))
	}
	eventually(t, "all have come", func() bool { return s.Totals().Connections == 3 })
	s.close()
	for _, p := range crowd {
		p.hungUp()
	}
	if n := s.Totals().Refused; n != 3 {
		t.Errorf("%d refused, want 3", n)
	}
}

// slowPeer accepts one connection, and says Wait as often as it is asked to
// before it makes the link, or for ever.
func slowPeer(t *testing.T, waits int, every time.Duration) net.Listener {
	t.Helper()
	ln := listen(t)
	t.Cleanup(func() { _ = ln.Close() }) // it may be closed by then
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return // the test is over
		}
		defer conn.Close()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for range waits {
			<-tick.C
			if handshake.Write(conn, "", handshake.Msg{Kind: handshake.Wait}) != nil {
				return // the dialer gave up, which its test sees
			}
		}
		p := &stranger{t, conn}
		var preface [len(handshake.Preface)]byte
		if _, err := conn.Read(preface[:]); err != nil {
			return
		}
		if _, err := handshake.Read(conn); err != nil {
			return
		}
		hello := handshake.Msg{Kind: handshake.Hello, Version: handshake.Version, Address: ln.Addr().String(), Incarnation: "slow", Done: true}
		if handshake.Write(conn, "", hello) != nil {
			return
		}
		if m, err := handshake.Read(conn); err != nil || m.Kind != handshake.Attach {
			return
		}
		if handshake.Write(conn, "", handshake.Msg{Kind: handshake.Welcome}) != nil {
			return
		}
		p.untilGone()
	}()
	return ln
}

// untilGone reads until the other side closes.
func (p *stranger) untilGone() {
	room := make([]byte, 4096)
	for {
		if _, err := p.conn.Read(room); err != nil {
			return
		}
	}
}

// TestSlowAcceptorKeepsItsDialers: a dialer waits for longer than its own
// patience where it is told to.
func TestSlowAcceptorKeepsItsDialers(t *testing.T) {
	limits := Limits{DialTimeout: patience, HandshakeTimeout: time.Second, Heartbeat: 100 * time.Millisecond, DeadAfter: time.Second}
	ln := slowPeer(t, 40, 50*time.Millisecond) // for twice that
	s := start(t, Config{Address: "dialer:0", Limits: limits})
	to := s.at("y")
	to.Address, to.Incarnation = ln.Addr().String(), ""
	s.say("x", to, "patient")
	eventually(t, "there is a link", func() bool { return s.Totals().Linked == 1 })
	for _, line := range s.told() {
		t.Errorf("the dialer was told %q", line)
	}
}

// TestEndlessWaitingEnds: nobody is held for ever by being told to wait.
func TestEndlessWaitingEnds(t *testing.T) {
	ln := slowPeer(t, 2*mostWaits, time.Microsecond)
	s := start(t, Config{Address: "dialer:0", Limits: Limits{DeadAfter: patience}})
	to := s.at("y")
	to.Address, to.Incarnation = ln.Addr().String(), ""
	s.say("x", to, "impatient")
	s.waitFor(t, "dead x>y unreachable", 1)
	if lines := strings.Join(s.told(), "\n"); !strings.Contains(lines, "asked to wait 1000 times") {
		t.Errorf("told %s", lines)
	}
}
