package updates

import (
	"cmp"

	"troupe/messages/mesos"
)

// Key names a task, and with it a stream.
type Key struct{ Framework, Task string }

// Compare orders keys by framework, then task.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Framework, o.Framework), cmp.Compare(k.Task, o.Task))
}

// UUID names one update.
type UUID [16]byte

// UUIDOf says false for anything but 16 bytes.
func UUIDOf(b []byte) (id UUID, ok bool) {
	if len(b) != len(id) {
		return UUID{}, false
	}
	return UUID(b), true
}

// Input is what may happen to the streams; the list below is closed.
type Input interface{ input() }

// Add appends an update to its stream. One whose uuid the stream has seen,
// and whatever follows a terminal update, is dropped.
type Add struct {
	Key Key
	// With a uuid; immutable.
	Status *mesos.TaskStatus
}

// Acknowledge ends the repetition of one update. It is ignored unless it
// names the head of the stream.
type Acknowledge struct {
	Key  Key
	UUID UUID
}

// Resume starts forwarding, all heads at once: there is a master that knows
// this agent.
type Resume struct{}

// Pause stops forwarding; the streams begin paused.
type Pause struct{}

// Repeat forwards the heads of a framework's streams at once: whoever did not
// have them listens now.
type Repeat struct{ Framework string }

// RetryDue is the time of a SetTimer.
type RetryDue struct{ Key Key }

// Close ends a stream whatever it holds.
type Close struct{ Key Key }

func (Add) input()         {}
func (Acknowledge) input() {}
func (Resume) input()      {}
func (Pause) input()       {}
func (Repeat) input()      {}
func (RetryDue) input()    {}
func (Close) input()       {}
