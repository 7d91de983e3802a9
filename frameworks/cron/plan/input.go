package plan

// Input is what can happen to a plan.
type Input interface{ input() }

// Loaded is the first input: all records, as they were persisted.
type Loaded struct{ Records []Change }

// Persisted answers a Persist, in order. With Err nothing more may be done: the
// plan Fails.
type Persisted struct {
	Number uint64
	Err    error
}

// TimerFired answers SetTimer.
type TimerFired struct{}

// TaskStarted tells that a task runs.
type TaskStarted struct{ Task string }

// TaskEnded tells how a task ended. It is acknowledged once it is durable, and
// may come again until then.
type TaskEnded struct {
	Task    string
	Outcome Outcome // Succeeded, Failed, Killed or Dropped
	Exit    int
	Agent   string
	Message string
}

// Put creates a job or replaces the one of that name.
type Put struct {
	Request uint64
	Job     Job
}

// Delete removes a job and kills its runs; with Cascade its dependents, too.
// Without, dependents are a conflict.
type Delete struct {
	Request uint64
	Name    string
	Cascade bool
}

// RunNow runs a job at once, whatever its schedule and overlap are.
type RunNow struct {
	Request         uint64
	Name, Arguments string
}

// KillRuns ends all runs of a job; they are neither failures nor retried.
type KillRuns struct {
	Request uint64
	Name    string
}

// MarkSuccess has dependents go on as if the job had succeeded.
type MarkSuccess struct {
	Request uint64
	Name    string
}

// Finish ends a run of an async job.
type Finish struct {
	Request uint64
	Task    string
	Exit    int
}

// Progress adds to the elements that a run has processed.
type Progress struct {
	Request  uint64
	Task     string
	Elements int64
}

func (Loaded) input()      {}
func (Persisted) input()   {}
func (TimerFired) input()  {}
func (TaskStarted) input() {}
func (TaskEnded) input()   {}
func (Put) input()         {}
func (Delete) input()      {}
func (RunNow) input()      {}
func (KillRuns) input()    {}
func (MarkSuccess) input() {}
func (Finish) input()      {}
func (Progress) input()    {}
