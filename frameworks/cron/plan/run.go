package plan

import (
	"fmt"
	"time"
)

// Phase is how far a run is.
type Phase string

// The phases of a run that has not ended.
const (
	Waiting  Phase = "waiting"  // for the run before it to end, which is being killed
	Launched Phase = "launched" // queued for an offer, or on its way
	Running  Phase = "running"
	Delayed  Phase = "delayed" // until its next attempt
	Awaited  Phase = "awaited" // its command succeeded; Finish ends it
)

// Run is one due time of a job, with all its attempts.
type Run struct {
	Job       string
	Number    uint64    // unique in the framework
	Due       time.Time // when it was to begin
	Phase     Phase
	Attempt   int    // from 0
	Launches  int    `json:",omitempty"` // how often it was handed to the cluster
	Arguments string `json:",omitempty"` // of a manual run, for the end of the command
	Manual    bool   `json:",omitempty"`
	// Killing: somebody has asked for its end; Overdue: because it took too long.
	Killing, Overdue bool `json:",omitempty"`
	// Removed: its job is no more; it is only killed.
	Removed  bool      `json:",omitempty"`
	Began    time.Time // of the attempt; zero until it runs
	Wake     time.Time // of the next attempt of a delayed run
	Elements int64     `json:",omitempty"`
}

// Task is the id of the attempt's task, in the form of Chronos.
func (r Run) Task() string {
	return fmt.Sprintf("ct:%d:%d:%s:%d-%d", r.Due.UnixMilli(), r.Attempt, r.Job, r.Number, r.Launches)
}

// placed tells whether the cluster may have a task of it.
func (r Run) placed() bool { return r.Phase == Launched || r.Phase == Running }

// Outcome is how an attempt, or a due time, came out.
type Outcome string

// Outcomes. Dropped is the cluster's word that the task never began; it is no
// failure, and the attempt is launched again.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Killed    Outcome = "killed"
	Dropped   Outcome = "dropped"
	Missed    Outcome = "missed"  // later than epsilon
	Skipped   Outcome = "skipped" // a run before it had not ended
)

// Attempt is a line of a job's history.
type Attempt struct {
	Task         string    `json:",omitempty"` // empty where nothing was launched
	Due          time.Time // of the run
	Began, Ended time.Time
	Outcome      Outcome
	Exit         int    `json:",omitempty"`
	Agent        string `json:",omitempty"`
	Message      string `json:",omitempty"`
	Elements     int64  `json:",omitempty"`
}

// State is what has become of a job so far.
type State struct {
	Schedule string    `json:",omitempty"` // as schedule.Interval keeps it; a line as written
	Passed   int64     `json:",omitempty"`
	Due      time.Time // the next due time; zero when there is none
	// Joined counts, per parent in the order of Trigger.Parents, the successes
	// since the job last ran.
	Joined                                []int `json:",omitempty"`
	Successes, Errors, ErrorsSinceSuccess int64 `json:",omitempty"`
	LastSuccess, LastError                time.Time
	History                               []Attempt       `json:",omitempty"` // oldest first, bounded
	Durations                             []time.Duration `json:",omitempty"` // of the last successes, oldest first, bounded
}
