package stream

import (
	"slices"
	"sync"
	"time"

	"troupe/master/state/view"
)

const (
	// maxKept is how many events are kept for those who read slowly, or come back.
	maxKept = 1 << 15
	// maxBytes bounds what encoded events take; beyond it the oldest are dropped.
	maxBytes = 64 << 20
	// DefaultMax is how many subscribers there may be.
	DefaultMax = 1000
	slabSize   = 64 << 10
	// A round of encoding wakes every subscriber; the more there are, the longer
	// the pause before the next, so that several events go in one write.
	pausePer = 100 * time.Microsecond
	maxPause = 100 * time.Millisecond
)

// Hub keeps the log of events and its subscribers.
type Hub struct {
	wake chan struct{} // holds a token while there is something to encode

	mu     sync.Mutex
	leader string
	max    int
	log    []*entry // entry n is at n modulo its length
	first  uint64   // number of the oldest that is kept
	last   uint64   // number of the newest; 0 before the first
	ready  uint64   // up to which subscribers may read
	bytes  int      // of the frames of those that are kept
	// subscribers, the oldest first.
	subscribers []*subscriber
	inUse       [forms]int
	feeding     bool          // the goroutine that encodes runs
	changed     chan struct{} // closed when ready moves
}

// subscriber is somebody's place in the log; the hub's lock guards it.
type subscriber struct {
	form   form
	filter filter
	at     uint64 // number of the last event that was taken
	// Closed when a newer subscriber takes the place.
	replaced chan struct{}
}

// NewHub returns a hub of at most DefaultMax subscribers.
func NewHub() *Hub {
	return &Hub{wake: make(chan struct{}, 1), max: DefaultMax, log: make([]*entry, maxKept), first: 1, changed: make(chan struct{})}
}

// Lead names the leader whose events these are, and says how many subscribers
// there may be; 0 leaves that as it is.
func (h *Hub) Lead(id string, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leader = id
	if most > 0 {
		h.max = most
	}
}

// Add adds an event. Events are numbered in the order of the calls.
func (h *Hub) Add(e view.Event) {
	next := entryOf(e)
	if next == nil {
		return
	}
	h.mu.Lock()
	h.last++
	next.number = h.last
	if h.last-h.first >= uint64(len(h.log)) {
		h.forget()
	}
	h.log[h.last%uint64(len(h.log))] = next
	feeding := h.feeding
	h.mu.Unlock()
	if feeding {
		h.signal()
	}
}

// forget drops the oldest event. h.mu is held.
func (h *Hub) forget() {
	at := h.first % uint64(len(h.log))
	for i := range forms {
		if f := h.log[at].frames[i].Load(); f != nil {
			h.bytes -= f.to - f.from
		}
	}
	h.log[at] = nil
	h.first++
}

func (h *Hub) signal() {
	select {
	case h.wake <- struct{}{}:
	default: // it will look
	}
}

// Last is the number of the newest event.
func (h *Hub) Last() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Subscribers is how many there are.
func (h *Hub) Subscribers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subscribers)
}

// resumable tells whether what follows an event is kept. An event that is not
// yet is not of this log.
func (h *Hub) resumable(leader string, number uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return leader == h.leader && number+1 >= h.first && number <= h.last
}

// enter makes somebody a subscriber; it begins to read when its place is set.
// The oldest one has to go for it when there are too many.
func (h *Hub) enter(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subscribers) >= h.max {
		oldest := h.subscribers[0]
		close(oldest.replaced)
		h.remove(oldest)
	}
	h.subscribers = append(h.subscribers, s)
	h.inUse[s.form.index()]++
	if !h.feeding {
		h.feeding, h.ready = true, h.last
		go h.feed()
	}
}

// leave undoes enter.
func (h *Hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
	if len(h.subscribers) == 0 {
		h.signal()
	}
}

func (h *Hub) remove(s *subscriber) {
	if i := slices.Index(h.subscribers, s); i >= 0 {
		h.subscribers = slices.Delete(h.subscribers, i, i+1)
		h.inUse[s.form.index()]--
	}
}

// take gives a subscriber the events after those that it has, as many as fit in
// room. late says that some of them are dropped already; none yet says when to
// look again.
func (h *Hub) take(s *subscriber, room []*entry) (events []*entry, late bool, again <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.at+1 < h.first {
		return nil, true, nil
	}
	for s.at < h.ready && len(room) < cap(room) {
		s.at++
		if e := h.log[s.at%uint64(len(h.log))]; s.filter.wants(e) {
			room = append(room, e)
		}
	}
	return room, false, h.changed
}

// place sets where a subscriber goes on.
func (h *Hub) place(s *subscriber, number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.at = number
}

// name is the leader's.
func (h *Hub) name() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leader
}
