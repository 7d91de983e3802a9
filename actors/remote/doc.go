// Package remote is the transport under actors: it carries protobuf messages
// between systems, over one connection per pair of systems that serves both
// directions, and tells exactly what did not arrive. It knows addresses and
// messages, and nothing of actors. Only package actors, its actortest and
// tools import it.
//
// # Links
//
// A system is named by its address and, for one run of its process, by its
// incarnation. The first message or Link to a system dials it; whoever was
// dialed answers over the same connection. A system that does not listen has
// an address with port 0, which nobody can dial; it is told from others by its
// incarnation and reached over the link that it opened. When two systems dial
// each other at once, the connection of the one with the lesser address
// stays.
//
// # Delivery
//
// Messages of one sender to one receiver arrive in order and at most once
// while a link lasts. A message that Send accepted is either taken by the
// peer, or handed to Receiver.DeadLetter exactly once. The peer acknowledges
// what it took, with its next write or after Limits.AckDelay; what had been
// written but was not acknowledged when the link ended is dead with the reason
// Unconfirmed, and is the only kind that may have arrived after all.
//
// # Silence
//
// Both sides say something at least every Limits.Heartbeat. A side that heard
// nothing for Limits.DeadAfter breaks the link, so that a stopped process or
// lost packets are noticed within that time on both sides. The same holds
// before there is a link: connections wait for their handshakes, of which at
// most Limits.MaxHandshakes are under way, and their dialers hear that they do.
//
// # Bounds
//
// What is accepted for one peer and not acknowledged is bounded by
// Limits.QueueBytes, whether queued or in flight; a message that goes over it
// is a dead letter (OverBudget) and ends the link, and a peer that takes nothing for
// Limits.StallAfter while something waits for it loses its link. What a peer
// can make this side hold is bounded by Limits.MaxMessage, by the tables of
// package frame and by Limits.MaxWatches.
//
// # Who may
//
// Without an Authenticator the principal of a link is the common name in the
// peer's verified TLS certificate, or "". Without a Policy, every peer that
// got through TLS and the Authenticator may send any message to any actor. A
// message's sender always has the address of the link it came over: a peer
// can choose among its own actors' names, and forge no other's.
package remote
