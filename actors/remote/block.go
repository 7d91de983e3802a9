package remote

import (
	"sync"

	"troupe/actors/remote/frame"
)

// A block is a pooled piece of memory: of frames on their way out, of bytes
// read, or of a message being encoded.
type block struct{ b []byte }

// Sizes, so that a message or two for each of many peers stays cheap. The largest
// holds any frame.
const (
	smallBlock  = 4 << 10
	mediumBlock = 16 << 10
	largeBlock  = 2 * (frame.MaxPayload + frame.MaxHead)
)

var (
	smallBlocks  = sync.Pool{New: func() any { return &block{make([]byte, 0, smallBlock)} }}
	mediumBlocks = sync.Pool{New: func() any { return &block{make([]byte, 0, mediumBlock)} }}
	largeBlocks  = sync.Pool{New: func() any { return &block{make([]byte, 0, largeBlock)} }}
)

// newBlock gives an empty block with room for at least n bytes, n being at
// most largeBlock.
func newBlock(n int) *block {
	switch {
	case n <= smallBlock:
		return smallBlocks.Get().(*block)
	case n <= mediumBlock:
		return mediumBlocks.Get().(*block)
	}
	return largeBlocks.Get().(*block)
}

func (b *block) free() {
	b.b = b.b[:0]
	switch cap(b.b) {
	case smallBlock:
		smallBlocks.Put(b)
	case mediumBlock:
		mediumBlocks.Put(b)
	case largeBlock:
		largeBlocks.Put(b)
	}
}

func (b *block) room() int { return cap(b.b) - len(b.b) }
