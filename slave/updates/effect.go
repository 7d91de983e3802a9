package updates

import (
	"time"

	"troupe/messages/mesos"
)

// Effect is what is to be done; the list below is closed.
type Effect interface{ effect() }

// Forward sends an update to the master.
type Forward struct {
	Key    Key
	Status *mesos.TaskStatus
	// The newest state in the stream.
	Latest mesos.TaskState
}

// SetTimer asks for RetryDue, and replaces an earlier one of the same key.
type SetTimer struct {
	Key   Key
	After time.Duration
}

// CancelTimer takes a SetTimer back.
type CancelTimer struct{ Key Key }

// Acknowledged tells that the head of a stream was acknowledged.
type Acknowledged struct {
	Key    Key
	Status *mesos.TaskStatus
	// The stream has ended with it.
	Last bool
}

func (Forward) effect()      {}
func (SetTimer) effect()     {}
func (CancelTimer) effect()  {}
func (Acknowledged) effect() {}
