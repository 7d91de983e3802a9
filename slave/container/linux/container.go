package linux

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// Container is a place that programs are launched in: the namespaces of a program
// that runs, or of a holder. It lasts as long as that.
type Container struct {
	child  *posix.Child
	has    plan.Namespaces // those that are not the machine's
	holder *Process        // nil if a program holds it
}

// pidfd is of the init, which is in all of the container's namespaces but for that of
// cgroups.
func (c *Container) pidfd() (*os.File, error) {
	var fd int
	var err error
	lent := c.child.Pidfd(func(n int) { fd, err = unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0) })
	if lent != nil {
		err = lent
	}
	if err != nil {
		return nil, fmt.Errorf("entering a container: it has ended: %w", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// Pid is of the init that holds the container's namespaces, as the machine numbers it.
func (c *Container) Pid() int { return c.child.Pid() }

// Done is closed when the container is gone.
func (c *Container) Done() <-chan struct{} {
	if c.holder == nil {
		return nil
	}
	return c.holder.Done()
}

// Close ends a container that Hold made; programs in its pid namespace end with it.
// It returns when they are gone. Containers of programs end with those.
func (c *Container) Close() {
	if c.holder != nil {
		c.holder.Kill(0)
		<-c.holder.Done()
	}
}
