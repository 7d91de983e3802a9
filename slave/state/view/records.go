package view

import (
	"time"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// FrameworkID names a framework in the cluster.
type FrameworkID string

// ExecutorID is chosen by a framework and unique within it on one agent, at
// any moment.
type ExecutorID string

// TaskID is chosen by a framework and unique within it.
type TaskID string

// ContainerID is made by the agent; it is unique for all time.
type ContainerID string

// HostID names an executor host of the agent.
type HostID string

// OperationID is the master's name for an operation: 32 hexadecimal digits.
type OperationID string

// Operation is an immutable picture of an operation on the agent's resources,
// until its end is acknowledged.
type Operation struct {
	ID OperationID
	// In the order of arrival.
	Number uint64
	Info   *mesos.Operation
}

// Agent is an immutable picture of the agent itself.
type Agent struct {
	// Without an id before the first registration.
	Info *mesos.AgentInfo
	// Printed address of the master; empty while there is none.
	Master string
	// Whether that master knows the agent.
	Registered bool
	// Nil while the agent is not being drained.
	Drain *mesos.DrainConfig
	// Whether hosts of an earlier agent process have yet to say what they hold.
	Recovering bool
	// All that the agent has, as operations have left it; without what is lent.
	Resources []*mesos.Resource
	// What it lends beside that of what is allocated, but not used; revocable.
	Lent []*mesos.Resource
}

// Framework is an immutable picture of a framework that has executors or
// tasks here.
type Framework struct {
	ID   FrameworkID
	Info *mesos.FrameworkInfo
}

// Phase is how far an executor's life has come.
type Phase uint8

// The phases, in their order. An executor may go from any to Terminating, and
// from any to Terminated.
const (
	// Launching: its sandbox, its host or its container is being made.
	Launching Phase = iota
	// Registering: its container runs, it has not subscribed.
	Registering
	// Running: it has subscribed.
	Running
	// Terminating: it was told to end.
	Terminating
	// Terminated: its container is gone.
	Terminated
)

// String is the word that people see.
func (p Phase) String() string {
	return [...]string{"launching", "registering", "running", "terminating", "terminated"}[p]
}

// Executor is an immutable picture of an executor, which has one container.
type Executor struct {
	ID        ExecutorID
	Framework FrameworkID
	Container ContainerID
	Info      *mesos.ExecutorInfo
	// Generated for a task that names no executor.
	Generated bool
	Phase     Phase
	// Doing is what its launch takes its time for, for people; mostly empty.
	Doing string
	// The sandbox's folder; empty until it is made.
	Sandbox string
	// 0 unless it has a process of its own.
	Pid int32
	// Groups is what is told of its container's control groups; nil if nothing.
	Groups *mesos.CgroupInfo
	// Empty until it is placed.
	Host HostID
	User string
	// Peer is the printed address of its actor; empty while it is not subscribed.
	Peer string
	// Amounts are what its container may use, as its host was told; nil before
	// that.
	Amounts *cluster.ContainerAmounts
}

// Task is an immutable picture of a task.
type Task struct {
	Info      *mesos.TaskInfo
	Framework FrameworkID
	Executor  ExecutorID
	Container ContainerID
	// The newest state, STAGING at first.
	State mesos.TaskState
	// The last status of every run of equal states, oldest first, without
	// their data.
	Statuses []*mesos.TaskStatus
	// Launched is whether its executor was given it.
	Launched bool
	Accepted time.Time
}

// Host is an immutable picture of an executor host.
type Host struct {
	ID HostID
	// 0 until it is ready.
	Pid        int32
	Containers int
	// Peer is the printed address of its actor; empty while it is not linked.
	Peer string
}

// Slack is an immutable picture of what a role's containers had and used, and
// what they left, in a time that ends now.
type Slack struct {
	Role string
	// Window is how far it looks back, and Covers how much of that is known.
	Window, Covers time.Duration
	// In CPUs, and in bytes.
	CPUs, Mem Left
}

// Left is what is left of a resource.
type Left struct {
	// Allocated and Used are means; what was lent counts as well.
	Allocated, Used float64
	// P95 is what was not exceeded in 95 of 100 samples; Peak in none.
	P95, Peak float64
	// Slack was left of what is the role's own, without what it was lent, in 95 of
	// 100 samples at least.
	Slack float64
}
