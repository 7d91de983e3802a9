package znodes

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
)

// state is every record in its stored form. Values are never modified.
type state struct {
	records map[string][]byte
	bytes   int64 // of keys and records
}

func newState() state { return state{records: make(map[string][]byte)} }

func (s *state) apply(records []*cluster.StoredRecord) {
	for _, r := range records {
		if old, had := s.records[r.GetKey()]; had {
			s.bytes -= int64(len(r.GetKey()) + len(old))
			delete(s.records, r.GetKey())
		}
		if r.Record != nil {
			s.records[r.GetKey()] = r.Record
			s.bytes += int64(len(r.GetKey()) + len(r.Record))
		}
	}
}

// all is every record as it is stored, ordered by key.
func (s *state) all() []*cluster.StoredRecord {
	records := make([]*cluster.StoredRecord, 0, len(s.records))
	for _, key := range slices.Sorted(maps.Keys(s.records)) {
		records = append(records, &cluster.StoredRecord{Key: proto.String(key), Record: s.records[key]})
	}
	return records
}

func stored(changes []registry.Change) ([]*cluster.StoredRecord, error) {
	records := make([]*cluster.StoredRecord, 0, len(changes))
	for _, c := range changes {
		r := &cluster.StoredRecord{Key: proto.String(c.Key)}
		if c.Record != nil {
			data, err := proto.Marshal(c.Record)
			if err != nil {
				return nil, fmt.Errorf("record %q: %w", c.Key, err)
			}
			r.Record = data
		}
		records = append(records, r)
	}
	return records, nil
}

// record reads a stored record back.
func record(key string, data []byte) (*cluster.RegistryRecord, error) {
	r := new(cluster.RegistryRecord)
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("record %q: %w", key, err)
	}
	got, err := registry.KeyOf(r)
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", key, err)
	}
	if got != key {
		return nil, fmt.Errorf("record %q: it is %q", key, got)
	}
	return r, nil
}
