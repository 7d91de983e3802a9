package mesosclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// MaxRecord is the longest record that is read, in bytes.
const MaxRecord = 256 << 20

// Records reads RecordIO: each record is its length in decimal, a line feed,
// and so many bytes.
type Records struct {
	in *bufio.Reader
}

// NewRecords reads from in.
func NewRecords(in io.Reader) *Records { return &Records{in: bufio.NewReader(in)} }

// Next is the next record. At the end between two records it is io.EOF, and
// inside one io.ErrUnexpectedEOF.
func (r *Records) Next() ([]byte, error) {
	size, err := r.length()
	if err != nil {
		return nil, err
	}
	var record bytes.Buffer // grows with what comes, not with what is announced
	if _, err := io.CopyN(&record, r.in, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return record.Bytes(), nil
}

func (r *Records) length() (int64, error) {
	digits := ""
	for {
		b, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && digits != "":
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case b == '\n' && digits == "":
			continue // blank lines are allowed
		case b == '\n':
			n, err := strconv.ParseInt(digits, 10, 64)
			if err != nil || n > MaxRecord {
				return 0, fmt.Errorf("a record of %s bytes: more than %d", digits, MaxRecord)
			}
			return n, nil
		case b < '0' || b > '9' || len(digits) == 20:
			return 0, fmt.Errorf("the length of a record begins %q", digits+string(b))
		}
		digits += string(b)
	}
}

// Record is data as a record.
func Record(data []byte) []byte {
	return append([]byte(strconv.Itoa(len(data))+"\n"), data...)
}
