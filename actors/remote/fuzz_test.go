package remote

import (
	"testing"

	"troupe/actors/remote/frame"
)

// FuzzInbox reads any bytes as a peer's frames: they are taken or refused, and
// what is kept stays within its bounds.
func FuzzInbox(f *testing.F) {
	f.Add(frame.AppendMessage(greeted(), frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("hello")))
	f.Add(frame.AppendKeyed(greeted(), frame.Head{Target: 1, Type: 1}, frame.Keys{Target: 1, Sender: 2}, encoded("hello")))
	f.Add(frame.AppendChunk(frame.AppendBegin(greeted(), frame.Head{Target: 1, Type: 1}, frame.Keys{}, 9), []byte("a chunk, ")))
	f.Add(frame.AppendMessage(frame.AppendReset(greeted()), frame.Head{Target: 1, Type: 1}, nil))
	f.Add(frame.AppendExited(frame.AppendLink(greeted(), frame.Pair{Watcher: 1, Watched: 2}), frame.Pair{Watcher: 2, Watched: 1}, "why"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := inbox{most: 1 << 16}
		for {
			k, payload, n, err := frame.Next(b)
			if err != nil || n == 0 {
				return
			}
			if in.any(k, payload) != nil {
				return
			}
			if len(in.names) > frame.MaxNames || len(in.types) > frame.MaxNames || in.bytes > frame.MaxNameBytes || cap(in.bulk.body) > firstPart {
				t.Fatalf("%d names, %d types, %d bytes, %d of a message", len(in.names), len(in.types), in.bytes, cap(in.bulk.body))
			}
			b = b[n:]
		}
	})
}

// any feeds one frame to the inbox.
func (in *inbox) any(k frame.Kind, payload []byte) error {
	var err error
	switch k {
	case frame.Message, frame.Keyed:
		_, err = in.message(k, payload)
	case frame.Begin:
		err = in.begin(payload)
	case frame.Chunk:
		_, _, err = in.chunk(payload)
	case frame.Name, frame.Type:
		err = in.define(k, payload)
	case frame.Reset:
		err = in.reset(payload)
	case frame.Link, frame.Unlink:
		var p frame.Pair
		if p, err = frame.ParsePair(k, payload); err == nil {
			_, _, err = in.pair(k, p)
		}
	}
	return err
}
