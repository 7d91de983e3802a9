package share

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// library has one document, whose text tells its revision.
type library struct {
	revision atomic.Uint64
	encoded  atomic.Int64
	pieces   int // of a kilobyte
	before   func()
}

func (l *library) Revision() uint64 { return l.revision.Load() }

func (l *library) Now() Document {
	revision := l.revision.Load()
	return Document{Revision: revision, Encode: func(out io.Writer) error {
		l.encoded.Add(1)
		if l.before != nil {
			l.before()
		}
		for i := range l.pieces {
			if _, err := io.WriteString(out, piece(revision, i)); err != nil {
				return err
			}
		}
		return nil
	}}
}

func piece(revision uint64, i int) string {
	head := fmt.Sprintf("%d/%d ", revision, i)
	return head + strings.Repeat("x", 1<<10-len(head))
}

func (l *library) text(revision uint64) string {
	var text strings.Builder
	for i := range l.pieces {
		text.WriteString(piece(revision, i))
	}
	return text.String()
}

func TestTheSameIsEncodedOnce(t *testing.T) {
	b, l := NewBoard(), &library{pieces: 100}
	for range 3 {
		var out bytes.Buffer
		if err := b.Copy("a", l, &out); err != nil || out.String() != l.text(0) {
			t.Fatalf("%d bytes, %v", out.Len(), err)
		}
	}
	if n := l.encoded.Load(); n != 1 || b.Shared() != 2 {
		t.Errorf("encoded %d times, shared %d times", n, b.Shared())
	}
	l.revision.Add(1)
	var out bytes.Buffer
	if err := b.Copy("a", l, &out); err != nil || out.String() != l.text(1) {
		t.Errorf("after a change: %d bytes, %v", out.Len(), err)
	}
}

// Those who ask while something older is encoded share the next.
func TestAWaitingCrowdSharesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		b, l := NewBoard(), &library{pieces: 100, before: func() { <-hold }}
		var done sync.WaitGroup
		read := func(want uint64) {
			done.Go(func() {
				var out bytes.Buffer
				if err := b.Copy("a", l, &out); err != nil || out.String() != l.text(want) {
					t.Errorf("%d bytes, %v", out.Len(), err)
				}
			})
		}
		read(0)
		synctest.Wait()
		l.revision.Add(1)
		for range 20 {
			read(1)
		}
		synctest.Wait()
		close(hold)
		done.Wait()
		if n := l.encoded.Load(); n != 2 {
			t.Errorf("encoded %d times", n)
		}
	})
}

// tap gives what is written through when somebody turns it on.
type tap struct {
	on  chan struct{}
	got bytes.Buffer
}

func (p *tap) Write(b []byte) (int, error) {
	<-p.on
	return p.got.Write(b)
}

// Documents beyond the window: everybody gets all, whoever is slow waits for
// nobody but itself, and no more than the window is held.
func TestASlowReaderGoesOnAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := NewBoard(), &library{pieces: 1000, before: func() { <-time.After(time.Second) }}
		b.window = 64 << 10
		slow := &tap{on: make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- b.Copy("a", l, slow) }()
		var done sync.WaitGroup
		for range 5 {
			done.Go(func() {
				var out bytes.Buffer
				if err := b.Copy("a", l, &out); err != nil || out.String() != l.text(0) {
					t.Errorf("%d bytes, %v", out.Len(), err)
				}
			})
		}
		done.Wait()
		l.revision.Add(1)
		var out bytes.Buffer
		if err := b.Copy("a", l, &out); err != nil || out.String() != l.text(1) {
			t.Errorf("beside it: %d bytes, %v", out.Len(), err)
		}
		close(slow.on)
		if err := <-ended; err != nil || slow.got.String() != l.text(0) {
			t.Errorf("alone: %d bytes, %v", slow.got.Len(), err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.boxes) != 0 || len(b.kept) != 0 {
			t.Errorf("%d boxes and %d documents are kept", len(b.boxes), len(b.kept))
		}
	})
}

// A reader that is gone, an encoding that fails or panics, harm nobody else.
func TestFailures(t *testing.T) {
	b, l := NewBoard(), &library{pieces: 100}
	b.window = 8 << 10
	gone := errors.New("gone")
	if err := b.Copy("a", l, failing{gone}); !errors.Is(err, gone) {
		t.Errorf("a reader that is gone: %v", err)
	}
	l.before = func() { panic("no such thing") }
	if err := b.Copy("b", l, io.Discard); err == nil || !strings.Contains(err.Error(), "encoding b: no such thing") {
		t.Errorf("a panic: %v", err)
	}
	l.before = nil
	var out bytes.Buffer
	if err := b.Copy("b", l, &out); err != nil || out.String() != l.text(0) {
		t.Errorf("after it: %d bytes, %v", out.Len(), err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What is kept is bounded in number and size.
func TestWhatIsKeptIsBounded(t *testing.T) {
	b, l := NewBoard(), &library{pieces: 10}
	b.window = 50 << 10
	for i := range 100 {
		if err := b.Copy(fmt.Sprint(i), l, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func() bool { // the last encoding may still be putting its document away
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.boxes) == len(b.kept)
	}
	for !quiet() {
		<-time.After(time.Millisecond)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) != 5 || b.keptBytes() != 50<<10 {
		t.Errorf("%d documents of %d bytes", len(b.kept), b.keptBytes())
	}
}

func BenchmarkCopy(b *testing.B) {
	board, l := NewBoard(), &library{pieces: 10_000}
	for b.Loop() {
		l.revision.Add(1)
		if err := board.Copy("a", l, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(10_000 << 10)
}
