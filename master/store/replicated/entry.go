package replicated

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// partBytes is about how large a part of a batch may become; a record that is
// larger is a part of its own.
const partBytes = 256 << 10

// maxEntry bounds one entry of the log, in bytes. A message of the transport
// holds several.
const maxEntry = 4 << 20

// split makes the entries of one batch, in the term that the writer leads.
func split(term uint64, records []*cluster.StoredRecord) ([][]byte, error) {
	var parts [][]*cluster.StoredRecord
	size := partBytes
	for _, r := range records {
		n := proto.Size(r)
		if size+n > partBytes {
			parts = append(parts, nil)
			size = 0
		}
		size += n
		parts[len(parts)-1] = append(parts[len(parts)-1], r)
	}
	entries := make([][]byte, len(parts))
	for i, part := range parts {
		entry, err := proto.Marshal(&cluster.RegistryEntry{
			Term: &term,
			Change: &cluster.RegistryEntry_Changes_{Changes: &cluster.RegistryEntry_Changes{
				Records: part, Part: proto.Uint32(uint32(i)), Last: proto.Bool(i == len(parts)-1),
			}},
		})
		if err != nil {
			return nil, err
		}
		if len(entry) > maxEntry {
			return nil, fmt.Errorf("record %q: %d bytes; at most %d", part[0].GetKey(), len(entry), maxEntry)
		}
		entries[i] = entry
	}
	return entries, nil
}

// decodeEntry reads a command of the log. What it returns can be applied.
func decodeEntry(data []byte) (*cluster.RegistryEntry, error) {
	if len(data) > maxEntry {
		return nil, fmt.Errorf("%d bytes; at most %d", len(data), maxEntry)
	}
	e := new(cluster.RegistryEntry)
	if err := proto.Unmarshal(data, e); err != nil {
		return nil, err
	}
	switch e.GetChange().(type) {
	case *cluster.RegistryEntry_Takeover_:
		if e.GetTakeover().GetReplica() == "" || e.GetTakeover().GetNewCluster() == "" {
			return nil, errors.New("takeover.replica or takeover.new_cluster is empty")
		}
	case *cluster.RegistryEntry_Changes_:
		if e.Term == nil {
			return nil, errors.New("term is absent")
		}
		for i, r := range e.GetChanges().GetRecords() {
			if r.GetKey() == "" {
				return nil, fmt.Errorf("changes.records[%d].key is empty", i)
			}
		}
	default:
		return nil, errors.New("it is neither a takeover nor changes: a later version wrote it")
	}
	return e, nil
}

// checkEntry tells what is wrong with an entry, be it from another master or
// from the disk: Raft panics over a membership that it cannot read.
func checkEntry(l *raft.Log) error {
	switch l.Type {
	case raft.LogCommand:
		_, err := decodeEntry(l.Data)
		return err
	case raft.LogConfiguration:
		_, err := decodeMembership(l.Data)
		return err
	case raft.LogNoop, raft.LogBarrier:
		return nil
	default:
		return fmt.Errorf("its kind %d is unknown", l.Type)
	}
}

// maxMembers bounds a membership that is believed.
const maxMembers = 64

// decodeMembership reads who belongs to the masters.
func decodeMembership(data []byte) (c raft.Configuration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("membership: %v", p)
		}
	}()
	if len(data) > maxEntry {
		return c, fmt.Errorf("membership: %d bytes; at most %d", len(data), maxEntry)
	}
	c = raft.DecodeConfiguration(data)
	if n := len(c.Servers); n == 0 || n > maxMembers {
		return c, fmt.Errorf("membership: %d masters; 1 to %d", n, maxMembers)
	}
	seen := make(map[string]bool)
	for _, s := range c.Servers {
		id, at := "id "+string(s.ID), "address "+string(s.Address)
		if s.ID == "" || s.Address == "" || seen[id] || seen[at] {
			return c, fmt.Errorf("membership: master %q at %q is nameless, or there twice", s.ID, s.Address)
		}
		seen[id], seen[at] = true, true
	}
	return c, nil
}
