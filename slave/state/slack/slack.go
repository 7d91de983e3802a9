// Package slack decides how much of what is allocated, but not used, an agent
// lends to others, and who must go when that was too much. It is pure: what it
// judges by are samples, which the agent takes. The agent's shell and wiring
// import it.
package slack

import (
	"time"

	"troupe/messages/resources"
)

// Sample is what the agent's containers had and used at a moment.
type Sample struct {
	At         time.Time
	Containers []Container
	// How many processes wanted to run, in the mean of the last 1, 5 and 15
	// minutes; negative when that is unknown.
	Load [3]float64
}

// Container is one of an executor, with its tasks.
type Container struct {
	// Of the container; unique for all time.
	ID string
	// What the executor and its tasks may use, lent or not.
	Allocated resources.Resources
	// Measured: CPU is what it has used since it began.
	Measured bool
	CPU      time.Duration
	// Memory that it uses now, in bytes.
	Memory uint64
	// Role that it was allocated to.
	Role string
}

// Revocable tells that something of what the container has is lent beyond what the
// agent has. What is lent of a reservation is not: that overcommits nothing.
func (c Container) Revocable() bool {
	for e := range c.Allocated.All() {
		if e.Revocable() && !e.Borrowed() {
			return true
		}
	}
	return false
}

// Estimator says what the agent lends.
type Estimator interface {
	// Estimate takes samples in the order of time, and returns revocable
	// resources, allocated to nobody: all that is lent, whether somebody has it
	// already or not.
	Estimate(s Sample) resources.Resources
}

// Controller says which containers must end so that the others have what is
// theirs.
type Controller interface {
	Correct(s Sample) []Correction
}

// Correction ends a container that was lent something.
type Correction struct {
	Container string
	// For people.
	Why string
}
