// Package actors is the runtime that every component lives in: actors with
// addresses that exchange protobuf messages, in one process or over the network.
// All product code may import it, and of the runtime nothing else; it knows
// nothing of clusters or tasks.
//
// # What an actor may rely on
//
// Its handlers, continuations and timers never run at the same time, and each
// sees what the one before it wrote. All of them, and Exited, wait in one queue
// in the order in which they came: a continuation of Ask, Go, After or Do does
// not overtake a message, and Exited comes after every message that the linked
// actor had sent here.
//
// Once an actor has stopped, nothing of it runs any more: no timer, no answer,
// no work's end. What was still queued becomes dead letters. Its children stop
// first, then its Finalize runs, then its name is free and its watchers are
// told.
//
// A message is shared by all that receive it: nobody changes one after sending
// it. A handler must not block: slow work goes through Context.Go, and a
// question through Context.Ask.
//
// # Delivery
//
// Messages arrive at most once, and those of one sender to one receiver in the
// order they were sent, within a process and over one link. What does not
// arrive is a dead letter: counted by type, with its last sender, receiver and
// reason, logged at its first, second, fourth … occurrence, and told to the
// sender if it was a question. A message that its receiver has no handler for,
// of a type that this process does not know, or that the policy forbids is
// unhandled, counted and logged the same way. Neither is ever fatal. When a
// link breaks, what the peer had not acknowledged is counted as dead although
// it may have arrived; who cannot bear that repeats what was not answered, as
// messages/doc.go lists.
//
// A PID with an incarnation means one start of one system, and never reaches a
// later one. Without, it means whoever has the name now.
//
// # Panics
//
// A panic in a handler, a continuation or the work of Go is logged with its
// stack and the type of the message. The actor stops, its watchers are told
// "panic: …", and OnPanic is called, where a daemon ends its process: state
// that a bug has been at is not to be trusted. An actor spawned WithRestart is
// replaced instead, so many times within so long: the new one has the queue and
// the address, and nothing else, of the old one; what panicked is not handled
// again.
//
// # Bounds
//
// A mailbox holds 1,000,000 messages and 64 MiB of messages that came over the
// network, unless Options.Limits or WithMailbox say otherwise. Over it the
// newest message becomes a dead letter. What the actor itself has started
// (continuations, timers, links) is never refused. Options.Links bounds what a
// peer can cost: bytes queued for it, the size of a message, and others; a
// silent peer is given up within LinkLimits.DeadAfter. Nothing that a peer
// sends is remembered without a bound.
//
// # Who may do what
//
// Options.TLS makes both sides of a link prove themselves with certificates.
// Without an Authenticator the principal of a link is the common name of the
// peer's certificate, or "" without TLS; Context.Principal has it for every
// message. Without a Policy every peer that got so far may send every message
// to every actor. None may stop an actor of another system, claim a sender
// other than an actor of its own, or answer what others were asked.
//
// # Who runs it
//
// An actor that has nothing to do has no goroutine. Runner and NewTransport are
// the seams at which package actortest puts a seeded stepper and a network in
// memory; inside a bubble of testing/synctest all time here is virtual.
package actors
