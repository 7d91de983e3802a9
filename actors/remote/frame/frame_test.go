package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// item is one frame in the terms of this package's API.
type item struct {
	kind    Kind
	head    Head
	keys    Keys
	pair    Pair
	body    []byte
	text    string
	size    int
	whole   uint64
	chunked uint64
}

func drawItem(t *rapid.T) item {
	number := rapid.Uint32Range(1, MaxNames)
	return item{
		kind:    Kind(rapid.IntRange(int(Message), int(Goodbye)).Draw(t, "kind")),
		head:    Head{number.Draw(t, "target"), rapid.Uint32Range(0, MaxNames).Draw(t, "sender"), number.Draw(t, "type")},
		keys:    Keys{rapid.Uint64().Draw(t, "target key"), rapid.Uint64().Draw(t, "sender key")},
		pair:    Pair{number.Draw(t, "watcher"), number.Draw(t, "watched")},
		body:    rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body"),
		text:    rapid.StringN(0, 100, MaxText).Draw(t, "text"),
		size:    rapid.IntRange(1, 1<<30).Draw(t, "size"),
		whole:   rapid.Uint64Range(0, 1<<63).Draw(t, "whole"),
		chunked: rapid.Uint64Range(0, 1<<63).Draw(t, "chunked"),
	}
}

// write encodes the fields that the kind has.
func (i item) write(b []byte) []byte {
	switch i.kind {
	case Message:
		return AppendMessage(b, i.head, i.body)
	case Keyed:
		return AppendKeyed(b, i.head, i.keys, i.body)
	case Begin:
		return AppendBegin(b, i.head, i.keys, i.size)
	case Chunk:
		return AppendChunk(b, i.body)
	case Name:
		return AppendName(b, i.text)
	case Type:
		return AppendType(b, i.text)
	case Reset:
		return AppendReset(b)
	case Ack:
		return AppendAck(b, i.whole, i.chunked)
	case Link:
		return AppendLink(b, i.pair)
	case Unlink:
		return AppendUnlink(b, i.pair)
	case Exited:
		return AppendExited(b, i.pair, i.text)
	default:
		return AppendGoodbye(b, i.text)
	}
}

// parse reads a payload into an item.
func parse(k Kind, payload []byte) (i item, err error) {
	i.kind = k
	switch k {
	case Message, Keyed:
		i.head, i.keys, i.body, err = ParseMessage(k, payload)
	case Begin:
		i.head, i.keys, i.size, err = ParseBegin(payload, 1<<30)
	case Chunk:
		i.body = payload
	case Name, Type, Goodbye:
		i.text, err = ParseText(k, payload)
	case Reset:
		err = ParseReset(payload)
	case Ack:
		i.whole, i.chunked, err = ParseAck(payload)
	case Link, Unlink:
		i.pair, err = ParsePair(k, payload)
	case Exited:
		i.pair, i.text, err = ParseExited(payload)
	}
	return i, err
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(drawItem), 1, 8).Draw(t, "items")
		var wire []byte
		for _, i := range items {
			before := len(wire)
			wire = i.write(wire)
			if over := len(wire) - before - len(i.body) - len(i.text); over > MaxHead {
				t.Fatalf("%v is %d bytes longer than its body", i.kind, over)
			}
		}
		for n, want := range items {
			k, payload, size, err := Next(wire)
			if err != nil || size == 0 {
				t.Fatalf("frame %d: size %d, %v", n, size, err)
			}
			got, err := parse(k, payload)
			if err != nil {
				t.Fatalf("frame %d: %v", n, err)
			}
			if again := got.write(nil); !bytes.Equal(again, wire[:size]) || k != want.kind {
				t.Fatalf("frame %d: %+v became %+v", n, want, got)
			}
			wire = wire[size:]
		}
		if len(wire) > 0 {
			t.Fatalf("%d bytes left", len(wire))
		}
	})
}

