package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"troupe/master/store/batches"
)

// A value in ZooKeeper is one record or several, so that none is too large for
// a transaction:
//
//	KEY             how many records it has, as a varint; the first piece
//	KEY "\x00" "1"  the next piece, and so on
//
// All pieces but the last are pieceBytes long.
const pieceBytes = 96 << 10

// count is how many records a value has.
func count(value []byte) int {
	return max(1, (len(value)+pieceBytes-1)/pieceBytes)
}

// pieceKey is the key of a piece that is not the first.
func pieceKey(key string, piece int) string { return key + separator + strconv.Itoa(piece) }

// divided is the records of a change, of which as many were there before.
func divided(c change, before int) []batches.Record {
	var records []batches.Record
	now := 0
	if c.value != nil {
		now = count(c.value)
		first := binary.AppendUvarint(nil, uint64(now))
		records = append(records, batches.Record{Key: c.key, Data: append(first, c.value[:min(pieceBytes, len(c.value))]...)})
		for i := 1; i < now; i++ {
			piece := c.value[i*pieceBytes : min((i+1)*pieceBytes, len(c.value))]
			records = append(records, batches.Record{Key: pieceKey(c.key, i), Data: bytes.Clone(piece)})
		}
	} else if before > 0 {
		records = append(records, batches.Record{Key: c.key})
	}
	for i := max(now, 1); i < before; i++ {
		records = append(records, batches.Record{Key: pieceKey(c.key, i)})
	}
	return records
}

// joined is the values of all records, and how many records each has.
func joined(records []batches.Record) (values map[string][]byte, pieces map[string]int, err error) {
	stored := make(map[string][]byte, len(records))
	for _, r := range records {
		stored[r.Key] = r.Data
	}
	values, pieces = make(map[string][]byte), make(map[string]int)
	used := 0
	for _, r := range records {
		if strings.Contains(r.Key, separator) {
			continue
		}
		n, value, err := join(stored, r)
		if err != nil {
			return nil, nil, fmt.Errorf("record %q: %w", r.Key, err)
		}
		values[r.Key], pieces[r.Key] = value, n
		used += n
	}
	if used != len(records) {
		return nil, nil, fmt.Errorf("%d of %d records are pieces of no value", len(records)-used, len(records))
	}
	return values, pieces, nil
}

// join puts a value together from its first record and those that belong to it.
func join(stored map[string][]byte, first batches.Record) (n int, value []byte, err error) {
	total, head := binary.Uvarint(first.Data)
	if head <= 0 || total == 0 || total > uint64(len(stored)) {
		return 0, nil, errors.New("how many pieces it has is not there, or too many")
	}
	value = first.Data[head:]
	if total == 1 {
		return 1, value, nil
	}
	value = bytes.Clone(value)
	for i := 1; i < int(total); i++ {
		piece, there := stored[pieceKey(first.Key, i)]
		if !there {
			return 0, nil, fmt.Errorf("piece %d of %d is missing", i, total)
		}
		value = append(value, piece...)
	}
	return int(total), value, nil
}
