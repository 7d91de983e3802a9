package batches

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

const (
	// Format is the stored form that this code reads and writes.
	Format = 1
	// segmentBytes is how much of records a segment holds, unless one record
	// alone has more. ZooKeeper takes transactions of 1 MiB, but its servers keep
	// the last 500 of them in memory.
	segmentBytes = 128 << 10
	// MaxRecord bounds one record, in bytes.
	MaxRecord = 900 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal encodes a message behind its checksum.
func seal(m proto.Message) ([]byte, error) {
	data, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, 4), m)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(data, crc32.Checksum(data[4:], castagnoli))
	return data, nil
}

func unseal(data []byte, m proto.Message) error {
	if len(data) < 4 {
		return fmt.Errorf("it has %d bytes, which is no checksum", len(data))
	}
	if crc32.Checksum(data[4:], castagnoli) != binary.BigEndian.Uint32(data) {
		return errors.New("its checksum is wrong")
	}
	return proto.Unmarshal(data[4:], m)
}

// places are the paths of one log.
type places struct {
	root  string
	owner string
	kind  Kind
}

func (p places) log() string { return p.root + "/log" }

func (p places) entry(n uint64) string { return p.log() + "/" + numbered(n) }

const snapshotPrefix = "snapshot-"

func (p places) snapshotFolder(n uint64) string { return p.root + "/" + snapshotPrefix + numbered(n) }

func (p places) part(snapshot, n uint64) string {
	return p.snapshotFolder(snapshot) + "/" + numbered(n)
}

func numbered(n uint64) string { return fmt.Sprintf("%010d", n) }

// number reads what numbered wrote.
func number(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 10, 64)
	return n, err == nil && name == numbered(n)
}

// snapshotNumber reads the name of a snapshot's folder.
func snapshotNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, snapshotPrefix)
	if !ok {
		return 0, false
	}
	return number(digits)
}

// split divides records into segments, of which all but the last have more. The
// caller fills in the rest. Records that are too large are an error.
func split(records []*cluster.StoredRecord) ([]*cluster.RegistrySegment, error) {
	var all []*cluster.RegistrySegment
	size := 0
	for _, r := range records {
		n := len(r.GetKey()) + len(r.GetRecord())
		if n > MaxRecord {
			return nil, fmt.Errorf("record %q has %d bytes, limit %d", r.GetKey(), n, MaxRecord)
		}
		if len(all) == 0 || size+n > segmentBytes {
			all = append(all, new(cluster.RegistrySegment))
			size = 0
		}
		last := all[len(all)-1]
		last.Records = append(last.Records, r)
		size += n + 16
	}
	for i := range max(len(all)-1, 0) {
		all[i].More = proto.Bool(true)
	}
	return all, nil
}

// decode reads a segment that should be the one with a number, of the log
// where snapshot is nil.
func (p places) decode(znode string, data []byte, n uint64, snapshot *uint64) (*cluster.RegistrySegment, error) {
	s := new(cluster.RegistrySegment)
	err := unseal(data, s)
	switch {
	case err != nil:
	case s.GetClusterId() != p.owner:
		err = fmt.Errorf("cluster_id: %q: it belongs to another %s than %q", s.GetClusterId(), p.kind.Owner, p.owner)
	case s.GetNumber() != n:
		err = fmt.Errorf("number: %d: it stands in the place of another", s.GetNumber())
	case (s.Snapshot == nil) != (snapshot == nil) || snapshot != nil && s.GetSnapshot() != *snapshot:
		err = fmt.Errorf("snapshot: %d: it belongs to another", s.GetSnapshot())
	}
	if err != nil {
		return nil, p.kind.Refused(znode, err)
	}
	return s, nil
}
