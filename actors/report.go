package actors

import (
	"cmp"
	"slices"
	"time"
)

// ActorInfo describes an actor at one moment.
type ActorInfo struct {
	Name   string
	Parent string // empty for one that the system spawned
	// Depth is what waits in the mailbox: messages, continuations, exits.
	Depth uint64
	// Bytes is what waits of messages that came over the network.
	Bytes int64
	// Handled counts what was taken out of the mailbox since the start.
	Handled uint64
	// Refused counts messages that the mailbox's limits kept out.
	Refused uint64
	// Restarts after panics.
	Restarts uint32
	// Watchers are the actors, here and elsewhere, that are linked to this one.
	Watchers int
	// Panic is the last one; nil when there was none.
	Panic *PanicInfo
	// Longest is the handling that took longest; zero while all were short.
	Longest HandlingInfo
}

// PanicInfo is an actor's last panic.
type PanicInfo struct {
	At time.Time
	// While is what was being handled.
	While string
	Text  string
}

// HandlingInfo is one handling of a message.
type HandlingInfo struct {
	Took time.Duration
	What string
}

// Actors describes the system's actors, by name. No actor is disturbed.
func (s *System) Actors() []ActorInfo {
	all := s.table.all()
	infos := make([]ActorInfo, 0, len(all))
	for _, c := range all {
		infos = append(infos, c.info())
	}
	slices.SortFunc(infos, func(a, b ActorInfo) int { return cmp.Compare(a.Name, b.Name) })
	return infos
}

// Depth is how many messages wait for an actor; 0 also when there is no such
// actor.
func (s *System) Depth(name string) uint64 {
	c := s.table.get(name)
	if c == nil {
		return 0
	}
	return uint64(c.info().Depth)
}

func (c *Context) info() ActorInfo {
	b := &c.box
	info := ActorInfo{
		Name:     c.self.pid.Name,
		Handled:  b.handled.Load(),
		Bytes:    b.bytes.Load(),
		Refused:  b.refused.Load(),
		Restarts: c.restarts.Load(),
	}
	if c.parent != nil {
		info.Parent = c.parent.self.pid.Name
	}
	b.mu.Lock()
	info.Depth = b.posted - min(b.posted, b.handled.Load())
	if b.shared != nil {
		info.Watchers = len(b.shared.watchers)
	}
	b.mu.Unlock()
	if f := c.failure.Load(); f != nil {
		info.Panic = &PanicInfo{At: f.at, While: f.what, Text: f.text}
	}
	if slow := c.longest.seen.Load(); slow != nil {
		info.Longest = HandlingInfo{Took: slow.took, What: slow.what}
	}
	return info
}
