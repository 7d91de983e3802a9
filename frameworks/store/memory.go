package store

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Memory is a Store that ends with its process. What was written is there
// after Close, for tests that open it again with Reopen.
type Memory struct {
	mu     sync.Mutex
	gate   gate
	values map[string][]byte
	bytes  int64
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{values: make(map[string][]byte)} }

// Load returns everything.
func (m *Memory) Load(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.values), nil
}

// Apply makes changes.
func (m *Memory) Apply(_ context.Context, changes map[string][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gate.write("to memory", changes, func(all []change) error {
		for _, c := range all {
			m.put(c)
		}
		return nil
	})
}

func (m *Memory) put(c change) {
	if old, had := m.values[c.key]; had {
		m.bytes -= int64(len(c.key) + len(old))
		delete(m.values, c.key)
	}
	if c.value != nil {
		m.values[c.key] = slices.Clone(c.value)
		m.bytes += int64(len(c.key) + len(c.value))
	}
}

// FailWith makes this and every later Apply of this store fail with err, which
// tests want to see.
func (m *Memory) FailWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate.failed = err
}

// Size is how many bytes keys and values have.
func (m *Memory) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Close ends the writing.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate.close()
	return nil
}

// Reopen returns a store with what m holds, as the next life of a process finds
// it. M fails from now on, as one that was deposed.
func (m *Memory) Reopen() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate.close()
	return &Memory{values: maps.Clone(m.values), bytes: m.bytes}
}
