// Package isolator is what isolators have in common: the container that they
// hold, and the interface that each of them, in a folder of its own below this
// one, implements a part of. A Set of them, as --isolation names them, is what
// containers are made with. Imported by the isolators, and by wiring.
//
// Isolators keep nothing between calls but what they can find again by a
// container's id: executor hosts prepare and end containers, while their agent
// measures them and cleans up after a host that was lost, each with a Set of
// its own.
package isolator

import (
	"context"

	"troupe/messages/mesos"
	"troupe/slave/container/plan"
)

// Container is what isolators are told of a container. It is the caller's; a
// field changes only between calls.
type Container struct {
	// ID has the ids of all containers that this one is in, the outermost first, and
	// its own. Each is a plain file name.
	ID []string
	// Parent is the one it is in; nil for an executor's container, and for one that
	// stands alone.
	Parent *Container
	// Sandbox is its folder on the machine, absolute. Nested containers have their
	// own within their parent's.
	Sandbox string
	// User that its programs run as; empty means the launcher's own.
	User string
	// Info is what was asked for; may be nil.
	Info *mesos.ContainerInfo
	// Command may be nil.
	Command *mesos.CommandInfo
	// Task is the id of the task of a group that it is made for; empty for others.
	Task string
	// Shared: it is within the amounts of its parent, and has none of its own.
	Shared bool
	// Amounts are what it may use; see Shared.
	Amounts Amounts
	// Volumes are the persistent volumes that it has. Links in the sandbox show them
	// already, but for those that a link could not: with an absolute path, or
	// read-only. These are to be mounted; their folders belong to their users.
	Volumes []Volume
}

// Amounts are what a container was given (request) and may use at most (limit).
// Without a limit of its own a resource has nil there; positive infinity is
// "without end".
type Amounts struct {
	// In CPUs; the second tells that they are revocable.
	CPUs      float64
	Revocable bool
	CPULimit  *float64
	// In bytes.
	Mem      uint64
	MemLimit *float64
	// In bytes; the sandbox alone, without persistent volumes.
	Disk uint64
	// Whole ones.
	GPUs int
}

// Volume is a persistent volume.
type Volume struct {
	// Resource is of disk, with persistence and volume, which says where the
	// container wants it: absolute, or relative to the sandbox.
	Resource *mesos.Resource
	// Source is its folder on the machine, absolute.
	Source string
}

// Bytes is what the volume may hold.
func (v Volume) Bytes() uint64 { return uint64(v.Resource.GetScalar().GetValue() * (1 << 20)) }

// Limit tells that a container wanted more than it may have, for which it ends.
type Limit struct {
	Reason mesos.TaskStatus_Reason
	// Message says what was wanted and what was allowed, with figures.
	Message string
	// Resources is what it used at most, as in TaskResourceLimitation.
	Resources []*mesos.Resource
}

// Isolator holds containers to something, or measures it. Its other abilities
// are the interfaces below. All must be safe for concurrent use.
type Isolator interface {
	// Name is as --isolation has it.
	Name() string
	// Prepare makes what the container needs, and adds to the plan of its
	// programs. Isolators prepare in the order of the Set, and see what those
	// before have planned. Nothing is left of an attempt that fails.
	Prepare(ctx context.Context, c *Container, p *plan.Plan) error
}

// A Furnisher gives something also to programs that run beside a container's own,
// in it, and have commands of their own.
type Furnisher interface {
	// Furnish adds to the plan of such a program, whose command c has instead of the
	// container's. It makes nothing that is to be removed.
	Furnish(ctx context.Context, c *Container, p *plan.Plan) error
}

// An Updater changes what a running container may use; Amounts are the new ones.
type Updater interface {
	Update(c *Container) error
}

// A Meter adds to statistics what it knows of a container, by its ID (and
// Sandbox) alone. A container that it does not hold adds nothing.
type Meter interface {
	Usage(c *Container, u *mesos.ResourceStatistics) error
}

// A Watcher tells of a limit that a container has run into.
type Watcher interface {
	// Watch tells once at most, until ctx ends. It returns when it watches.
	Watch(ctx context.Context, c *Container, limited func(*Limit)) error
	// Check says whether the container has run into its limit by now; nil if not.
	// It is asked when a program of it was killed, as the kernel may have done it.
	Check(c *Container) (*Limit, error)
}

// A Cleaner removes what Prepare made, in the reverse order of the Set, when no
// process of the container is left. What is gone already is no error: it is
// called again after a crash. Containers are known by ID and Sandbox then.
type Cleaner interface {
	Cleanup(ctx context.Context, c *Container) error
}

// A Recoverer finds what a lost host has left: containers that the isolator holds,
// by ID. The caller ends those of which nobody else knows.
type Recoverer interface {
	Recover(ctx context.Context) ([][]string, error)
}

// A Killer ends every process of a container, whatever it has become, and
// returns when they are gone.
type Killer interface {
	Kill(ctx context.Context, c *Container) error
}

// A Reporter adds to the status of a container what it has given that. It is asked
// once the container is prepared, and answers the same until its end.
type Reporter interface {
	Status(c *Container, s *mesos.ContainerStatus) error
}

// A Counter has figures of its own, of all containers together.
type Counter interface {
	// Figures puts each by the key that Mesos gives it.
	Figures(put func(key string, value float64)) error
}
