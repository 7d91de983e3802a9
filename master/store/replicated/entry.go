package replicated

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

const (
	// partBytes is how much of a batch one entry of the log holds, so that a
	// heartbeat is never behind much.
	partBytes = 256 << 10
	// maxEntry bounds one entry of the log, in bytes.
	maxEntry = 512 << 10
	// maxBatch bounds one batch of changes: 50,000 agents at once, and more.
	maxBatch = 64 << 20
)

// split makes the entries of one batch, in the term that the writer leads.
func split(term uint64, records []*cluster.StoredRecord) ([][]byte, error) {
	batch, err := proto.Marshal(&cluster.RegistryBatch{Records: records})
	if err != nil {
		return nil, err
	}
	if len(batch) > maxBatch {
		return nil, fmt.Errorf("a batch of %d records has %d bytes; at most %d", len(records), len(batch), maxBatch)
	}
	var entries [][]byte
	for part := range slices.Chunk(batch, partBytes) {
		n := len(entries)
		entry, err := proto.Marshal(&cluster.RegistryEntry{Term: &term, Change: &cluster.RegistryEntry_Part_{Part: &cluster.RegistryEntry_Part{
			Data: part, Before: proto.Uint32(uint32(n)), Last: proto.Bool((n+1)*partBytes >= len(batch)),
		}}})
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// decodeBatch reads the records of a batch.
func decodeBatch(data []byte) ([]*cluster.StoredRecord, error) {
	b := new(cluster.RegistryBatch)
	if err := proto.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	for i, r := range b.GetRecords() {
		if r.GetKey() == "" {
			return nil, fmt.Errorf("batch: records[%d].key is empty", i)
		}
	}
	return b.GetRecords(), nil
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
		if e.GetTakeover().GetReplica() == "" {
			return nil, errors.New("takeover.replica is empty")
		}
		return e, nil
	case *cluster.RegistryEntry_Founding_:
		if e.GetFounding().GetClusterId() == "" {
			return nil, errors.New("founding.cluster_id is empty")
		}
	case *cluster.RegistryEntry_Part_:
	default:
		return nil, errors.New("it says nothing that this version knows: a later one wrote it")
	}
	if e.Term == nil {
		return nil, errors.New("term is absent")
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
