package state

import (
	"fmt"
	"strings"
)

// LockedError is that deployments change the same apps; Force ends them.
type LockedError struct{ Deployments []string }

// Error names the deployments.
func (e *LockedError) Error() string {
	return "locked by deployments " + strings.Join(e.Deployments, ", ")
}

// NotFoundError is that there is no such app or deployment.
type NotFoundError struct{ Kind, Name string }

// Error names what is not there.
func (e *NotFoundError) Error() string { return fmt.Sprintf("no %s is called %.200q", e.Kind, e.Name) }

// RefusedError is that something cannot be done as things are.
type RefusedError struct{ Text string }

// Error says why.
func (e *RefusedError) Error() string { return e.Text }
