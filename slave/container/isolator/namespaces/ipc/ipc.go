// Package ipc gives containers IPC namespaces: shared memory, semaphores and message
// queues of System V and of POSIX that no other container sees. Imported by wiring.
package ipc

import (
	"context"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "namespaces/ipc"

// Options are settings of the agent.
type Options struct {
	// ShmSize is the size of a private /dev/shm for which a container names none
	// (--default_container_shm_size), in bytes; 0 leaves it to the kernel, which takes
	// half of the memory.
	ShmSize uint64
	// DisallowSharing (--disallow_sharing_agent_ipc_namespace): no container that is not
	// within another may share the agent's namespace.
	DisallowSharing bool
}

// Isolator keeps no state: the kernel ends a namespace with its last process.
type Isolator struct{ options Options }

// New fails where the kernel has no IPC namespaces, or makes none for this process.
func New(o Options) (*Isolator, error) {
	if err := namespaces.Check(Name, "ipc"); err != nil {
		return nil, err
	}
	return &Isolator{o}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare makes a namespace and a /dev/shm for a container that wants its own
// (PRIVATE). One that wants its parent's, or the agent's, gets that (SHARE_PARENT).
// One that says nothing is as ever: a namespace for it and all in it, and the
// machine's /dev/shm, unless it has a root folder of its own. Errors name the field.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	info := c.Info.GetLinuxInfo()
	mode := info.GetIpcMode()
	if info != nil && info.ShmSize != nil && mode != mesos.LinuxInfo_PRIVATE {
		return field.Invalid("container.linux_info.shm_size", info.GetShmSize(), "needs ipc_mode PRIVATE")
	}
	switch mode {
	case mesos.LinuxInfo_SHARE_PARENT:
		if c.Parent == nil && i.options.DisallowSharing {
			return field.In("container.linux_info.ipc_mode", errors.New("SHARE_PARENT: this agent does not share its IPC namespace (--disallow_sharing_agent_ipc_namespace)"))
		}
		return nil
	case mesos.LinuxInfo_PRIVATE:
		p.New |= plan.NewIPC
		i.mount(uint64(info.GetShmSize())<<20, p)
	default:
		if c.Parent == nil {
			p.New |= plan.NewIPC
		}
		if p.Root != "" {
			i.mount(0, p)
		}
	}
	return nil
}

// mount makes /dev/shm, of as many bytes or of the default size.
func (i *Isolator) mount(size uint64, p *plan.Plan) {
	if size == 0 {
		size = i.options.ShmSize
	}
	data := "mode=1777"
	if size > 0 {
		data += ",size=" + strconv.FormatUint(size, 10)
	}
	p.New |= plan.NewMount
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_STRICTATIME
	p.Mounts = append(p.Mounts, plan.Mount{Source: "shm", Target: p.Root + "/dev/shm", Type: "tmpfs", Flags: flags, Data: data})
}
