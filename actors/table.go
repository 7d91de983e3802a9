package actors

import (
	"hash/maphash"
	"sync"
)

// tableShards keeps senders on different cores from meeting at one lock.
const tableShards = 64

// table finds the actors of a system by name.
type table struct {
	seed   maphash.Seed
	shards [tableShards]tableShard
}

type tableShard struct {
	mu     sync.RWMutex
	actors map[string]*Context
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) shard(name string) *tableShard {
	return &t.shards[maphash.String(t.seed, name)%tableShards]
}

// get is nil when there is no such actor.
func (t *table) get(name string) *Context {
	s := t.shard(name)
	s.mu.RLock()
	c := s.actors[name]
	s.mu.RUnlock()
	return c
}

// add says whether the name was free.
func (t *table) add(c *Context) bool {
	name := c.self.pid.Name
	s := t.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.actors[name]; taken {
		return false
	}
	if s.actors == nil {
		s.actors = make(map[string]*Context)
	}
	s.actors[name] = c
	return true
}

// remove frees the name, if it is still c's.
func (t *table) remove(c *Context) {
	name := c.self.pid.Name
	s := t.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.actors[name] == c {
		delete(s.actors, name)
	}
}

// all is every actor at about this moment, in no order.
func (t *table) all() []*Context {
	var all []*Context
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		for _, c := range s.actors {
			all = append(all, c)
		}
		s.mu.RUnlock()
	}
	return all
}
