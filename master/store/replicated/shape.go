package replicated

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxNesting bounds how deep values are in each other in an entry; Raft's are
// members of one map.
const maxNesting = 8

var errShort = errors.New("it ends within a value")

// checkShape tells whether data is one value in MessagePack, and nothing beside
// it. Raft's store believes each length that it reads, and makes room for it at
// once: four spoiled bytes are 4 GB.
func checkShape(data []byte) error {
	rest, err := skipValue(data, maxNesting)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are left behind the value", len(rest))
	}
	if err != nil {
		return fmt.Errorf("of %d bytes: %w", len(data), err)
	}
	return nil
}

// skipValue returns what follows the first value of data.
func skipValue(data []byte, nesting int) ([]byte, error) {
	if nesting == 0 {
		return nil, fmt.Errorf("its values are more than %d deep in each other", maxNesting)
	}
	if len(data) == 0 {
		return nil, errShort
	}
	first, data := data[0], data[1:]
	size, values := uint64(0), uint64(0)
	switch {
	case first <= 0x7f, first >= 0xe0: // a small number
	case first <= 0x8f:
		values = 2 * uint64(first&0xf)
	case first <= 0x9f:
		values = uint64(first & 0xf)
	case first <= 0xbf:
		size = uint64(first & 0x1f)
	default:
		k := heads[first-0xc0]
		if !k.known {
			return nil, fmt.Errorf("no value begins with %#x", first)
		}
		length, rest, err := readLength(data, k.length)
		if err != nil {
			return nil, err
		}
		data, size, values = rest, k.size+length*k.each, length*k.values
	}
	if size > uint64(len(data)) || values > uint64(len(data)) { // a value has a byte at least
		return nil, fmt.Errorf("%w: %d bytes and %d values should follow %#x, and %d bytes are there", errShort, size, values, first, len(data))
	}
	data = data[size:]
	for range values {
		var err error
		if data, err = skipValue(data, nesting-1); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// readLength reads a length of so many bytes.
func readLength(data []byte, bytes int) (length uint64, rest []byte, err error) {
	if len(data) < bytes {
		return 0, nil, errShort
	}
	var wide [8]byte
	copy(wide[8-bytes:], data)
	return binary.BigEndian.Uint64(wide[:]), data[bytes:], nil
}

// head is what follows the first byte of a value: a length of so many bytes, or
// none; size bytes, and so many more, or values, for each that the length counts.
type head struct {
	known        bool
	length       int
	size         uint64
	each, values uint64
}

// heads are those of 0xc0 to 0xdf.
var heads = [32]head{
	0x00: {known: true},                     // nil
	0x02: {known: true},                     // false
	0x03: {known: true},                     // true
	0x04: {known: true, length: 1, each: 1}, // bytes
	0x05: {known: true, length: 2, each: 1},
	0x06: {known: true, length: 4, each: 1},
	0x07: {known: true, length: 1, size: 1, each: 1}, // an extension, and its kind
	0x08: {known: true, length: 2, size: 1, each: 1},
	0x09: {known: true, length: 4, size: 1, each: 1},
	0x0a: {known: true, size: 4}, // a fraction
	0x0b: {known: true, size: 8},
	0x0c: {known: true, size: 1}, // a number
	0x0d: {known: true, size: 2},
	0x0e: {known: true, size: 4},
	0x0f: {known: true, size: 8},
	0x10: {known: true, size: 1}, // a number with a sign
	0x11: {known: true, size: 2},
	0x12: {known: true, size: 4},
	0x13: {known: true, size: 8},
	0x14: {known: true, size: 1 + 1}, // an extension of a fixed size
	0x15: {known: true, size: 1 + 2},
	0x16: {known: true, size: 1 + 4},
	0x17: {known: true, size: 1 + 8},
	0x18: {known: true, size: 1 + 16},
	0x19: {known: true, length: 1, each: 1}, // a text
	0x1a: {known: true, length: 2, each: 1},
	0x1b: {known: true, length: 4, each: 1},
	0x1c: {known: true, length: 2, values: 1}, // a list
	0x1d: {known: true, length: 4, values: 1},
	0x1e: {known: true, length: 2, values: 2}, // a map
	0x1f: {known: true, length: 4, values: 2},
}
