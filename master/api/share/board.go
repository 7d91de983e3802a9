package share

import (
	"io"
	"runtime"
	"sync"
	"time"
)

const (
	// Window is how much of a document is kept for its readers, in bytes. One
	// that is not longer is kept whole, for those who ask while it is still true.
	Window = 32 << 20
	// patience is how long a reader may take nothing while the others, or the
	// encoder, wait for it.
	patience = 200 * time.Millisecond
	// maxKept bounds the documents that are kept; all of them have Window bytes.
	maxKept = 16
)

// Document is something that can be encoded, any number of times, always alike:
// a view of what does not change any more.
type Document struct {
	// Revision tells whether a document of the same name is still true.
	Revision uint64
	Encode   func(out io.Writer) error
}

// Source gives the document of a name as it is now.
type Source interface {
	// Revision is that of Now, found at less cost.
	Revision() uint64
	Now() Document
}

// Board is where documents are shared.
type Board struct {
	window int
	turns  chan struct{} // who encodes has one of them

	mu    sync.Mutex
	boxes map[string]*box
	kept  []*body // whole ones, oldest first
	// How often somebody got what was encoded for another.
	shared int64
}

// Shared is how often somebody got what was encoded for somebody else.
func (b *Board) Shared() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shared
}

// box is what goes on under one name. It is on the board while somebody reads,
// or a body is kept.
type box struct {
	running *body // being encoded, or nil
	next    *body // not begun, or nil
	whole   *body // encoded and kept, or nil
}

// NewBoard returns an empty board. At most one less than the processors encode
// at a time, so that one is left for the rest of the process.
func NewBoard() *Board {
	return &Board{window: Window, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)), boxes: make(map[string]*box)}
}

// Copy writes the document of a name to out. It returns out's error, or that of
// encoding.
func (b *Board) Copy(name string, from Source, out io.Writer) error {
	body, r := b.join(name, from)
	for {
		chunk, err := body.take(r)
		if err != nil {
			return err
		}
		if chunk == nil {
			break
		}
		if _, err := out.Write(chunk); err != nil {
			body.leave(r)
			return err
		}
	}
	if !r.alone {
		return nil
	}
	// It fell behind what was kept, and goes on for itself.
	return body.document.Encode(&rest{out: out, skip: r.passed})
}

// join finds or begins a body that is true now, and a place in it.
func (b *Board) join(name string, from Source) (*body, *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.boxes[name]
	if x == nil {
		x = new(box)
		b.boxes[name] = x
	}
	revision := from.Revision()
	for _, y := range []*body{x.whole, x.running} {
		if y == nil {
			continue
		}
		if r, ok := y.enterIf(revision); ok {
			b.shared++
			return y, r
		}
	}
	if x.next == nil {
		x.next = newBody(b, name, from)
	} else {
		b.shared++
	}
	joined, r := x.next, x.next.enter()
	if x.running == nil {
		b.begin(x)
	}
	return joined, r
}

// begin lets the next body of a box be encoded. b.mu is held.
func (b *Board) begin(x *box) {
	x.running, x.next = x.next, nil
	go x.running.encode()
}

// moveOn lets the next body of a name begin: that before is encoded, or waits
// for its readers.
func (b *Board) moveOn(done *body) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.boxes[done.name]
	if x == nil || x.running != done {
		return
	}
	x.running = nil
	if x.next != nil {
		b.begin(x)
	} else if x.whole == nil {
		delete(b.boxes, done.name)
	}
}

// keep keeps a whole body in place of the one of its name, and lets go of the
// oldest ones beyond the bounds.
func (b *Board) keep(done *body, size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.boxes[done.name]; x != nil && x.whole != nil {
		b.drop(x.whole)
	}
	for len(b.kept) > 0 && (len(b.kept) >= maxKept || b.keptBytes()+size > b.window) {
		b.drop(b.kept[0])
	}
	x := b.boxes[done.name]
	if x == nil {
		x = new(box)
		b.boxes[done.name] = x
	}
	done.size = size
	x.whole = done
	b.kept = append(b.kept, done)
}

func (b *Board) keptBytes() int {
	n := 0
	for _, body := range b.kept {
		n += body.size
	}
	return n
}

// drop lets go of a whole body. Those who read it have it still.
func (b *Board) drop(gone *body) {
	for i, body := range b.kept {
		if body == gone {
			b.kept = append(b.kept[:i:i], b.kept[i+1:]...)
			break
		}
	}
	if x := b.boxes[gone.name]; x != nil && x.whole == gone {
		x.whole = nil
		if x.running == nil && x.next == nil {
			delete(b.boxes, gone.name)
		}
	}
}

// rest writes all but the first bytes.
type rest struct {
	out  io.Writer
	skip int64
}

func (r *rest) Write(p []byte) (int, error) {
	n := int(min(r.skip, int64(len(p))))
	r.skip -= int64(n)
	runtime.Gosched()
	if n == len(p) {
		return n, nil
	}
	written, err := r.out.Write(p[n:])
	return n + written, err
}