func TestNextWaitsForWholeFrames(t *testing.T) {
	wire := AppendMessage(nil, Head{1, 2, 3}, bytes.Repeat([]byte("x"), 200))
	for n := range wire {
		if _, _, size, err := Next(wire[:n]); size != 0 || err != nil {
			t.Fatalf("of %d bytes: size %d, %v", n, size, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	long := strings.Repeat("n", MaxText+1)
	for name, c := range map[string]struct {
		wire []byte
		want string
	}{
		"kind zero":        {[]byte{0}, "kind 0: unknown"},
		"kind unknown":     {[]byte{200, 1, 1}, "kind 200: unknown"},
		"length too large": {[]byte{byte(Message), 0xff, 0xff, 0xff, 0x7f}, "malformed message frame: length 268435455: over"},
		"length endless":   {append([]byte{byte(Ack)}, bytes.Repeat([]byte{0xff}, 12)...), "malformed ack frame: length"},
		"target zero":      {[]byte{byte(Message), 3, 0, 0, 1}, "malformed message frame: target 0: outside 1 to 4096"},
		"type too large":   {[]byte{byte(Message), 4, 1, 0, 0x81, 0x20}, "malformed message frame: type 4097: outside"},
		"head cut off":     {[]byte{byte(Message), 1, 1}, "malformed message frame: sender"},
		"keys cut off":     {[]byte{byte(Keyed), 3, 1, 1, 1}, "malformed keyed frame: target key"},
		"size zero":        {[]byte{byte(Begin), 6, 1, 0, 1, 0, 0, 0}, "malformed begin frame: size 0"},
		"name too long":    {AppendName(nil, long), "malformed name frame: length 513: over 512"},
		"reset not empty":  {[]byte{byte(Reset), 1, 7}, "malformed reset frame: length 1: bytes too many"},
		"ack too long":     {[]byte{byte(Ack), 3, 1, 1, 1}, "malformed ack frame: length 1: bytes too many"},
		"watcher zero":     {[]byte{byte(Link), 2, 0, 1}, "malformed link frame: watcher 0"},
		"exited too long":  {append([]byte{byte(Exited), 0x84, 4, 1, 1}, strings.Repeat("r", 514)...), "malformed exited frame: length 514"},
	} {
		t.Run(name, func(t *testing.T) {
			k, payload, size, err := Next(c.wire)
			if err == nil && size > 0 {
				_, err = parse(k, payload)
			}
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	if got := Cut(strings.Repeat("x", 2*MaxText)); len(got) != MaxText {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzFrames feeds any bytes to the parser: it must consume frames that are
// within bounds or tell an error, and what it accepts must mean the same when
// written again.
func FuzzFrames(f *testing.F) {
	f.Add(AppendMessage(nil, Head{1, 0, 1}, []byte("body")))
	f.Add(AppendKeyed(AppendName(nil, "x"), Head{1, 1, 1}, Keys{1, 1 << 40}, nil))
	f.Add(AppendChunk(AppendBegin(nil, Head{1, 2, 3}, Keys{}, 70000), []byte("part")))
	f.Add(AppendExited(AppendLink(AppendUnlink(nil, Pair{1, 2}), Pair{3, 4}), Pair{5, 6}, "why"))
	f.Add(AppendGoodbye(AppendAck(AppendReset(nil), 1, 2), "closed"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		for {
			k, payload, size, err := Next(wire)
			if err != nil || size == 0 {
				return
			}
			if size > len(wire) || len(payload) > MaxPayload {
				t.Fatalf("size %d of %d, payload %d", size, len(wire), len(payload))
			}
			if i, err := parse(k, payload); err == nil {
				again := i.write(nil)
				_, payload, _, _ := Next(again)
				j, err := parse(k, payload)
				if err != nil || !bytes.Equal(j.write(nil), again) {
					t.Fatalf("%+v became %+v, %v", i, j, err)
				}
			}
			wire = wire[size:]
		}
	})
}

func BenchmarkNextMessage(b *testing.B) {
	wire := AppendMessage(nil, Head{1, 2, 3}, make([]byte, 100))
	b.ReportAllocs()
	for b.Loop() {
		k, payload, _, err := Next(wire)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := ParseMessage(k, payload); err != nil {
			b.Fatal(err)
		}
	}
}
