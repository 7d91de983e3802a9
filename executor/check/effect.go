package check

import (
	"time"

	"troupe/messages/mesos"
)

// Effect is what a task's checks ask of their shell, in order.
type Effect interface{ effect() }

type (
	// Wait asks for Due after a while.
	Wait struct {
		Which Which
		After time.Duration
	}
	// Run asks for one probe; answered by Done. Of a check at most one Wait or Run
	// is open.
	Run struct {
		Which Which
		Probe Probe
	}
	// Cancel takes back the Wait or ends the Run that is open; its answer is
	// ignored.
	Cancel struct{ Which Which }
	// Judged is news of the task's health. Failures counts those in a row, 0 when
	// healthy. Kill asks for the task's end.
	Judged struct {
		Healthy  bool
		Failures int
		Kill     bool
		Cause    string // why the last probe failed; "" when healthy
	}
	// Learned is a check's new result.
	Learned struct{ Status *mesos.CheckStatusInfo }
)

func (Wait) effect()    {}
func (Run) effect()     {}
func (Cancel) effect()  {}
func (Judged) effect()  {}
func (Learned) effect() {}
