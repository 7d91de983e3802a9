package replicated

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"sync/atomic"

	"github.com/hashicorp/raft"
	boltstore "github.com/hashicorp/raft-boltdb/v2"
)

// diskLog is Raft's log and its few numbers (term, vote) in one bbolt file.
// Every entry and every number stands with its CRC-32C, so that what the disk
// spoiled is not taken for what was written.
type diskLog struct {
	*boltstore.BoltStore
	// failed is told when the disk fails under a running replica. Raft would
	// panic over some of these errors; its goroutine is ended instead, and the
	// process in order.
	failed  func(error)
	running atomic.Bool
	growth  growth
	bytes   atomic.Int64 // of entries, since the last snapshot for their sake
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entrySum is over everything of an entry that Raft acts on.
func entrySum(l *raft.Log) []byte {
	head := binary.BigEndian.AppendUint64(nil, l.Index)
	head = binary.BigEndian.AppendUint64(head, l.Term)
	head = append(head, byte(l.Type))
	sum := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, l.Data)
	return binary.BigEndian.AppendUint32(nil, sum)
}

// GetLog reads one entry.
func (d *diskLog) GetLog(index uint64, l *raft.Log) error {
	err := d.get(index, l)
	if err != nil && !errors.Is(err, raft.ErrLogNotFound) {
		d.fail(err)
	}
	return err
}

func (d *diskLog) get(index uint64, l *raft.Log) error {
	if err := d.BoltStore.GetLog(index, l); err != nil {
		if errors.Is(err, raft.ErrLogNotFound) {
			return err
		}
		return fmt.Errorf("entry %d of the log: %w", index, err)
	}
	if l.Index != index || string(l.Extensions) != string(entrySum(l)) {
		return fmt.Errorf("entry %d of the log: its checksum is wrong", index)
	}
	l.Extensions = nil
	return nil
}

// StoreLog appends one entry.
func (d *diskLog) StoreLog(l *raft.Log) error { return d.StoreLogs([]*raft.Log{l}) }

// StoreLogs appends entries, all or none; it returns when they are durable.
// An error is not fatal by itself: a leader steps down, and a follower's leader
// sends them again when there is space.
func (d *diskLog) StoreLogs(logs []*raft.Log) error {
	sealed := make([]*raft.Log, len(logs))
	for i, l := range logs {
		copied := *l
		copied.Extensions = entrySum(l)
		sealed[i] = &copied
	}
	if err := d.BoltStore.StoreLogs(sealed); err != nil {
		return err
	}
	d.written(logs)
	return nil
}

// Set keeps a value; Raft keeps its vote so.
func (d *diskLog) Set(key, value []byte) error {
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(value, castagnoli))
	err := d.BoltStore.Set(key, append(sum, value...))
	if err != nil {
		d.fail(fmt.Errorf("%s: %w", key, err))
	}
	return err
}

// Get reads a value; absent is an error that Raft knows.
func (d *diskLog) Get(key []byte) ([]byte, error) {
	sealed, err := d.BoltStore.Get(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 4 || crc32.Checksum(sealed[4:], castagnoli) != binary.BigEndian.Uint32(sealed) {
		return nil, fmt.Errorf("%s: its checksum is wrong", key)
	}
	return sealed[4:], nil
}

// SetUint64 keeps a number.
func (d *diskLog) SetUint64(key []byte, value uint64) error {
	return d.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

// GetUint64 reads a number.
func (d *diskLog) GetUint64(key []byte) (uint64, error) {
	value, err := d.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, fmt.Errorf("%s: %d bytes are no number", key, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// fail tells of a disk that failed, and ends Raft's goroutine that met it
// before it can panic. While the replica is being opened there is none.
func (d *diskLog) fail(err error) {
	if d.running.Load() {
		d.failed(fmt.Errorf("%w: %w", errDisk, err))
		runtime.Goexit()
	}
}

// optional reads a value that may be absent: nil.
func (d *diskLog) optional(key []byte) ([]byte, error) {
	value, err := d.Get(key)
	if errors.Is(err, boltstore.ErrKeyNotFound) {
		return nil, nil
	}
	return value, err
}

// verify reads the whole log, and tells what is damaged in it, or missing behind
// the last snapshot. It returns the last membership that the log has.
func (d *diskLog) verify(snapshot uint64) (members raft.Configuration, err error) {
	first, err := d.FirstIndex()
	if err != nil {
		return members, err
	}
	last, err := d.LastIndex()
	if err != nil {
		return members, err
	}
	if first > snapshot+1 {
		return members, fmt.Errorf("the log begins with entry %d, the last snapshot ends with %d: what is between is missing", first, snapshot)
	}
	for i := first; i <= last && last > 0; i++ {
		var l raft.Log
		err := d.get(i, &l)
		if errors.Is(err, raft.ErrLogNotFound) && i <= snapshot {
			continue // another master's snapshot took the place of what is missing
		}
		if err != nil {
			return members, err
		}
		if err := checkEntry(&l); err != nil {
			return members, fmt.Errorf("entry %d of the log: %w", i, err)
		}
		if i > snapshot {
			d.bytes.Add(int64(len(l.Data)))
		}
		if l.Type == raft.LogConfiguration && i > snapshot {
			if members, err = decodeMembership(l.Data); err != nil {
				return members, err
			}
		}
	}
	return members, nil
}
