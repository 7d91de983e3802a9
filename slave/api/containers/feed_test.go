package containers

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos/agent"
	"troupe/messages/recordio"
	"troupe/slave/api"
)

// FuzzInput shows that no stream is more than refused, and that a host that
// takes a piece now and then gets every byte before what was refused, in order.
func FuzzInput(f *testing.F) {
	first := input(agent.Call_AttachContainerInput_CONTAINER_ID, nil)
	for _, rest := range [][]byte{nil, stdin(nil), stdin([]byte("x")), first, []byte("3\n{}"), []byte("2\n{}"), []byte("x")} {
		f.Add(rest)
	}
	f.Fuzz(func(t *testing.T, rest []byte) {
		in := recordio.NewReader(bytes.NewReader(rest), 1<<20)
		h := fuzzedHost{t: t}
		var said strings.Builder
		var err error
		for err == nil && !h.f.ended() {
			h.take()
			if !h.f.hungry() {
				continue
			}
			r := recordOf(in.Next())
			if err = h.f.record(r); err == nil && r.err == nil {
				said.Write(r.call.GetAttachContainerInput().GetProcessIo().GetData().GetData())
			}
		}
		if err == nil && bytes.HasPrefix(rest, []byte("x")) {
			t.Error("no length was taken for one")
		}
		for len(h.f.waiting) > 0 || h.f.under > 0 {
			h.take()
		}
		if h.got.String() != said.String() {
			t.Errorf("the host got %d bytes of %d, or others", h.got.Len(), said.Len())
		}
	})
}

func recordOf(data []byte, err error) record {
	call := new(agent.Call)
	switch {
	case errors.Is(err, io.EOF):
		err = api.ErrInputEnded
	case err == nil:
		err = json.Unmarshal(data, call)
	}
	return record{call, err}
}

// fuzzedHost takes a piece when no more may be on their way, or none comes.
type fuzzedHost struct {
	t   *testing.T
	f   feeding
	got strings.Builder
}

func (h *fuzzedHost) take() {
	for io := h.f.next(); io != nil; io = h.f.next() {
		data := io.GetData().GetData()
		if len(data) > pieceSize {
			h.t.Fatalf("a piece of %d bytes", len(data))
		}
		h.got.Write(data)
	}
	if h.f.under > inputWindow {
		h.t.Fatalf("%d pieces on their way", h.f.under)
	}
	if h.f.under == 0 {
		return
	}
	if err := h.f.taken(&cluster.ContainerInputTaken{}); err != nil {
		h.t.Fatal(err)
	}
}

// TestTheHostEndsTheInput shows that nothing is given to a container that wants
// no more, and that a client is told why it is refused.
func TestTheHostEndsTheInput(t *testing.T) {
	var f feeding
	if err := f.record(recordOf(recordio.NewReader(bytes.NewReader(stdin([]byte("x"))), 1<<20).Next())); err != nil {
		t.Fatal(err)
	}
	no := "no"
	if err := f.taken(&cluster.ContainerInputTaken{Error: &no}); err == nil || !strings.Contains(err.Error(), no) {
		t.Errorf("error is %v", err)
	}
	over := true
	if err := f.taken(&cluster.ContainerInputTaken{Over: &over}); err != nil || !f.ended() || f.next() != nil {
		t.Errorf("%v, ended %t, with %v to give", err, f.ended(), f.next())
	}
}
