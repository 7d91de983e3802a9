package pen

import "sync"

// PieceSize is how long a piece becomes before the next is begun, in bytes.
const PieceSize = 64 << 10

// pieces are those that nobody uses any more.
var pieces = sync.Pool{New: func() any { return new([PieceSize + PieceSize/8]byte) }}

// Piece returns an empty slice with room for a piece.
func Piece() []byte { return pieces.Get().(*[PieceSize + PieceSize/8]byte)[:0] }

// Reuse takes back a slice that nobody reads or writes any more; one that Piece
// did not make is left alone.
func Reuse(b []byte) {
	if cap(b) == PieceSize+PieceSize/8 {
		pieces.Put((*[PieceSize + PieceSize/8]byte)(b[:cap(b)]))
	}
}
