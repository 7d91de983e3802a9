// Package actors is the runtime that every component lives in: actors with
// addresses that exchange protobuf messages, in one process or over the network.
// All product code may import it, and of the runtime nothing else; it knows
// nothing of clusters or tasks.
//
// # What an actor may rely on
//
//   - Its handlers, continuations and timers never run at the same time, and each
//     sees what the one before it wrote.
//   - Messages of one sender arrive in the order they were sent, at most once.
//     Continuations (Ask, Go, After, Do) and Exited wait in the same queue, so
//     they overtake nothing.
//   - Once it has stopped, nothing of it runs any more. What was still queued
//     becomes dead letters, counted by type.
//   - A message is shared by all that receive it: nobody changes one after
//     sending it.
//
// A handler must not block: slow work goes through Context.Go.
//
// # Bounds
//
// A mailbox holds a bounded number of messages and of bytes that came over the
// network (Limits). Over it the newest message becomes a dead letter. What the
// actor itself has started (continuations, timers, links) is never refused.
//
// # Who may do what
//
// Without an Authenticator every peer is accepted and has the principal "".
// By default every accepted peer may send to every actor; none may stop one, or
// claim to send from another system than its own.
package actors
