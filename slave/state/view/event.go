package view

// Event is one change of what is shown; the list below is closed.
type Event interface{ event() }

// AgentChanged replaces the picture of the agent.
type AgentChanged struct{ Agent *Agent }

// FrameworkChanged adds a framework or replaces its picture.
type FrameworkChanged struct{ Framework *Framework }

// FrameworkRemoved ends a framework's picture: nothing of it is left.
type FrameworkRemoved struct{ ID FrameworkID }

// ExecutorChanged adds an executor or replaces its picture. After Terminated
// no other follows.
type ExecutorChanged struct{ Executor *Executor }

// TaskChanged adds a task or replaces its picture.
type TaskChanged struct{ Task *Task }

// TaskRemoved ends a task: its last update is acknowledged, or nobody waits
// for it.
type TaskRemoved struct{ Task *Task }

// HostChanged adds an executor host or replaces its picture.
type HostChanged struct{ Host *Host }

// HostRemoved ends a host.
type HostRemoved struct{ ID HostID }

// OperationChanged adds an operation or replaces its picture.
type OperationChanged struct{ Operation *Operation }

// OperationRemoved ends an operation: its end is acknowledged, or nobody waits
// for it.
type OperationRemoved struct{ ID OperationID }

// SlackChanged replaces what is known of the slack of roles, by role and window.
type SlackChanged struct{ Slack []Slack }

// Counter names what Counted counts.
type Counter string

// The counters, by the names that Mesos gives their metrics.
const (
	ValidUpdates     Counter = "valid_status_updates"
	InvalidUpdates   Counter = "invalid_status_updates"
	ValidMessages    Counter = "valid_framework_messages"
	InvalidMessages  Counter = "invalid_framework_messages"
	LaunchErrors     Counter = "container_launch_errors"
	RecoveryErrors   Counter = "recovery_errors"
	StrangerMessages Counter = "stranger_messages"
	JournalStalls    Counter = "journal_stalls"
	// ExecutorsPreempted were ended for what they were lent.
	ExecutorsPreempted Counter = "executors_preempted"
)

// Counted adds one to a counter.
type Counted struct{ Counter Counter }

func (AgentChanged) event()     {}
func (FrameworkChanged) event() {}
func (FrameworkRemoved) event() {}
func (ExecutorChanged) event()  {}
func (TaskChanged) event()      {}
func (TaskRemoved) event()      {}
func (HostChanged) event()      {}
func (HostRemoved) event()      {}
func (OperationChanged) event() {}
func (OperationRemoved) event() {}
func (SlackChanged) event()     {}
func (Counted) event()          {}
