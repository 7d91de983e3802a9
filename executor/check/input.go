package check

// Which of its two checks a task is asked by.
type Which int

const (
	// Health is the health check.
	Health Which = iota
	// General is the check that judges nothing.
	General
)

func (w Which) String() string {
	if w == Health {
		return "health check"
	}
	return "check"
}

// Input is what can happen to the checks of a task.
type Input interface{ input() }

type (
	// Start begins: the task runs from now on. The first input.
	Start struct{}
	// Due answers Wait.
	Due struct{ Which Which }
	// Done answers Run.
	Done struct {
		Which  Which
		Result Result
	}
	// Stop ends all checks: the task is being killed, or has ended.
	Stop struct{}
)

func (Start) input() {}
func (Due) input()   {}
func (Done) input()  {}
func (Stop) input()  {}

// Result is what a Probe has learned.
type Result struct {
	// Code is the exit status of a command (0 to 255), or the status code of the
	// last HTTP answer (100 to 999).
	Code int
	// Connected is whether a TCP port took the connection.
	Connected bool
	// Err says why nothing was learned: time was up, nobody answered, the
	// command could not be started or was killed. Nil when something was.
	Err error
}
