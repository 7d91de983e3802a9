// Package pid gives containers pid namespaces: they see no processes but their own,
// can send signals to no others, and when the first of them ends the kernel ends the
// rest. Imported by wiring.
package pid

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "namespaces/pid"

// Isolator keeps no state: the kernel ends a namespace with its last process.
type Isolator struct{ refuseSharing bool }

// New fails where the kernel has no pid namespaces, or makes none for this process.
// With disallowSharing (--disallow_sharing_agent_pid_namespace) no container that is
// not within another may share the agent's.
func New(disallowSharing bool) (*Isolator, error) {
	if err := namespaces.Check(Name, "pid"); err != nil {
		return nil, err
	}
	return &Isolator{disallowSharing}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare makes a namespace unless the container wants to share that of its parent,
// or of the agent. Errors name the field.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	if c.Info.GetLinuxInfo().GetSharePidNamespace() {
		if c.Parent == nil && i.refuseSharing {
			return field.In("container.linux_info.share_pid_namespace", errors.New("this agent does not share its pid namespace (--disallow_sharing_agent_pid_namespace)"))
		}
		return nil
	}
	p.New |= plan.NewPID | plan.NewMount
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	p.Mounts = append(p.Mounts, plan.Mount{Source: "proc", Target: p.Root + "/proc", Type: "proc", Flags: flags})
	if p.Root == "" {
		return nil
	}
	// In a root folder of its own a program can be root without being the
	// machine's: what concerns the machine it may only read.
	for _, name := range []string{"bus", "fs", "irq", "sys", "sysrq-trigger"} {
		if _, err := os.Stat("/proc/" + name); err != nil {
			continue // not of this kernel
		}
		path := p.Root + "/proc/" + name
		p.Mounts = append(p.Mounts, plan.Mount{
			Source: path, Target: path, Flags: unix.MS_BIND | unix.MS_REC | unix.MS_RDONLY, File: name == "sysrq-trigger",
		})
	}
	return nil
}
