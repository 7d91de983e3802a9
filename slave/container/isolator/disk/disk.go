// Package disk is what the isolators of disks have in common: what is known of
// the use of a container, which the host that holds it writes down for the
// agent to read, and the words when it is too much. Imported by these
// isolators.
package disk

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
)

// Use is what of a folder is known.
type Use struct {
	// Path of the folder, absolute and clean.
	Path string
	// Limit in bytes; 0 is none.
	Limit uint64
	// Used in bytes; nil while it is not known.
	Used *uint64
	// Resource is that of a persistent volume; nil for a sandbox.
	Resource *mesos.Resource
	// Project is the folder's, where it has one; see disk/xfs.
	Project uint32
}

// Uses are those of a container, the sandbox first, then each volume once, but for
// those of the container around: they are its to answer for.
func Uses(c *isolator.Container) []Use {
	list := make([]Use, 0, 1+len(c.Volumes))
	sandbox := Use{Path: filepath.Clean(c.Sandbox)}
	if !c.Shared {
		sandbox.Limit = c.Amounts.Disk
	}
	list = append(list, sandbox)
	for _, v := range c.Volumes {
		if c.Parent != nil && slices.ContainsFunc(c.Parent.Volumes, func(u isolator.Volume) bool { return u.Source == v.Source }) {
			continue
		}
		if slices.ContainsFunc(list, func(u Use) bool { return u.Path == filepath.Clean(v.Source) }) {
			continue // a shared one, that is wanted in several ways
		}
		list = append(list, Use{Path: filepath.Clean(v.Source), Limit: v.Bytes(), Resource: v.Resource})
	}
	return list
}

// Add puts what is known of a container into its statistics.
func Add(list []Use, u *mesos.ResourceStatistics) {
	for _, one := range list {
		s := &mesos.DiskStatistics{UsedBytes: one.Used}
		if one.Limit > 0 {
			s.LimitBytes = proto.Uint64(one.Limit)
		}
		if one.Resource == nil {
			u.DiskLimitBytes, u.DiskUsedBytes = s.LimitBytes, s.UsedBytes
		} else {
			s.Source, s.Persistence = one.Resource.GetDisk().GetSource(), one.Resource.GetDisk().GetPersistence()
		}
		if s.UsedBytes != nil || s.LimitBytes != nil {
			u.DiskStatistics = append(u.DiskStatistics, s)
		}
	}
}

// Over says whether more is used than may be.
func (u Use) Over() bool { return u.Used != nil && u.Limit > 0 && *u.Used > u.Limit }

// Exceeded is the limit that a folder has run into.
func (u Use) Exceeded() *isolator.Limit {
	var used uint64
	if u.Used != nil {
		used = *u.Used
	}
	what := "disk usage"
	r := &mesos.Resource{Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum()}
	if u.Resource != nil {
		r = proto.CloneOf(u.Resource)
		what = fmt.Sprintf("disk usage of the persistent volume %q", r.GetDisk().GetPersistence().GetId())
	}
	r.Scalar = &mesos.Value_Scalar{Value: proto.Float64(float64(used) / (1 << 20))}
	return &isolator.Limit{
		Reason:    mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK,
		Message:   fmt.Sprintf("%s %s exceeds its quota %s", what, Size(used), Size(u.Limit)),
		Resources: []*mesos.Resource{r},
	}
}

// Size is a number of bytes in words, as 1.5MB, rounded to a thousandth of its
// unit.
func Size(bytes uint64) string {
	if bytes < 1<<10 {
		return fmt.Sprintf("%dB", bytes)
	}
	unit := 0
	value := float64(bytes)
	for units := "KMGTPE"; unit < len(units); unit++ {
		if value /= 1 << 10; value < 1<<10 {
			break
		}
	}
	text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", value), "0"), ".")
	return fmt.Sprintf("%s%cB", text, "KMGTPE"[unit])
}
