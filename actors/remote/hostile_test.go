package remote

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
	"troupe/actors/remote/handshake"
)

func logged(b *buffer) *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(b), zap.InfoLevel))
}

// TestMalformedFramesEndTheLinkAlone sends what makes no sense: the link ends
// with an error that names it, and others do not notice.
func TestMalformedFramesEndTheLinkAlone(t *testing.T) {
	log := &buffer{}
	s := start(t, Config{Logger: logged(log)})
	good := start(t, Config{})
	good.say("x", s.at("y"), "before")
	s.waitFor(t, "deliver x>y before", 1)
	for name, c := range map[string]struct {
		send []byte
		want string
	}{
		"kind":        {[]byte{99}, "kind 99: unknown"},
		"length":      {[]byte{byte(frame.Message), 0xff, 0xff, 0xff, 0xff, 0x7f}, "malformed message frame: length"},
		"target":      {frame.AppendMessage(greeted(), frame.Head{Target: 9, Type: 1}, nil), "target 9: not announced"},
		"type":        {frame.AppendMessage(greeted(), frame.Head{Target: 1, Type: 9}, nil), "type 9: not announced"},
		"too large":   {frame.AppendBegin(greeted(), frame.Head{Target: 1, Type: 1}, frame.Keys{}, 1<<30), "size 1073741824: outside"},
		"stray chunk": {frame.AppendChunk(nil, []byte("x")), "chunk frame: length 1"},
		"ack":         {frame.AppendAck(nil, 1, 0), "malformed ack frame: whole 1"},
		"name":        {frame.AppendName(nil, "a b"), "character ' '"},
		"exited":      {frame.AppendExited(nil, frame.Pair{Watcher: 1, Watched: 7}, ""), "watched 7: not announced"},
	} {
		p := knock(t, s).enter("one")
		p.write(append(greeted(), frame.AppendMessage(nil, frame.Head{Target: 1, Sender: 2, Type: 1}, encoded(name))...))
		s.waitFor(t, "deliver x>y "+name, 1)
		p.write(c.send)
		p.hungUp()
		eventually(t, name+" is logged", func() bool { return strings.Contains(log.String(), c.want) })
		eventually(t, name+" has no link", func() bool { return s.Totals().Linked == 1 })
	}
	good.say("x", s.at("y"), "after")
	s.waitFor(t, "deliver x>y after", 1)
	if n := good.Totals().Connections + s.Totals().Linked; n != 1 {
		t.Errorf("%d links, want 1", n)
	}
}

// TestUnknownTypesAndBadBodies are counted and told, and the link stays.
func TestUnknownTypesAndBadBodies(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	if err := a.Send(a.at("x"), b.at("y"), unknownMessage(t)); err != nil {
		t.Fatal(err)
	}
	a.say("x", b.at("y"), "after")
	b.waitFor(t, "deliver x>y after", 1)
	b.waitFor(t, `rejected x>y of.tomorrow.Novelty "" remote: type of.tomorrow.Novelty is unknown here`, 1)

	p := knock(t, b).enter("one")
	p.write(frame.AppendMessage(greeted(), frame.Head{Target: 1, Sender: 2, Type: 1}, []byte{0x0a, 200}))
	p.write(frame.AppendMessage(nil, frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("fine")))
	b.waitFor(t, "deliver x>y fine", 1)
	b.waitFor(t, `rejected x>y google.protobuf.StringValue "" remote: body of google.protobuf.StringValue, 2 bytes`, 1)
	if n := b.Totals().Traffic.Rejected; n != 2 {
		t.Errorf("%d rejected, want 2", n)
	}
}

// unknownMessage is of a type that is not in the process's registry.
func unknownMessage(t *testing.T) proto.Message {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("tomorrow.proto"), Package: proto.String("of.tomorrow"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Novelty")}},
	}
	fd, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(fd.Messages().Get(0))
}

// TestSendersAreStamped: whatever a peer says, its messages come from its own
// address and incarnation.
func TestSendersAreStamped(t *testing.T) {
	r := newRecorder()
	r.hook = func(from, to address.PID, _ string, _ proto.Message) { r.note("from %v to %v", from, to) }
	s := start(t, Config{Receiver: r})
	p := knock(t, s).enter("one")
	p.write(frame.AppendMessage(greeted(), frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("hi")))
	p.write(frame.AppendMessage(nil, frame.Head{Target: 1, Type: 1}, encoded("nobody's")))
	s.waitFor(t, fmt.Sprintf("from x@stranger:0#one to %v", s.at("y")), 1)
	s.waitFor(t, "from @stranger:0#one to", 1)
}

