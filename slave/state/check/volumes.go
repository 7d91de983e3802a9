package check

import (
	"path"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// Use is a persistent volume among the resources of a task or an executor.
type Use struct {
	Resource *mesos.Resource
	// Where the user wants it: a clean path, in its sandbox if it is relative.
	At string
	// Mount: a link cannot show it so.
	Mount bool
}

// Volumes lists the persistent volumes among resources. It fails, naming the
// field, when one is wanted in a way that cannot be had: a link can be anywhere in
// the sandbox but nowhere else, and whoever sees it may write. Mounts, where there
// are any, can do without both.
func Volumes(list []*mesos.Resource, mounts bool) ([]Use, error) {
	var uses []Use
	for i, r := range list {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		use := Use{Resource: r}
		if err := use.place(r.GetDisk().GetVolume(), mounts); err != nil {
			return nil, field.At("resources", i, field.In("disk.volume", err))
		}
		uses = append(uses, use)
	}
	return uses, nil
}

// Once says that a use takes a mount, which can only be made with its container.
func (u Use) Once() error {
	return field.Invalid("resources.disk.volume.container_path", u.At,
		"is absolute, or of mode %s: it can only be mounted when its executor is launched, and that runs", mesos.Volume_RO)
}

func (u *Use) place(v *mesos.Volume, mounts bool) error {
	at := v.GetContainerPath()
	u.At, u.Mount = path.Clean(at), path.IsAbs(at) || v.GetMode() != mesos.Volume_RW
	switch {
	case v.GetMode() != mesos.Volume_RW && !mounts:
		return field.Invalid("mode", v.GetMode(), "cannot be kept: volumes are linked here, not mounted, and only RW can be had; "+wants)
	case at == "":
		return field.Missing("container_path")
	case path.IsAbs(at) && !mounts:
		return field.Invalid("container_path", at, "is absolute: only a mount could put the volume there; "+wants)
	case u.At == "/":
		return field.Invalid("container_path", at, "must not be the root folder")
	case u.At == "." || u.At == ".." || strings.HasPrefix(u.At, "../"):
		return field.Invalid("container_path", at, "must be within the sandbox")
	}
	return nil
}

const wants = "the agent needs --isolation=filesystem/linux for that"
