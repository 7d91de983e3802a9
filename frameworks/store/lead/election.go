package lead

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"troupe/master/election/ensemble"
	"troupe/messages/field"
)

// label begins the names of candidates.
const label = "candidate_"

// candidate is what a process tells the others.
type candidate struct {
	// ID is new at each start of a process.
	ID  string `json:"id"`
	URL string `json:"url"`
}

// Election is the part that one process has. Its methods may be called from any
// goroutine.
type Election struct {
	o         Options
	self      candidate
	contest   *ensemble.Contest
	transport *http.Transport
	cancel    context.CancelFunc
	ended     chan struct{} // closed when the watch has ended

	mu      sync.Mutex
	term    *ensemble.Term // of this process, once it is elected
	ready   bool
	leader  *leader // nil: nobody, as far as is known
	failed  error   // the watch ended with this
	changed chan struct{}
}

// leader is who leads.
type leader struct {
	id  string
	url *url.URL
}

// NewElection begins to watch who leads. Errors are about options.
func NewElection(o Options) (*Election, error) {
	e, err := newElection(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	go func() {
		defer close(e.ended)
		if err := ensemble.Watch(ctx, e.places(), label, e.hear); ctx.Err() == nil {
			e.o.Logger.Error("Who leads cannot be found out", zap.Stringer("at", e.o.Place), zap.Error(err))
			e.set(func() { e.failed = err })
		}
	}()
	return e, nil
}

// newElection makes one that does not watch.
func newElection(o Options) (*Election, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("elect a leader: %w", err)
	}
	e := &Election{o: o.withDefaults(), ended: make(chan struct{}), changed: make(chan struct{}), cancel: func() {}}
	e.self = candidate{ID: uuid.NewString(), URL: o.URL}
	content, err := json.Marshal(e.self)
	if err != nil {
		return nil, fmt.Errorf("elect a leader: %w", err)
	}
	e.contest = ensemble.NewContest(e.places(), ensemble.Role{Label: label, Noun: "process", Content: content})
	e.transport = e.newTransport()
	return e, nil
}

func (e *Election) places() ensemble.Options {
	return ensemble.Options{Place: e.o.Place, SessionTimeout: e.o.SessionTimeout, Logger: e.o.Logger}
}

// Lead stands as a candidate until this process is elected, or ctx is done. It
// is called once. The caller then opens the state for the term, calls Ready, and
// ends the process when the term is lost.
func (e *Election) Lead(ctx context.Context) (*ensemble.Term, error) {
	term, err := e.contest.Lead(ctx)
	if err != nil {
		return nil, err
	}
	e.set(func() { e.term = term })
	return term, nil
}

// Ready says that this process, which was elected, can answer requests.
func (e *Election) Ready() { e.set(func() { e.ready = true }) }

// Leader is the URL of the process that leads, empty when none is known, and
// whether it is this one, which is true from Ready until the term is lost.
func (e *Election) Leader() (url string, self bool) {
	s := e.situation()
	switch {
	case s.self:
		return e.self.URL, true
	case s.leader != nil:
		return s.leader.url.String(), false
	}
	return "", false
}

// Close ends the candidacy, or the term: another process leads at once.
func (e *Election) Close() {
	e.cancel()
	e.contest.Close()
	<-e.ended
	e.transport.CloseIdleConnections()
}

func (e *Election) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.changed)
	e.changed = make(chan struct{})
}

// situation is who leads at a moment, and what tells of another.
type situation struct {
	self    bool
	leader  *leader // another process
	failed  error
	changed <-chan struct{}
}

func (e *Election) situation() situation {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := situation{leader: e.leader, failed: e.failed, changed: e.changed}
	if e.term != nil {
		s.leader = nil // this process leads, is about to, or has to end
		s.self = e.ready && e.term.Err() == nil
	}
	if s.leader != nil && s.leader.id == e.self.ID {
		s.leader = nil // which Lead is about to hear of
	}
	return s
}

// hear takes what the watch says.
func (e *Election) hear(znode string, content []byte) {
	var next *leader
	if znode != "" {
		l, err := parseCandidate(content)
		if err != nil {
			e.o.Logger.Warn("What leads is no process of a framework: nobody leads until it is gone", zap.String("znode", znode), zap.Error(err))
		}
		next = l
	}
	e.mu.Lock()
	same := (next == nil) == (e.leader == nil) && (next == nil || *next.url == *e.leader.url && next.id == e.leader.id)
	e.mu.Unlock()
	if !same {
		e.set(func() { e.leader = next })
	}
}

// parseCandidate reads a candidate's content.
func parseCandidate(content []byte) (*leader, error) {
	var c candidate
	if err := json.Unmarshal(content, &c); err != nil {
		return nil, field.Invalid("content", string(content), "is no candidate: %v", err)
	}
	if c.ID == "" {
		return nil, field.Missing("content.id")
	}
	u, err := parseURL(c.URL)
	if err != nil {
		return nil, field.In("content.url", err)
	}
	return &leader{id: c.ID, url: u}, nil
}