func TestHandshakeRefuses(t *testing.T) {
	s := start(t, Config{})
	change := func(f func(*handshake.Msg)) handshake.Msg {
		m := strangerHello("one")
		f(&m)
		return m
	}
	for name, c := range map[string]struct {
		hello handshake.Msg
		want  string
	}{
		"version":         {change(func(m *handshake.Msg) { m.Version = 7 }), "version 7, want 1"},
		"address":         {change(func(m *handshake.Msg) { m.Address = "nowhere" }), `address "nowhere": not host:port`},
		"no incarnation":  {change(func(m *handshake.Msg) { m.Incarnation = "" }), "incarnation is empty"},
		"odd incarnation": {change(func(m *handshake.Msg) { m.Incarnation = "a\nb" }), `incarnation "a\nb"`},
		"out of turn":     {handshake.Msg{Kind: handshake.Attach}, "attach message, want hello"},
	} {
		p := knock(t, s)
		p.write([]byte(handshake.Preface))
		if m := p.say(c.hello); m.Kind != handshake.Reject || !strings.Contains(m.Text, c.want) {
			t.Errorf("%s: answer %+v, want %q", name, m, c.want)
		}
		p.hungUp()
	}
	p := knock(t, s)
	p.write([]byte(handshake.Preface))
	p.say(change(func(m *handshake.Msg) { m.Address, m.Incarnation = s.cfg.Address, s.cfg.Incarnation }))
	if m := p.say(handshake.Msg{Kind: handshake.Attach, Seq: 1}); m.Kind != handshake.Reject || !strings.Contains(m.Text, "are those of this system") {
		t.Errorf("own name: answer %+v", m)
	}
	for _, junk := range []string{"\x00trouble\n and more", "\x00", "\x16\x03\x01 TLS", "GET / HTTP/1.1\r\n\r\n"} {
		p := knock(t, s)
		p.write([]byte(junk))
		if junk == "\x00" {
			continue // cut off by the deadline below
		}
		p.hungUp()
	}
	if n := s.Totals().Linked; n != 0 {
		t.Errorf("%d links", n)
	}
}

// TestSlowHandshakesEnd: who says nothing is cut off in time, and lets in those
// who had to wait meanwhile.
func TestSlowHandshakesEnd(t *testing.T) {
	s := start(t, Config{Limits: Limits{MaxHandshakes: 2, HandshakeTimeout: 3 * time.Second}})
	mute, halfway := knock(t, s), knock(t, s)
	halfway.write([]byte(handshake.Preface))
	eventually(t, "both are in", func() bool { return s.front.lobby.busy() == 2 })
	knock(t, s).enter("one")
	mute.hungUp()
	halfway.hungUp()
	if n := s.Totals().Refused; n != 2 {
		t.Errorf("%d refused, want 2", n)
	}
}

// TestSendRefuses: what is wrong with a message or an address is said at once.
func TestSendRefuses(t *testing.T) {
	s := start(t, Config{Limits: Limits{MaxMessage: 1000, QueueBytes: 10_000}})
	to := address.PID{Name: "y", Address: "127.0.0.1:1"}
	for name, c := range map[string]struct {
		from, to address.PID
		m        proto.Message
		want     string
	}{
		"too large":      {s.at("x"), to, wrapperspb.String(strings.Repeat("x", 1000)), "google.protobuf.StringValue of 1003 bytes to y, over the limit of 1000"},
		"nil":            {s.at("x"), to, nil, "message to y is nil"},
		"not UTF-8":      {s.at("x"), to, wrapperspb.String("\xff"), "encode google.protobuf.StringValue to y"},
		"other's sender": {address.PID{Name: "x", Address: "other:1"}, to, wrapperspb.String(""), "sender x@other:1 is not of this system"},
		"no name":        {s.at("x"), address.PID{Address: "127.0.0.1:1"}, wrapperspb.String(""), "name is empty"},
		"bad address":    {s.at("x"), address.PID{Name: "y", Address: "nowhere"}, wrapperspb.String(""), `address "nowhere": not host:port`},
		"own address":    {s.at("x"), s.at("y"), wrapperspb.String(""), "is of this system"},
	} {
		if err := s.Send(c.from, c.to, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	s.close()
	if err := s.Send(s.at("x"), to, wrapperspb.String("")); err != ErrClosed {
		t.Errorf("after close: %v", err)
	}
	if err := s.Close(context.Background()); err != ErrClosed {
		t.Errorf("second close: %v", err)
	}
	if lines := s.told(); len(lines) != 0 {
		t.Errorf("told %q", lines)
	}
}

func TestConfigRefuses(t *testing.T) {
	ln := listen(t)
	defer ln.Close()
	ok := Config{Address: "host:0", Incarnation: "one", Receiver: newRecorder()}
	for want, change := range map[string]func(c *Config){
		"Receiver is nil":                 func(c *Config) { c.Receiver = nil },
		"Incarnation is empty":            func(c *Config) { c.Incarnation = "" },
		`address "nowhere": not host`:     func(c *Config) { c.Address = "nowhere" },
		`address "host:1" of a system`:    func(c *Config) { c.Address = "host:1" },
		`address "host:0" of a system`:    func(c *Config) { c.Listener = ln },
		"MaxMessage 1048576 does not fit": func(c *Config) { c.Limits = Limits{MaxMessage: 1 << 20, QueueBytes: 1 << 20} },
		"Heartbeat 1m0s is over half":     func(c *Config) { c.Limits.Heartbeat = time.Minute },
		"MaxPeers is -1, below 0":         func(c *Config) { c.Limits.MaxPeers = -1 },
		"TLS is set for one side only":    func(c *Config) { c.TLS.Client = testTLS(t, "x").Client },
	} {
		c := ok
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
