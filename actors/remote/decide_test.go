package remote

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"troupe/actors/remote/frame"
	"troupe/actors/remote/handshake"
)

// TestWhichConnectionStays tries the cases in which a peer asks for a link
// while there is one, or while it is being dialed.
func TestWhichConnectionStays(t *testing.T) {
	s := start(t, Config{Address: "middle:0", Incarnation: "own"})
	caller := greeting{peer: Peer{Address: "peer:1", Incarnation: "one"}, principal: "alice"}
	linked := func(incarnation, principal string, dialed bool, seq uint64) *link {
		return &link{remote: Peer{Incarnation: incarnation, Dialed: dialed}, principal: principal, seq: seq}
	}
	lesser := caller
	lesser.peer.Address = "a:1"
	for name, c := range map[string]struct {
		p    *peer
		g    greeting
		m    handshake.Msg
		want string // "" for: it stays
	}{
		"nothing there":                    {&peer{}, caller, handshake.Msg{Seq: 1}, ""},
		"forgotten":                        {&peer{forgotten: true}, caller, handshake.Msg{Seq: 1}, "peer forgotten"},
		"another name":                     {&peer{alias: &peer{key: peerKey{address: "other:1"}}}, caller, handshake.Msg{Seq: 1}, "another name of other:1"},
		"dialed, not attached":             {&peer{attempt: &attempt{}}, caller, handshake.Msg{Seq: 1}, ""},
		"dialed, attached, greater peer":   {&peer{attempt: &attempt{attached: 3}}, caller, handshake.Msg{Seq: 1}, "is dialing"},
		"dialed, attached, and it knew":    {&peer{attempt: &attempt{attached: 3}}, caller, handshake.Msg{Seq: 1, Seen: 3}, ""},
		"dialed, attached, lesser peer":    {&peer{attempt: &attempt{attached: 3}}, lesser, handshake.Msg{Seq: 1}, ""},
		"its own link, anew":               {&peer{link: linked("one", "alice", false, 4)}, caller, handshake.Msg{Seq: 5}, ""},
		"its own link, late":               {&peer{link: linked("one", "alice", false, 4)}, caller, handshake.Msg{Seq: 3}, "dial 3 of peer:1 came after dial 4"},
		"our link, it does not know":       {&peer{link: linked("one", "alice", true, 4)}, caller, handshake.Msg{Seq: 9, Seen: 3}, "has linked peer:1 already"},
		"our link, it lost it":             {&peer{link: linked("one", "alice", true, 4)}, caller, handshake.Msg{Seq: 1, Seen: 4}, ""},
		"restarted":                        {&peer{link: linked("zero", "alice", true, 4)}, caller, handshake.Msg{Seq: 1}, ""},
		"restarted, but as somebody other": {&peer{link: linked("zero", "bob", true, 4)}, caller, handshake.Msg{Seq: 1}, `linked to principal "bob", not "alice"`},
	} {
		t.Run(name, func(t *testing.T) {
			c.p.t = s.Transport
			err := c.p.acceptable(c.g, c.m)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestPeersAreBounded(t *testing.T) {
	s := start(t, Config{Limits: Limits{MaxPeers: 1}})
	first := knock(t, s).enter("one")
	defer first.conn.Close()
	p := knock(t, s)
	p.write([]byte(handshake.Preface))
	p.say(strangerHello("two"))
	if m := p.say(handshake.Msg{Kind: handshake.Attach, Seq: 1}); m.Code != handshake.Busy || !strings.Contains(m.Text, "1 peers are linked, the limit") {
		t.Errorf("answer %+v", m)
	}
}

// answer is the acceptor's side of a handshake, made by hand, up to the Attach.
func answer(t *testing.T, ln net.Listener) *stranger {
	t.Helper()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed by then
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p := &stranger{t, conn}
	preface := make([]byte, len(handshake.Preface))
	if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != handshake.Preface {
		t.Fatalf("preface %q, %v", preface, err)
	}
	if m := p.hear(); m.Kind != handshake.Hello {
		t.Fatalf("%+v, want a hello", m)
	}
	return p
}

func (p *stranger) helloAs(addr, incarnation string) handshake.Msg {
	p.t.Helper()
	m := strangerHello(incarnation)
	m.Address = addr
	return p.say(m)
}

// TestYield: a dialer that is asked to wait is linked by the peer's own
// connection, and what waited goes out over it.
func TestYield(t *testing.T) {
	ln := listen(t)
	defer ln.Close()
	addr := ln.Addr().String()
	s := start(t, Config{})
	y := anyone(s.at("y"))
	y.Address = addr
	s.say("x", y, "waits")
	p := answer(t, ln)
	if m := p.helloAs(addr, "one"); m.Kind != handshake.Attach {
		t.Fatalf("%+v, want an attach", m)
	}
	p.write(handshake.Append(nil, handshake.Msg{Kind: handshake.Reject, Code: handshake.Yield, Text: "wait"}))
	p.hungUp()

	q := knock(t, s)
	q.write([]byte(handshake.Preface))
	q.helloAs(addr, "one")
	if m := q.say(handshake.Msg{Kind: handshake.Attach, Seq: 1}); m.Kind != handshake.Welcome {
		t.Fatalf("%+v, want a welcome", m)
	}
	want := frame.AppendMessage(frame.AppendType(frame.AppendName(frame.AppendName(nil, "y"), "x"), "google.protobuf.StringValue"),
		frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("waits"))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(q.conn, got); err != nil || string(got) != string(want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// TestDialRefuses: an acceptor that makes no sense is told so, and what waited
// is dead.
func TestDialRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		say  handshake.Msg
		want string
	}{
		"out of turn": {handshake.Msg{Kind: handshake.Welcome}, "welcome message, want hello"},
		"no welcome":  {handshake.Msg{Kind: handshake.Auth}, "auth message, want welcome"},
		"refused":     {handshake.Msg{Kind: handshake.Reject, Text: "not you"}, "refused by the peer: not you"},
	} {
		t.Run(name, func(t *testing.T) {
			ln := listen(t)
			defer ln.Close()
			s := start(t, Config{})
			y := anyone(s.at("y"))
			y.Address = ln.Addr().String()
			s.say("x", y, "waits")
			p := answer(t, ln)
			if c.say.Kind != handshake.Welcome {
				p.helloAs(y.Address, "one")
			}
			p.write(handshake.Append(nil, c.say))
			s.waitFor(t, "dead x>y unreachable: "+c.want, 1)
		})
	}
}

// TestManyNames uses more names than the tables hold at one time.
func TestManyNames(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	const n = 3 * frame.MaxNames
	for i := range n {
		a.say(fmt.Sprint("x", i%100), b.at(fmt.Sprint("y", i)), fmt.Sprint(i))
	}
	b.waitFor(t, "deliver", n)
	for i, l := range b.told() {
		if want := fmt.Sprintf("deliver x%d>y%d %d", i%100, i, i); l != want {
			t.Fatalf("line %d is %q, want %q", i, l, want)
		}
	}
}

// TestQuestions: keys behind names arrive, and come back with dead letters.
func TestQuestions(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.say("x?1a", b.at("y"), "short")
	a.say("x?1b", b.at("y?zz"), strings.Repeat("l", 100_000))
	a.say("x?1c", b.at("y"), "behind")
	b.waitFor(t, "deliver x?1a>y short", 1)
	b.waitFor(t, "deliver x?1b>y?zz lll", 1)
	b.waitFor(t, "deliver x?1c>y behind", 1)
	nobody := anyone(b.at("y?7"))
	nobody.Address = "nowhere:0"
	a.say("x?2", nobody, "")
	a.waitFor(t, "dead x?2>y?7 unreachable", 1)
}
