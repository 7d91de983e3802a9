package actors

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// tableShards keeps spawns on different cores from meeting at one lock.
const tableShards = 64

// table finds the actors of a system by name. Whoever sends reads it, so
// reading takes no lock.
type table struct {
	seed   maphash.Seed
	shards [tableShards]tableShard
}

// tableShard is a hash table of chains. A writer locks; a reader follows
// pointers, of which a writer changes one at a time. Entries are never used
// again, so that a reader on a removed one still comes to its chain's end.
type tableShard struct {
	mu     sync.Mutex
	count  int
	chains atomic.Pointer[[]chain] // a power of two of them; nil while empty
}

type chain = atomic.Pointer[entry]

type entry struct {
	c    *Context
	hash uint64
	next atomic.Pointer[entry]
}

const (
	leastChains = 4
	perChain    = 2 // entries, on average, before a shard grows
)

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) shard(name string) (*tableShard, uint64) {
	h := maphash.String(t.seed, name)
	return &t.shards[h%tableShards], h / tableShards
}

// get is nil when there is no such actor.
func (t *table) get(name string) *Context {
	s, h := t.shard(name)
	chains := s.chains.Load()
	if chains == nil {
		return nil
	}
	for e := (*chains)[h&uint64(len(*chains)-1)].Load(); e != nil; e = e.next.Load() {
		if e.hash == h && e.c.self.pid.Name == name {
			return e.c
		}
	}
	return nil
}

// add says whether the name was free.
func (t *table) add(c *Context) bool {
	s, h := t.shard(c.self.pid.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.get(c.self.pid.Name) != nil {
		return false
	}
	s.grow()
	s.insert(*s.chains.Load(), c, h)
	s.count++
	return true
}

func (s *tableShard) insert(chains []chain, c *Context, h uint64) {
	head := &chains[h&uint64(len(chains)-1)]
	e := &entry{c: c, hash: h}
	e.next.Store(head.Load())
	head.Store(e)
}

// grow makes room for one more. Readers go on in the old chains.
func (s *tableShard) grow() {
	old := s.chains.Load()
	if old == nil {
		chains := make([]chain, leastChains)
		s.chains.Store(&chains)
		return
	}
	if s.count < perChain*len(*old) {
		return
	}
	chains := make([]chain, 2*len(*old))
	s.each(func(e *entry) { s.insert(chains, e.c, e.hash) })
	s.chains.Store(&chains)
}

func (s *tableShard) each(visit func(*entry)) {
	chains := s.chains.Load()
	if chains == nil {
		return
	}
	for i := range *chains {
		for e := (*chains)[i].Load(); e != nil; e = e.next.Load() {
			visit(e)
		}
	}
}

// remove frees the name, if it is still c's.
func (t *table) remove(c *Context) {
	s, h := t.shard(c.self.pid.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	chains := s.chains.Load()
	if chains == nil {
		return
	}
	link := &(*chains)[h&uint64(len(*chains)-1)]
	for e := link.Load(); e != nil; e = link.Load() {
		if e.c == c {
			link.Store(e.next.Load())
			s.forget()
			return
		}
		link = &e.next
	}
}

// forget counts a removal, and gives the chains back with the last one.
func (s *tableShard) forget() {
	if s.count--; s.count == 0 {
		s.chains.Store(nil)
	}
}

// all is every actor at about this moment, in no order.
func (t *table) all() []*Context {
	var all []*Context
	for i := range t.shards {
		t.shards[i].each(func(e *entry) { all = append(all, e.c) })
	}
	return all
}
