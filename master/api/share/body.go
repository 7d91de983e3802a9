package share

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"troupe/messages/pen"
)

// errDeserted ends the encoding of what nobody reads any more.
var errDeserted = errors.New("share: nobody reads it")

// body is a document while it is encoded and read.
type body struct {
	board *Board
	name  string
	from  Source
	size  int // of a body that is kept; the board's

	mu       sync.Mutex
	changed  *sync.Cond
	begun    bool // document is there
	document Document
	chunks   [][]byte // from first on
	first    int      // how many chunks were let go
	held     int      // bytes in chunks
	ended    bool
	whole    bool // it may be on the board for those who come
	err      error
	readers  map[*reader]bool
}

// reader is somebody's place in a body.
type reader struct {
	at     int   // the chunk that is next, or that it has now
	has    int   // bytes of that which it has now; 0: none
	passed int64 // bytes of those before
	since  time.Time
	// It fell behind, and is none of the body's readers any more.
	alone bool
}

func newBody(b *Board, name string, from Source) *body {
	y := &body{board: b, name: name, from: from, readers: make(map[*reader]bool)}
	y.changed = sync.NewCond(&y.mu)
	return y
}

// enter makes a place at the begin, which must be there.
func (y *body) enter() *reader {
	y.mu.Lock()
	defer y.mu.Unlock()
	r := new(reader)
	y.readers[r] = true
	return r
}

// enterIf is enter, while the body is being encoded or whole, all of it is there
// yet, and it is still true.
func (y *body) enterIf(revision uint64) (*reader, bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if !y.begun || y.document.Revision != revision || y.first > 0 || y.err != nil {
		return nil, false
	}
	r := new(reader)
	y.readers[r] = true
	return r, true
}

func (y *body) leave(r *reader) {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.readers, r)
	y.reuse()
	y.changed.Broadcast()
}

// reuse gives up the chunks of a body that is over, when nobody has any of them.
func (y *body) reuse() {
	if !y.ended || y.whole || len(y.readers) > 0 {
		return
	}
	for _, chunk := range y.chunks {
		pen.Reuse(chunk)
	}
	y.chunks, y.held = nil, 0
}

// take waits for the next chunk, which the reader has until it takes the one
// after it; nil is the end of what the reader gets here.
func (y *body) take(r *reader) ([]byte, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if r.has > 0 {
		r.at++
		r.passed += int64(r.has)
		r.has = 0
		y.changed.Broadcast()
	}
	for {
		switch {
		case r.alone:
			return nil, nil
		case r.at-y.first < len(y.chunks):
			chunk := y.chunks[r.at-y.first]
			r.has, r.since = len(chunk), time.Now()
			return chunk, nil
		case y.ended:
			delete(y.readers, r)
			y.reuse()
			return nil, y.err
		}
		y.changed.Wait()
	}
}

// encode runs the encoding, and keeps the body if it is whole.
func (y *body) encode() {
	y.board.turns <- struct{}{}
	err := y.encoded()
	<-y.board.turns
	y.mu.Lock()
	y.ended, y.err = true, err
	y.whole = err == nil && y.first == 0
	whole, size := y.whole, y.held
	y.reuse()
	y.changed.Broadcast()
	y.mu.Unlock()
	if whole {
		y.board.keep(y, size)
	}
	y.board.moveOn(y)
}

func (y *body) encoded() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("share: encoding %s: %v", y.name, p)
		}
	}()
	document := y.from.Now()
	y.mu.Lock()
	y.document, y.begun = document, true
	y.mu.Unlock()
	return document.Encode(y)
}

// Write adds a chunk for the readers. It waits while the window is full, and
// lets whoever keeps the others waiting go on alone.
func (y *body) Write(p []byte) (int, error) {
	chunk := pen.Piece()
	if len(p) > cap(chunk) {
		pen.Reuse(chunk)
		chunk = make([]byte, 0, len(p))
	}
	if err := y.Take(append(chunk, p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Take is Write of a chunk that is the body's from now on.
func (y *body) Take(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	runtime.Gosched() // actors first
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.held+len(p) > y.board.window {
		y.letGo()
	}
	for y.held+len(p) > y.board.window && y.held > 0 {
		if len(y.readers) == 0 {
			return errDeserted
		}
		y.await()
		y.letGo()
	}
	y.chunks = append(y.chunks, p)
	y.held += len(p)
	y.changed.Broadcast()
	return nil
}

// letGo drops the chunks that every reader has passed, while the window is full.
func (y *body) letGo() {
	slowest := y.first + len(y.chunks)
	for r := range y.readers {
		slowest = min(slowest, r.at)
	}
	for y.first < slowest {
		y.held -= len(y.chunks[0])
		pen.Reuse(y.chunks[0])
		y.chunks[0] = nil
		y.chunks = y.chunks[1:]
		y.first++
	}
}

// await gives up the turn until a reader has moved, or dismisses those that do
// not. y.mu is held.
func (y *body) await() {
	var late *reader
	for r := range y.readers {
		if r.at == y.first && (late == nil || r.since.Before(late.since)) {
			late = r
		}
	}
	if late == nil {
		return
	}
	if late.since.IsZero() {
		late.since = time.Now()
	}
	left := patience - time.Since(late.since)
	if left <= 0 {
		late.alone = true
		delete(y.readers, late)
		if late.has > 0 { // and goes on reading it
			y.chunks[0] = bytes.Clone(y.chunks[0])
		}
		y.changed.Broadcast()
		return
	}
	<-y.board.turns
	timer := time.AfterFunc(left, func() {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.changed.Broadcast()
	})
	y.changed.Wait()
	timer.Stop()
	y.mu.Unlock()
	y.board.moveOn(y)
	y.board.turns <- struct{}{}
	y.mu.Lock()
}
