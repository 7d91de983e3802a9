package zookeeper

import (
	"net"
	"sync"
	"time"
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

// heard is a connection that notes when something came, and that gives a
// server which takes connections but does not answer a third of the session's
// time: the library would give it several sessions.
type heard struct {
	net.Conn
	session *Session
}

func (h heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n > 0 {
		h.session.noteHeard()
	}
	return n, err
}

func (h heard) SetReadDeadline(t time.Time) error { return h.Conn.SetReadDeadline(h.bounded(t)) }

func (h heard) SetWriteDeadline(t time.Time) error { return h.Conn.SetWriteDeadline(h.bounded(t)) }

func (h heard) bounded(t time.Time) time.Time {
	timeout := h.session.o.SessionTimeout
	if t.IsZero() || time.Until(t) <= timeout {
		return t
	}
	return time.Now().Add(timeout / 3)
}
