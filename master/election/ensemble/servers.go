package ensemble

import (
	"sync"
)

// servers hands out the servers in turn. Names are resolved when they are
// dialed, so that one that is not known keeps nobody from the others.
type servers struct {
	mu    sync.Mutex
	all   []string
	next  int
	tried int // since the last success
}

// Init takes the addresses.
func (s *servers) Init(all []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = all
	return nil
}

// Len is how many servers there are.
func (s *servers) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// Next is the next server, and whether all were tried in vain: the library
// pauses for a second then.
func (s *servers) Next() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.all[s.next%len(s.all)]
	pause := s.tried > 0 && s.tried%len(s.all) == 0
	s.next++
	s.tried++
	return server, pause
}

// Connected says that the last one serves.
func (s *servers) Connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = 0
}
