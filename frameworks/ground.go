package frameworks

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/scheduler"
)

// Ground is what a framework stands on: a clock, and a queue in which all that
// is its Scheduler's happens, one after the other. Run brings an actor;
// frameworktest a clock that a test sets.
type Ground interface {
	// Now is the time.
	Now() time.Time
	// Do queues f, from any goroutine; it is false when the queue is closed.
	Do(f func()) bool
	// Go runs work in a goroutine of its own, and queues what it returns, if that
	// is not nil. It is called from the queue; the context ends with the queue.
	Go(work func(ctx context.Context) (then func()))
	// After queues f after a while. It is called from the queue.
	After(wait time.Duration, f func()) Timer
}

// Timer is a function that waits for its time.
type Timer interface {
	// Stop forgets the function, if it has not begun. It is called from the queue.
	Stop()
}

// Carrier brings calls to the master and its events back, to an Inbox. A master
// is an actor's address, master@host:port. The methods are called from the
// queue, and do not block.
type Carrier interface {
	// Link asks that Inbox.Lost be called, once, when the connection to the master
	// is gone, or cannot be had.
	Link(master string)
	// Unlink takes a Link back: of that connection nothing is to be heard any more.
	Unlink(master string)
	// Send sends a call, at most once, in order while the connection lasts.
	Send(master string, c *scheduler.Call)
}

// Inbox is where a Carrier brings what it hears. Its methods are called from the
// queue.
type Inbox interface {
	// Received is an event of a master's, or the scheduler.APIResult of a call.
	Received(master, principal string, m proto.Message)
	// Refused is the answer to a call that the carrier knows: a status of HTTP, 400
	// or more, and what the master says of it.
	Refused(master string, c *scheduler.Call, status int, said string)
	// Removed is the master's word that a TEARDOWN was carried out, where that is no
	// event.
	Removed(master string)
	// Lost ends a Link.
	Lost(master, reason string)
	// NotLeading: the master says that it does not lead; hint may be the address,
	// host:port, of the one that does.
	NotLeading(master, hint string)
}
