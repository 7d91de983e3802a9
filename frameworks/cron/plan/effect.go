package plan

import "time"

// Effect is what a plan asks of its shell. Effects are performed strictly in the
// order they are returned. Those that reveal a change come after the Persisted
// of it.
type Effect interface{ effect() }

// Change is a record to write, or to remove where Value is nil.
type Change struct {
	Key   string
	Value []byte
}

// Persist asks to make all changes durable, all or none; answered by Persisted.
type Persist struct {
	Number  uint64
	Changes []Change
}

// Launch asks for a task with the id Run.Task().
type Launch struct {
	Run Run
	Job *Job
}

// Watch names a task that may exist, after a failover: the shell finds out, and
// tells by TaskStarted or TaskEnded.
type Watch struct{ Task string }

// Kill asks for the end of a task, until there is a TaskEnded.
type Kill struct{ Task string }

// Acknowledge tells that the end of a task is durable.
type Acknowledge struct{ Task string }

// Answer answers a request; Err is nil or an *Error.
type Answer struct {
	Request uint64
	Err     error
}

// SetTimer asks for TimerFired at a time; it replaces the one before.
type SetTimer struct{ At time.Time }

// Publish tells the read side of a job as it is now; nil is one that is removed.
type Publish struct {
	Name string
	View *View
}

// Occasion is what people are told of.
type Occasion string

// Occasions.
const (
	JobRemoved       Occasion = "job removed"
	JobDisabled      Occasion = "job disabled"
	RetriesExhausted Occasion = "retries exhausted"
	AttemptFailed    Occasion = "attempt failed"
	RunSucceeded     Occasion = "run succeeded"
)

// Notify tells people.
type Notify struct {
	Occasion Occasion
	Job      *Job
	Attempt  Attempt
}

// Fail is the last effect: what was decided cannot be kept, or what was kept
// cannot be read.
type Fail struct{ Err error }

func (Persist) effect()     {}
func (Launch) effect()      {}
func (Watch) effect()       {}
func (Kill) effect()        {}
func (Acknowledge) effect() {}
func (Answer) effect()      {}
func (SetTimer) effect()    {}
func (Publish) effect()     {}
func (Notify) effect()      {}
func (Fail) effect()        {}
