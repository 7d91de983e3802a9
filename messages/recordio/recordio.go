// Package recordio frames records in a stream as Mesos clients expect: the
// length of the record in decimal, a line feed, then exactly that many bytes.
// HTTP faces and the SDK may import it.
package recordio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// What is wrong with a stream; after any of them it cannot be read further.
var (
	// ErrLength means that a length is not a decimal number.
	ErrLength = errors.New("recordio: the length of a record is not a number")
	// ErrTooLarge means that a record is longer than the limit.
	ErrTooLarge = errors.New("recordio: a record is over the limit")
	// ErrTruncated means that the stream ends within a record.
	ErrTruncated = errors.New("recordio: the stream ends within a record")
)

const (
	maxDigits = 20       // of the largest 64-bit number
	step      = 64 << 10 // bytes by which a buffer grows ahead of its data
)

// Reader reads records. It holds at most one record and a small buffer, and
// reserves memory only as data arrives, whatever length is announced.
type Reader struct {
	in     *bufio.Reader
	limit  int
	record []byte
	offset int64 // of the stream's bytes consumed
	err    error
}

// NewReader returns a Reader of in that accepts records of up to limit bytes.
func NewReader(in io.Reader, limit int) *Reader {
	return &Reader{in: bufio.NewReader(in), limit: limit}
}

// Next returns the next record, which stays valid until the next call. Blank
// lines before a length are skipped. At the end of the stream it returns
// io.EOF; otherwise an error of in, or one that wraps ErrLength, ErrTooLarge
// or ErrTruncated and names the place. Errors stay.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	size, err := r.length()
	if err == nil {
		err = r.read(size)
	}
	if err != nil {
		r.err, r.record = err, nil
		return nil, err
	}
	return r.record, nil
}

// length reads up to and including the line feed after a length.
func (r *Reader) length() (int, error) {
	var digits [maxDigits]byte
	n := 0
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			if n > 0 {
				return 0, r.ended(err)
			}
			return 0, err
		}
		r.offset++
		switch {
		case b == '\n' && n > 0:
			return r.checked(string(digits[:n]))
		case b == '\n':
		case b < '0' || b > '9':
			return 0, fmt.Errorf("%w: %q at byte %d", ErrLength, append(digits[:n:n], b), r.offset)
		case n == maxDigits:
			return 0, fmt.Errorf("%w: more than %d digits at byte %d", ErrTooLarge, maxDigits, r.offset)
		default:
			digits[n] = b
			n++
		}
	}
}

func (r *Reader) checked(digits string) (int, error) {
	size, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || size > uint64(r.limit) {
		return 0, fmt.Errorf("%w: %s bytes, limit %d, before byte %d", ErrTooLarge, digits, r.limit, r.offset)
	}
	return int(size), nil
}

// read fills r.record with size bytes.
func (r *Reader) read(size int) error {
	r.record = r.record[:0]
	for len(r.record) < size {
		have := len(r.record)
		next := min(size, max(2*have, step))
		if cap(r.record) < next {
			r.record = append(make([]byte, 0, next), r.record...)
		}
		n, err := io.ReadFull(r.in, r.record[have:next])
		r.record = r.record[:have+n]
		r.offset += int64(n)
		if err != nil {
			return r.ended(err)
		}
	}
	return nil
}

// ended turns the end of the stream into ErrTruncated.
func (r *Reader) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w, at byte %d", ErrTruncated, r.offset)
	}
	return err
}

// Append appends record with its frame to buffer.
func Append(buffer, record []byte) []byte {
	buffer = strconv.AppendInt(buffer, int64(len(record)), 10)
	buffer = append(buffer, '\n')
	return append(buffer, record...)
}

// Writer writes records.
type Writer struct {
	out    io.Writer
	limit  int
	buffer []byte
}

// NewWriter returns a Writer to out that refuses records over limit bytes.
func NewWriter(out io.Writer, limit int) *Writer {
	return &Writer{out: out, limit: limit}
}

// Write writes one record in one call of the underlying Write, so that over
// HTTP each record is a chunk of its own. It returns the length of record, or
// an error that wraps ErrTooLarge, before anything is written, or is the
// underlying one.
func (w *Writer) Write(record []byte) (int, error) {
	if len(record) > w.limit {
		return 0, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(record), w.limit)
	}
	w.buffer = Append(w.buffer[:0], record)
	if _, err := w.out.Write(w.buffer); err != nil {
		return 0, err
	}
	if cap(w.buffer) > step {
		w.buffer = nil // a rare large record shall not stay in memory
	}
	return len(record), nil
}
