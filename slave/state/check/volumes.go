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
	// Where the user wants it in its sandbox: a clean, relative path.
	At string
}

// Volumes lists the persistent volumes among resources. It fails, naming the
// field, when one is wanted in a way that cannot be had: a volume is a symbolic
// link, so that it can be anywhere in the sandbox but nowhere else, and whoever
// sees it may write.
func Volumes(list []*mesos.Resource) ([]Use, error) {
	var uses []Use
	for i, r := range list {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		at, err := containerPath(r.GetDisk().GetVolume())
		if err != nil {
			return nil, field.At("resources", i, field.In("disk.volume", err))
		}
		uses = append(uses, Use{Resource: r, At: at})
	}
	return uses, nil
}

func containerPath(v *mesos.Volume) (string, error) {
	at := v.GetContainerPath()
	switch {
	case v.GetMode() != mesos.Volume_RW:
		return "", field.Invalid("mode", v.GetMode(), "cannot be kept: volumes are linked here, not mounted, and only RW can be had")
	case at == "":
		return "", field.Missing("container_path")
	case path.IsAbs(at):
		return "", field.Invalid("container_path", at, "is absolute: only a mount could put the volume there")
	}
	clean := path.Clean(at)
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") {
		return "", field.Invalid("container_path", at, "must be within the sandbox")
	}
	return clean, nil
}
