package program

import (
	"context"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Contents say what a container is made for.
type Contents struct {
	ID *mesos.ContainerID
	// Task is the id of the task of a group that it is made for; empty for others.
	Task string
	// Sandbox is its folder, which exists.
	Sandbox string
	// User that its programs run as; empty means the launcher's own.
	User string
	// Info may be nil.
	Info *mesos.ContainerInfo
	// Command, of which only the URIs count here; may be nil.
	Command *mesos.CommandInfo
	// Isolation is as LaunchContainer has it; a nested container has its parent's.
	Isolation []byte
	// Amounts may be nil: none are known, or it is within its parent's.
	Amounts *cluster.ContainerAmounts
	// Resources that a container within another was given. The persistent volumes
	// among them are among its parent's.
	Resources []*mesos.Resource
	// Progress is told what takes its time, from any goroutine; may be nil.
	Progress func(doing string)
}

// Containers makes containers, and starts programs in and outside of them.
type Containers interface {
	Launcher
	// Open makes a container and fetches what its command wants. It may take
	// minutes. An error names what was wrong; nothing is left of the attempt, also
	// when ctx ends it. The container lives on after ctx.
	Open(ctx context.Context, c Contents) (Container, error)
}

// LimitError says that a container could not be made, as it wanted more than it
// may have.
type LimitError struct{ Limit *cluster.ContainerLimit }

// Error is the limit's message.
func (e *LimitError) Error() string { return e.Limit.GetMessage() }

// Container holds programs to what they were given. Safe for concurrent use.
type Container interface {
	// Nest makes a container within this one; see Containers.Open.
	Nest(ctx context.Context, c Contents) (Container, error)
	// Mounts tells that it has the volumes of its Info as mounts; else somebody has
	// to link them.
	Mounts() bool
	// Groups is what is told of its control groups; nil if nothing. Nobody may
	// change it.
	Groups() *mesos.CgroupInfo
	// Update changes what it may use.
	Update(a *cluster.ContainerAmounts) error
	// Limited is closed when the container wanted more than it may have, for which
	// it is to be destroyed. What has ended for that has Process.Limit set.
	Limited() <-chan struct{}
	// Limit is valid after Limited is closed.
	Limit() *cluster.ContainerLimit
	// Destroy kills every process in it and in what is below it, and removes what
	// was made for it. It returns when nothing is left, or with an error that names
	// what is; a later call goes on.
	Destroy(ctx context.Context) error
}
