package remote

import (
	"sync/atomic"
	"time"
)

// counters are kept per peer and read at any time.
type counters struct {
	messagesIn, messagesOut atomic.Uint64
	bytesIn, bytesOut       atomic.Uint64
	rejected                atomic.Uint64
	dead                    [reasons]atomic.Uint64
}

// Traffic is what was counted since a transport, or its knowledge of a peer,
// began. Bytes are those on the wire below TLS, without the handshake.
type Traffic struct {
	MessagesIn  uint64 // taken from the wire, rejected ones included
	MessagesOut uint64 // acknowledged by the peer
	BytesIn     uint64
	BytesOut    uint64
	Rejected    uint64 // of those in
	DeadLetters map[Reason]uint64
}

func (c *counters) read() Traffic {
	t := Traffic{
		MessagesIn:  c.messagesIn.Load(),
		MessagesOut: c.messagesOut.Load(),
		BytesIn:     c.bytesIn.Load(),
		BytesOut:    c.bytesOut.Load(),
		Rejected:    c.rejected.Load(),
		DeadLetters: map[Reason]uint64{},
	}
	for r := range c.dead {
		if n := c.dead[r].Load(); n > 0 {
			t.DeadLetters[Reason(r)] = n
		}
	}
	return t
}

// add sums two traffics into t.
func (t *Traffic) add(o Traffic) {
	t.MessagesIn += o.MessagesIn
	t.MessagesOut += o.MessagesOut
	t.BytesIn += o.BytesIn
	t.BytesOut += o.BytesOut
	t.Rejected += o.Rejected
	if t.DeadLetters == nil {
		t.DeadLetters = map[Reason]uint64{}
	}
	for r, n := range o.DeadLetters {
		t.DeadLetters[r] += n
	}
}

// PeerInfo describes one peer at one moment.
type PeerInfo struct {
	Address     string
	Incarnation string // "" while not linked
	Principal   string // of the link
	Linked      bool
	Dialed      bool          // this side made the link
	Since       time.Time     // of the link
	Silence     time.Duration // since the peer was last heard
	QueuedBytes int           // accepted and not acknowledged
	Watching    int           // actors there that actors here are linked to
	Watched     int           // actors here that actors there are linked to
	Traffic     Traffic
}

// Totals describes a transport at one moment.
type Totals struct {
	Linked      int // peers
	Connections int // that came to the listener, HTTP and refused ones included
	Refused     int // of those, connections that became neither a link nor HTTP
	Traffic     Traffic
}
