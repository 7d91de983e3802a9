package handshake

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawMsg(t *rapid.T) Msg {
	m := Msg{Kind: Kind(rapid.IntRange(int(Hello), int(Wait)).Draw(t, "kind"))}
	text := rapid.StringN(0, 60, MaxText)
	switch m.Kind {
	case Hello:
		m.Version = rapid.Uint64().Draw(t, "version")
		m.Address = text.Draw(t, "address")
		m.Incarnation = text.Draw(t, "incarnation")
	case Attach:
		m.Seq, m.Seen = rapid.Uint64().Draw(t, "seq"), rapid.Uint64().Draw(t, "seen")
	case Reject:
		m.Code, m.Text = Code(rapid.Uint64().Draw(t, "code")), text.Draw(t, "text")
	}
	if m.Kind == Hello || m.Kind == Auth {
		m.Done = rapid.Bool().Draw(t, "done")
		m.Auth = rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "auth")
	}
	return m
}

func same(a, b Msg) bool { return bytes.Equal(Append(nil, a), Append(nil, b)) && a.Kind == b.Kind }

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMsg(t)
		var wire bytes.Buffer
		if err := Write(&wire, "", m); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("rest")
		got, err := Read(&wire)
		if err != nil || !same(got, m) {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
		if wire.String() != "rest" {
			t.Fatalf("%q is left", wire.String())
		}
	})
}

func TestLaterVersionsMayAppendFields(t *testing.T) {
	payload := append(Append(nil, Msg{Kind: Hello, Version: 9, Address: "a:1", Incarnation: "i"})[headSize:], "more"...)
	if m, err := Parse(Hello, payload); err != nil || m.Address != "a:1" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMalformed(t *testing.T) {
	hello := Append(nil, Msg{Kind: Hello, Version: 1, Address: "host:1", Incarnation: "one", Auth: []byte("auth")})[headSize:]
	for name, c := range map[string]struct {
		kind    Kind
		payload []byte
		want    string
	}{
		"kind":                 {77, nil, "kind 77 is unknown"},
		"version missing":      {Hello, nil, "hello: version: not a varint"},
		"address cut off":      {Hello, hello[:4], "hello: address: 6 bytes, but 2 left"},
		"address too long":     {Hello, append([]byte{1, 0x81, 4}, strings.Repeat("a", 513)...), "hello: address: 513 bytes, over 512"},
		"done missing":         {Hello, hello[:12], "hello: done: missing"},
		"done neither":         {Auth, []byte{2, 0}, "auth: done: 2 is neither 0 nor 1"},
		"credentials too long": {Auth, []byte{1, 0xff, 0xff, 3}, "auth: credentials: 65535 bytes, over 16384"},
		"seen missing":         {Attach, []byte{1}, "attach: seen: not a varint"},
		"text cut off":         {Reject, []byte{0, 9, 'x'}, "reject: text: 9 bytes, but 1 left"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(c.kind, c.payload); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestReadIsBounded(t *testing.T) {
	_, err := Read(bytes.NewReader([]byte{byte(Hello), 0xff, 0xff}))
	if want := "hello of 65535 bytes, over 18432"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestWriteIsBounded(t *testing.T) {
	for name, m := range map[string]Msg{
		"address":     {Kind: Hello, Address: strings.Repeat("a", MaxText+1)},
		"incarnation": {Kind: Hello, Incarnation: strings.Repeat("a", MaxText+1)},
		"credentials": {Kind: Auth, Auth: make([]byte, MaxAuth+1)},
	} {
		if err := Write(&bytes.Buffer{}, "", m); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzRead feeds any bytes to the parser: it must tell an error or a message
// that means the same when written again.
func FuzzRead(f *testing.F) {
	f.Add(Append(nil, Msg{Kind: Hello, Version: 1, Address: "host:5050", Incarnation: "one", Done: true, Auth: []byte("auth")}))
	f.Add(Append(nil, Msg{Kind: Auth, Auth: []byte("more")}))
	f.Add(Append(nil, Msg{Kind: Attach, Seq: 1, Seen: 1 << 40}))
	f.Add(Append(nil, Msg{Kind: Welcome}))
	f.Add(Append(nil, Msg{Kind: Wait}))
	f.Add(Append(nil, Msg{Kind: Reject, Code: Yield, Text: "later"}))
	f.Fuzz(func(t *testing.T, wire []byte) {
		m, err := Read(bytes.NewReader(wire))
		if err != nil {
			return
		}
		again, err := Read(bytes.NewReader(Append(nil, m)))
		if err != nil || !same(m, again) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
