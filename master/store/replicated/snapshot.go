package replicated

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// format is the stored form that this code reads and writes.
const format = 1

// maxHead bounds the head of a snapshot, which may hold most of a batch.
const maxHead = maxBatch + 1<<20

// snapshot is the registry at one index of the log, written as a
// RegistrySnapshot and its records, each behind its length.
type snapshot struct {
	head    *cluster.RegistrySnapshot
	records map[string][]byte
}

// Persist implements raft.FSMSnapshot.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	out := bufio.NewWriter(sink)
	if err := errors.Join(s.write(out), out.Flush()); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

func (s *snapshot) write(w io.Writer) error {
	if _, err := protodelim.MarshalTo(w, s.head); err != nil {
		return err
	}
	for _, r := range sortedRecords(s.records) {
		if _, err := protodelim.MarshalTo(w, r); err != nil {
			return err
		}
	}
	return nil
}

// Release implements raft.FSMSnapshot.
func (s *snapshot) Release() { s.records = nil }

// readSnapshot reads all of a snapshot, and refuses one that is not whole.
func readSnapshot(from io.Reader) (*snapshot, error) {
	in := bufio.NewReader(from)
	s := &snapshot{head: new(cluster.RegistrySnapshot), records: make(map[string][]byte)}
	if err := readDelimited(in, maxHead, s.head); err != nil {
		return nil, fmt.Errorf("head of the snapshot: %w", err)
	}
	if f := s.head.GetFormat(); f != format {
		return nil, fmt.Errorf("the snapshot has format %d: this version reads %d: use the version that wrote it", f, format)
	}
	for i := range s.head.GetRecords() {
		r := new(cluster.StoredRecord)
		if err := readDelimited(in, maxBatch, r); err != nil {
			return nil, fmt.Errorf("record %d of the snapshot: %w", i, err)
		}
		if _, twice := s.records[r.GetKey()]; twice || r.GetKey() == "" || r.Record == nil {
			return nil, fmt.Errorf("record %d of the snapshot: key %q is empty, without a record, or there twice", i, r.GetKey())
		}
		s.records[r.GetKey()] = r.GetRecord()
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("behind the %d records of the snapshot is more: %w", s.head.GetRecords(), err)
	}
	return s, nil
}

// readDelimited reads a message behind its length, and holds no more memory than
// bytes that came.
func readDelimited(in *bufio.Reader, most uint64, m proto.Message) error {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return err
	}
	if n > most {
		return fmt.Errorf("%d bytes; at most %d", n, most)
	}
	var data bytes.Buffer
	if _, err := io.CopyN(&data, in, int64(n)); err != nil {
		return err
	}
	return proto.Unmarshal(data.Bytes(), m)
}
