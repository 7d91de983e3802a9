// Package netcls is cgroups/net_cls: the packets of a container carry a class,
// by which operators shape or filter traffic. Version 1 only. Imported by wiring.
package netcls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// Settings are --cgroups_net_cls_primary_handle and
// --cgroups_net_cls_secondary_handles.
type Settings struct {
	// Primary is the upper half of every class, tc's "major"; 0 gives no classes.
	Primary uint16 `json:"primary,omitempty"`
	// First and Last bound the lower half, of which each container has its own;
	// both 0 is all.
	First uint16 `json:"first,omitempty"`
	Last  uint16 `json:"last,omitempty"`
}

// Isolator gives classes.
type Isolator struct {
	*cgroups.Place
	settings Settings
}

const file = "net_cls.classid"

// New fails when the kernel does not mark packets.
func New(t *cgroups.Tree, s Settings) (*Isolator, error) {
	if s.First == 0 && s.Last == 0 {
		s.Last = 1<<16 - 1
	}
	s.First = max(s.First, 1) // 0 names the queueing discipline itself
	if s.First > s.Last {
		return nil, fmt.Errorf("cgroups/net_cls: --cgroups_net_cls_secondary_handles: %#x is beyond %#x", s.First, s.Last)
	}
	p, err := t.Place("cgroups/net_cls", "net_cls")
	if err != nil {
		return nil, err
	}
	return &Isolator{p, s}, nil
}

// Prepare implements isolator.Isolator. A nested container has the class of the
// one it is in, which the kernel sees to.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.PrepareAnd(ctx, c, p, func() error {
		if i.settings.Primary == 0 || len(c.ID) > 1 {
			return nil
		}
		return i.classify(c)
	})
}

// classify takes a class that no other container has. Those are read from the
// kernel, as other processes give classes too; they wait for each other. The lock is
// on a file: where the hierarchy is the freezer's too, the agent holds its folder.
func (i *Isolator) classify(c *isolator.Container) error {
	lock, err := os.Open(i.Controllers[0].Base() + "/" + file)
	if err != nil {
		return err
	}
	defer lock.Close() // which unlocks it
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	taken := map[uint64]bool{}
	containers, err := i.Controllers[0].Recover()
	if err != nil {
		return err
	}
	for _, id := range containers {
		n, err := cgroups.Number(i.Controllers[0].Dir(id), file)
		if err != nil && !cgroups.IsGone(err) {
			return err
		}
		taken[n] = true
	}
	for lower := uint64(i.settings.First); lower <= uint64(i.settings.Last); lower++ {
		if class := uint64(i.settings.Primary)<<16 | lower; !taken[class] {
			return cgroups.Write(i.Dir(0, c), file, strconv.FormatUint(class, 10))
		}
	}
	return errors.New("every class of --cgroups_net_cls_secondary_handles is taken: widen that range")
}

// Status implements isolator.Reporter: a container that was given no class says
// nothing.
func (i *Isolator) Status(c *isolator.Container, s *mesos.ContainerStatus) error {
	class, err := i.Class(c)
	if err != nil || class == 0 {
		return err
	}
	if s.CgroupInfo == nil {
		s.CgroupInfo = &mesos.CgroupInfo{}
	}
	s.CgroupInfo.NetCls = &mesos.CgroupInfo_NetCls{Classid: &class}
	return nil
}

// Class of a container; 0 is none.
func (i *Isolator) Class(c *isolator.Container) (uint32, error) {
	n, err := cgroups.Number(i.Dir(0, c), file)
	if cgroups.IsGone(err) {
		return 0, nil
	}
	return uint32(n), err
}
