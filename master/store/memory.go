package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
)

// Memory is a registry that ends with its process: for clusters that are begun
// anew each time, and for tests. It keeps records in their stored form. Its
// methods may be called from any goroutine.
type Memory struct {
	clusterID string

	mu      sync.Mutex
	records map[string][]byte
	failure error
}

// NewMemory returns an empty registry of a cluster.
func NewMemory(clusterID string) *Memory {
	return &Memory{clusterID: clusterID, records: make(map[string][]byte)}
}

// ClusterID is what NewMemory was told.
func (m *Memory) ClusterID() string { return m.clusterID }

// Load returns every record, ordered by key.
func (m *Memory) Load(context.Context) ([]*cluster.RegistryRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := make([]*cluster.RegistryRecord, 0, len(m.records))
	for _, key := range slices.Sorted(maps.Keys(m.records)) {
		r := new(cluster.RegistryRecord)
		if err := proto.Unmarshal(m.records[key], r); err != nil {
			return nil, fmt.Errorf("load registry: record %q: %w", key, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// Write makes all changes or none.
func (m *Memory) Write(_ context.Context, changes []registry.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failure != nil {
		return m.failure
	}
	records := make([][]byte, len(changes))
	for i, c := range changes {
		if c.Record == nil {
			continue
		}
		data, err := proto.Marshal(c.Record)
		if err != nil {
			return fmt.Errorf("write registry: record %q: %w", c.Key, err)
		}
		records[i] = data
	}
	for i, c := range changes {
		if c.Record == nil {
			delete(m.records, c.Key)
		} else {
			m.records[c.Key] = records[i]
		}
	}
	return nil
}

// FailWith makes every later Write fail with err; nil ends that.
func (m *Memory) FailWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = err
}

// Size is how many bytes the records have.
func (m *Memory) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var n int64
	for key, data := range m.records {
		n += int64(len(key) + len(data))
	}
	return n
}

// Close does nothing: what Write wrote can be loaded again.
func (m *Memory) Close() error { return nil }
