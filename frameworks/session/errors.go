package session

import (
	"errors"
	"strings"
)

var (
	// ErrReplaced is why a session ends when another scheduler has subscribed
	// with the same framework id. That one has the tasks now.
	ErrReplaced = errors.New("another scheduler has taken the framework over")
	// ErrRemoved is why a session ends, or never begins, when the framework was
	// torn down, or its failover timeout has lapsed. The id is of no more use.
	ErrRemoved = errors.New("the framework has been removed")
)

// What Mesos's masters say, and ours in the same words; other software looks
// for them, too.
const (
	saysReplaced = "Framework failed over"
	saysRemoved  = "Framework has been removed"
	saysTornDown = "Framework was torn down"
)

// MasterError is an ERROR event: the master's last word on a subscription.
// errors.Is finds ErrReplaced and ErrRemoved in it.
type MasterError struct{ Message string }

func (e *MasterError) Error() string { return "master ended the subscription: " + e.Message }

// Is tells which of the known reasons it is.
func (e *MasterError) Is(target error) bool {
	switch target {
	case ErrReplaced:
		return strings.Contains(e.Message, saysReplaced)
	case ErrRemoved:
		return strings.Contains(e.Message, saysRemoved) || strings.Contains(e.Message, saysTornDown)
	}
	return false
}
