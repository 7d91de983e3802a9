package inspect

import (
	"time"

	"troupe/actors"
)

// Report is the answer of /actors.
type Report struct {
	Address     string `json:"address"`
	Incarnation string `json:"incarnation"`
	// Time of the reading: two of them and the counts give rates.
	Time        time.Time `json:"time"`
	Actors      []Actor   `json:"actors"`
	Peers       []Peer    `json:"peers"`
	DeadLetters []Lost    `json:"dead_letters"`
	Unhandled   []Lost    `json:"unhandled"`
}

// Actor is one actor; see actors.ActorInfo.
type Actor struct {
	Name     string   `json:"name"`
	Parent   string   `json:"parent,omitempty"`
	Depth    uint64   `json:"mailbox_depth"`
	Bytes    int64    `json:"mailbox_bytes"`
	Handled  uint64   `json:"handled"`
	Refused  uint64   `json:"refused"`
	Restarts uint32   `json:"restarts"`
	Watchers int      `json:"watchers"`
	Panic    *Panic   `json:"last_panic,omitempty"`
	Longest  *Longest `json:"longest_handler,omitempty"`
}

// Panic is an actor's last panic.
type Panic struct {
	Time  time.Time `json:"time"`
	While string    `json:"while"`
	Text  string    `json:"text"`
}

// Longest is the handling that took longest.
type Longest struct {
	Seconds float64 `json:"seconds"`
	What    string  `json:"what"`
}

// Peer is another system that this one knows.
type Peer struct {
	Address        string    `json:"address"`
	Incarnation    string    `json:"incarnation,omitempty"`
	Principal      string    `json:"principal,omitempty"`
	Linked         bool      `json:"linked"`
	Since          time.Time `json:"since,omitzero"`
	SilenceSeconds float64   `json:"silence_seconds"`
	QueuedBytes    int       `json:"queued_bytes"`
	// Watching are actors there that actors here are linked to, Watched the
	// other way round.
	Watching    int    `json:"watching"`
	Watched     int    `json:"watched"`
	MessagesIn  uint64 `json:"messages_in"`
	MessagesOut uint64 `json:"messages_out"`
	DeadLetters uint64 `json:"dead_letters"`
}

// Lost is messages of one type that were not delivered or not handled.
type Lost struct {
	Type   string `json:"type"`
	Count  uint64 `json:"count"`
	Reason string `json:"last_reason"`
	From   string `json:"last_from,omitempty"`
	To     string `json:"last_to,omitempty"`
}

// Read is what /actors answers now.
func Read(sys *actors.System) Report {
	r := Report{
		Address: sys.Address(), Incarnation: sys.Incarnation(), Time: time.Now(),
		Actors: []Actor{}, Peers: []Peer{},
		DeadLetters: lost(sys.DeadLetters()), Unhandled: lost(sys.Unhandled()),
	}
	for _, info := range sys.Actors() {
		r.Actors = append(r.Actors, actor(info))
	}
	for _, info := range sys.Peers() {
		r.Peers = append(r.Peers, peer(info))
	}
	return r
}

func actor(info actors.ActorInfo) Actor {
	a := Actor{
		Name: info.Name, Parent: info.Parent, Depth: info.Depth, Bytes: info.Bytes,
		Handled: info.Handled, Refused: info.Refused, Restarts: info.Restarts, Watchers: info.Watchers,
	}
	if p := info.Panic; p != nil {
		a.Panic = &Panic{Time: p.At, While: p.While, Text: p.Text}
	}
	if l := info.Longest; l.Took > 0 {
		a.Longest = &Longest{Seconds: l.Took.Seconds(), What: l.What}
	}
	return a
}

func peer(info actors.PeerInfo) Peer {
	p := Peer{
		Address: info.Address, Incarnation: info.Incarnation, Principal: info.Principal, Linked: info.Linked,
		Since: info.Since, SilenceSeconds: info.Silence.Seconds(), QueuedBytes: info.QueuedBytes,
		Watching: info.Watching, Watched: info.Watched,
		MessagesIn: info.Traffic.MessagesIn, MessagesOut: info.Traffic.MessagesOut,
	}
	for _, n := range info.Traffic.DeadLetters {
		p.DeadLetters += n
	}
	return p
}

func lost(list []actors.Lost) []Lost {
	rows := make([]Lost, 0, len(list))
	for _, l := range list {
		row := Lost{Type: l.Type, Count: l.Count, Reason: l.Reason}
		if !l.From.IsZero() {
			row.From = l.From.String()
		}
		if !l.To.IsZero() {
			row.To = l.To.String()
		}
		rows = append(rows, row)
	}
	return rows
}
