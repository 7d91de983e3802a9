package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

// DictionaryError tells that an archive needs more memory to be unpacked than it may.
type DictionaryError struct {
	// Size is what it needs, in bytes; 0: nobody knows, but it is more than Max.
	Size, Max int64
}

func (e *DictionaryError) Error() string {
	size := fmt.Sprintf("%d bytes", e.Size)
	if e.Size <= e.Max {
		size = "more"
	}
	return fmt.Sprintf("needs a dictionary of %s to be unpacked, and --fetcher_max_dictionary_size allows %d bytes: "+
		"pack it with a smaller one (xz -6, zstd -19), or have that flag raised", size, e.Max)
}

// zstdSize is the window of the first frame of a zstd file; 0 if that cannot be told.
func zstdSize(file *os.File) int64 {
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0 // who reads it next will say so
	}
	var h zstd.Header
	if h.Decode(head[:n]) != nil {
		return 0
	}
	return int64(min(h.WindowSize, 1<<62))
}

// xzGuard reads an xz file for a decoder that would make a dictionary as large as each
// block asks for: a block that asks for too much is an error instead. It follows how
// the file is made up (streams of blocks of LZMA2 chunks, whose sizes it has all), and
// looks into no chunk.
type xzGuard struct {
	from io.Reader
	max  int64
	// What comes next: skip bytes of no interest, then want bytes, which are for then.
	skip int64
	want int
	head []byte
	then func([]byte) error

	check   int64  // the length of a block's checksum
	packed  int64  // of the block, so far
	indexed int64  // length of the index, so far
	numbers uint64 // of the index that are to come
}

func newXZGuard(from io.Reader, most int64) *xzGuard {
	g := &xzGuard{from: from, max: most}
	g.expect(0, 4, g.magic)
	return g
}

func (g *xzGuard) expect(skip int64, want int, then func([]byte) error) {
	g.skip, g.want, g.then, g.head = skip, want, then, g.head[:0]
}

// Read implements io.Reader. What it returns has been looked at.
func (g *xzGuard) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		over := min(g.skip, int64(len(rest)))
		g.skip, rest = g.skip-over, rest[over:]
		take := min(g.want-len(g.head), len(rest))
		g.head, rest = append(g.head, rest[:take]...), rest[take:]
		if g.skip > 0 || len(g.head) < g.want {
			continue
		}
		if bad := g.then(g.head); bad != nil {
			return 0, bad
		}
	}
	return n, err
}

var errXZ = errors.New("it is no xz file")

// magic is the first word of a stream, or padding between two.
func (g *xzGuard) magic(b []byte) error {
	if binary.BigEndian.Uint32(b) == 0 {
		g.expect(0, 4, g.magic)
	} else {
		g.expect(0, 8, g.stream)
	}
	return nil
}

func (g *xzGuard) stream(b []byte) error {
	sizes := map[byte]int64{0: 0, 1: 4, 4: 8, 10: 32}
	check, known := sizes[b[3]]
	if !known {
		return errXZ
	}
	g.check = check
	g.expect(0, 1, g.block)
	return nil
}

func (g *xzGuard) block(b []byte) error {
	if b[0] == 0 {
		g.indexed, g.numbers = 1, 0
		g.expect(0, 1, g.records(true))
		return nil
	}
	g.expect(0, 4*(int(b[0])+1)-1, g.header)
	return nil
}

// header is that of a block, behind its length.
func (g *xzGuard) header(b []byte) error {
	const filters, packedSize, plainSize, lzma2 = 0x03, 0x40, 0x80, 0x21
	flags, rest := b[0], b[1:len(b)-4]
	if flags&filters != 0 {
		return errXZ // others than LZMA2 are not decoded
	}
	for _, present := range []byte{packedSize, plainSize} {
		if flags&present == 0 {
			continue
		}
		_, n := binary.Uvarint(rest)
		if n <= 0 {
			return errXZ
		}
		rest = rest[n:]
	}
	if len(rest) < 3 || rest[0] != lzma2 || rest[1] != 1 {
		return errXZ
	}
	size, err := lzma.DecodeDictCap(rest[2])
	if err != nil {
		return errXZ
	}
	if size > g.max {
		return &DictionaryError{Size: size, Max: g.max}
	}
	g.packed = 0
	g.expect(0, 1, g.chunk)
	return nil
}

// chunk is the first byte of one.
func (g *xzGuard) chunk(b []byte) error {
	g.packed++
	switch c := b[0]; {
	case c == 0:
		g.expect(padding(g.packed)+g.check, 1, g.block)
	case c <= 2:
		g.expect(0, 2, g.plain)
	case c >= 0xc0:
		g.expect(0, 5, g.packedChunk)
	case c >= 0x80:
		g.expect(0, 4, g.packedChunk)
	default:
		return errXZ
	}
	return nil
}

func (g *xzGuard) plain(b []byte) error { return g.over(b, 0) }

func (g *xzGuard) packedChunk(b []byte) error { return g.over(b, 2) }

// over goes over a chunk, the length of which is in its head.
func (g *xzGuard) over(b []byte, at int) error {
	length := int64(binary.BigEndian.Uint16(b[at:])) + 1
	g.packed += int64(len(b)) + length
	g.expect(length, 1, g.chunk)
	return nil
}

// records reads the numbers of an index, the first of which says how many pairs follow,
// a byte at a time.
func (g *xzGuard) records(first bool) func([]byte) error {
	var number []byte
	return func(b []byte) error {
		g.indexed++
		if number = append(number, b[0]); len(number) > binary.MaxVarintLen64 {
			return errXZ
		}
		if b[0] >= 0x80 {
			g.expect(0, 1, g.then)
			return nil
		}
		value, n := binary.Uvarint(number)
		if n <= 0 {
			return errXZ
		}
		number = number[:0]
		if first {
			if first = false; value > 1<<60 {
				return errXZ
			}
			g.numbers = 2 * value
		} else {
			g.numbers--
		}
		if g.numbers > 0 {
			g.expect(0, 1, g.then)
			return nil
		}
		const sum, footer = 4, 12
		g.expect(padding(g.indexed)+sum+footer, 4, g.magic)
		return nil
	}
}

// padding is what fills n up to a multiple of four.
func padding(n int64) int64 { return (4 - n%4) % 4 }
