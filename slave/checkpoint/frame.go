package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

const (
	headerSize = 12
	// maxFrame bounds a frame, so that a damaged length is known for one.
	maxFrame = 256 << 20
)

var (
	mark       = []byte("\xf5JR\x01")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// AppendFrame adds records to b, the bytes of a journal, as the frame that
// Journal would write. The error, with b as it was, is about their size.
func AppendFrame(b []byte, records []*cluster.JournalRecord) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, headerSize)...)
	b, err := proto.MarshalOptions{}.MarshalAppend(b, &cluster.JournalBatch{Records: records})
	if err != nil {
		return b[:start], fmt.Errorf("encoding %d journal records: %w", len(records), err)
	}
	body := b[start+headerSize:]
	if len(body) > maxFrame {
		return b[:start], fmt.Errorf("%d journal records take %d bytes, more than %d", len(records), len(body), maxFrame)
	}
	header := b[start:]
	copy(header, mark)
	binary.LittleEndian.PutUint32(header[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(header[8:], checksum(body))
	return b, nil
}

// checksum need not cover the length: with another one, the body is another.
func checksum(body []byte) uint32 { return crc32.Checksum(body, castagnoli) }

// frameAt is the body of the frame that b begins with.
func frameAt(b []byte) (body []byte, ok bool) {
	if len(b) < headerSize || !bytes.Equal(b[:len(mark)], mark) {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > maxFrame || int(n) > len(b)-headerSize {
		return nil, false
	}
	body = b[headerSize : headerSize+int(n)]
	return body, checksum(body) == binary.LittleEndian.Uint32(b[8:])
}

// DamageError is a part of a journal that nobody can account for.
type DamageError struct {
	Path string
	// The frame, counted from 1, and where it begins.
	Frame  int
	Offset int64
	Why    string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal %s is damaged: frame %d, at offset %d: %s", e.Path, e.Frame, e.Offset, e.Why)
}

// contents is what a journal's file holds.
type contents struct {
	records []*cluster.JournalRecord
	whole   int64          // where the last good frame ends
	damage  []*DamageError // what was left out
}

// Frames reads b, the bytes of a journal: the records, and how many bytes they
// take. What follows those is a frame that was not written wholly. The error is
// the first *DamageError.
func Frames(b []byte) (records []*cluster.JournalRecord, whole int, err error) {
	c := decode("in memory", b)
	if len(c.damage) > 0 {
		err = c.damage[0]
	}
	return c.records, int(c.whole), err
}

// decode reads all frames of b.
func decode(path string, b []byte) contents {
	var c contents
	frame := 0
	for rest := b; len(rest) > 0; {
		frame++
		offset := int64(len(b) - len(rest))
		damaged := func(why string) { c.damage = append(c.damage, &DamageError{path, frame, offset, why}) }
		body, ok := frameAt(rest)
		if !ok {
			next := findFrame(rest[1:])
			if next < 0 {
				return c // torn: never answered
			}
			damaged(fmt.Sprintf("no frame begins there, but one does at offset %d", offset+1+int64(next)))
			rest = rest[1+next:]
			continue
		}
		batch := new(cluster.JournalBatch)
		if err := proto.Unmarshal(body, batch); err != nil {
			damaged("the frame is whole but its records are not: " + err.Error())
		} else {
			c.records = append(c.records, batch.GetRecords()...)
		}
		rest = rest[headerSize+len(body):]
		c.whole = int64(len(b) - len(rest))
	}
	return c
}

// findFrame is where in b a whole frame begins, -1 if nowhere.
func findFrame(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], mark)
		if i < 0 {
			return -1
		}
		if _, ok := frameAt(b[from+i:]); ok {
			return from + i
		}
		from += i + 1
	}
}
