package batches

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

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

func stored(changes []Record) []*cluster.StoredRecord {
	records := make([]*cluster.StoredRecord, 0, len(changes))
	for _, c := range changes {
		records = append(records, &cluster.StoredRecord{Key: proto.String(c.Key), Record: c.Data})
	}
	return records
}
