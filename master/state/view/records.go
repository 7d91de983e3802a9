package view

import (
	"time"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// AgentStatus is where an agent stands.
type AgentStatus uint8

// The states of an agent that is shown.
const (
	// Recovered: known from the registry, not heard of yet.
	Recovered AgentStatus = iota
	// Connected: registered and linked.
	Connected
	// Disconnected: its link broke; it has time to come back.
	Disconnected
)

// Agent is an immutable picture of an agent.
type Agent struct {
	ID     AgentID
	Info   *mesos.AgentInfo
	Total  resources.Resources
	Status AgentStatus
	// Printed address of its actor; empty while Recovered.
	Peer         string
	Version      string
	Capabilities []mesos.AgentInfo_Capability_Type
	Registered   time.Time
	// Zero when it never re-registered with this master.
	Reregistered time.Time
	// By an operator: nothing of it is offered.
	Deactivated bool
	// Nil unless it is drained, and not reactivated since.
	Drain      *mesos.DrainInfo
	DrainSince time.Time
	// Why the agent itself wants no tasks; empty when it takes them.
	Hindered string
	// Nil unless its machine is in the schedule of maintenance.
	Maintenance *Maintenance
}

// Active tells whether an agent's resources are offered.
func (a *Agent) Active() bool { return a.Status == Connected && !a.Deactivated && a.Hindered == "" }

// Framework is an immutable picture of a framework.
type Framework struct {
	ID   FrameworkID
	Info *mesos.FrameworkInfo
	// Printed address of its scheduler; empty while it has none.
	Peer string
	// Connected frameworks have a live subscription; active ones get offers.
	Connected, Active bool
	// Known from the registry or from agents, and not subscribed since this
	// master leads.
	Recovered  bool
	Roles      []string
	Suppressed []string
	// Which agents it wants offers of; nil: all.
	Constraints  *scheduler.OfferConstraints
	Registered   time.Time
	Reregistered time.Time
	// Zero while it is not completed.
	Unregistered time.Time
}

// TaskSpec is what never changes of a task.
type TaskSpec struct {
	ID        TaskID
	Name      string
	Framework FrameworkID
	Agent     AgentID
	// Empty for a task under the built-in command executor.
	Executor  ExecutorID
	Role      string
	Resources resources.Resources
	// Nil for most tasks.
	Extra *TaskExtra
}

// TaskExtra holds what few tasks have.
type TaskExtra struct {
	User        string
	Labels      *mesos.Labels
	Discovery   *mesos.DiscoveryInfo
	Container   *mesos.ContainerInfo
	HealthCheck *mesos.HealthCheck
	KillPolicy  *mesos.KillPolicy
	Limits      map[string]*mesos.Value_Scalar
}

// Task is an immutable picture of a task.
type Task struct {
	*TaskSpec
	// The newest state that is known.
	State mesos.TaskState
	// The last status of every run of equal states, oldest first.
	Statuses []Status
}

// Last is the newest status; the zero Status when there is none yet.
func (t *Task) Last() Status {
	if len(t.Statuses) == 0 {
		return Status{}
	}
	return t.Statuses[len(t.Statuses)-1]
}

// NoReason is the Reason of a status that has none.
const NoReason mesos.TaskStatus_Reason = -1

// Status is one status of a task, without its data.
type Status struct {
	State  mesos.TaskState
	Source mesos.TaskStatus_Source
	Reason mesos.TaskStatus_Reason
	// Seconds since 1970.
	Timestamp float64
	Message   string
	// Zero for statuses that need no acknowledgement.
	UUID [16]byte
	// Nil for statuses that carry none of it.
	Detail *StatusDetail
}

// StatusDetail holds what few statuses have, or what many share.
type StatusDetail struct {
	Healthy     *bool
	Labels      *mesos.Labels
	Check       *mesos.CheckStatusInfo
	Container   *mesos.ContainerStatus
	Limitation  *mesos.TaskResourceLimitation
	Unreachable *mesos.TimeInfo
}

// Executor is an immutable picture of an executor that is not built in for
// single commands.
type Executor struct {
	ID        ExecutorID
	Framework FrameworkID
	Agent     AgentID
	Info      *mesos.ExecutorInfo
	Role      string
	Resources resources.Resources
}

// Offer is an immutable picture of an outstanding offer.
type Offer struct {
	ID        OfferID
	Framework FrameworkID
	Agent     AgentID
	Role      string
	Resources resources.Resources
}

// InverseOffer is an immutable picture of an outstanding inverse offer.
type InverseOffer struct {
	ID             OfferID
	Framework      FrameworkID
	Agent          AgentID
	Unavailability *mesos.Unavailability
}
