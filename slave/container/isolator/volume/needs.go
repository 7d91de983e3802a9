package volume

import (
	"path/filepath"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// Names of isolators, as --isolation has them.
const (
	Filesystem  = "filesystem/linux"
	HostPath    = "volume/host_path"
	SandboxPath = "volume/sandbox_path"
	Secret      = "volume/secret"
)

// Check refuses a container with a volume that no isolator there mounts, and
// says which are missing. linked tells that paths of sandboxes are shown by links
// without one. Errors name the field.
func Check(c *mesos.ContainerInfo, has func(isolator string) bool, linked bool) error {
	for i, v := range c.GetVolumes() {
		name, who := mounter(v)
		if who == SandboxPath && linked {
			continue
		}
		if err := check(v, name, who, has); err != nil {
			return field.In("container", field.At("volumes", i, err))
		}
	}
	return nil
}

func check(v *mesos.Volume, name, who string, has func(string) bool) error {
	if who == "" {
		return field.Invalid(name, v.GetContainerPath(), "cannot be had on this agent: no isolator mounts it")
	}
	var missing []string
	for _, n := range []string{Filesystem, who} {
		if !has(n) {
			missing = append(missing, n)
		}
	}
	if missing == nil {
		return nil
	}
	return field.Invalid(name, v.GetContainerPath(), "cannot be had on this agent: it needs --isolation=%s", strings.Join(missing, ","))
}

// mounter is the field that says what a volume is, and the isolator that mounts
// it, empty if none does.
func mounter(v *mesos.Volume) (name, isolator string) {
	switch {
	case v.HostPath != nil && filepath.IsAbs(v.GetHostPath()):
		return "host_path", HostPath
	case v.HostPath != nil:
		return "host_path", SandboxPath
	case v.Image != nil:
		return "image", ""
	}
	switch v.GetSource().GetType() {
	case mesos.Volume_Source_HOST_PATH:
		return "source.host_path", HostPath
	case mesos.Volume_Source_SANDBOX_PATH:
		return "source.sandbox_path", SandboxPath
	case mesos.Volume_Source_SECRET:
		return "source.secret", Secret
	}
	return "source.type", ""
}
