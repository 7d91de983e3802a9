// Package sandboxpath shows paths of a container's sandbox, or of the one
// around it, at other paths, by mounts. Imported by wiring.
package sandboxpath

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/volume"
	"troupe/slave/container/plan"
)

// Isolator mounts paths of sandboxes. It keeps no state.
type Isolator struct{}

// New never fails.
func New() Isolator { return Isolator{} }

// Name is as --isolation has it.
func (Isolator) Name() string { return volume.SandboxPath }

// Prepare plans the mounts, and makes what is not there: folders, of the
// sandbox's owner. Errors name the volume's field.
func (Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	for n, v := range c.Info.GetVolumes() {
		s, name := asked(v)
		if s == nil {
			continue
		}
		if err := mount(c, p, v, s, name); err != nil {
			return field.In("container", field.At("volumes", n, err))
		}
	}
	return nil
}

// asked is nil of other volumes. A host_path that is relative is how it was said
// before there were sources.
func asked(v *mesos.Volume) (*mesos.Volume_Source_SandboxPath, string) {
	if v.HostPath != nil && !filepath.IsAbs(v.GetHostPath()) {
		return &mesos.Volume_Source_SandboxPath{Type: mesos.Volume_Source_SandboxPath_SELF.Enum(), Path: v.HostPath}, "host_path"
	}
	if v.GetSource().GetType() == mesos.Volume_Source_SANDBOX_PATH {
		return v.GetSource().GetSandboxPath(), "source.sandbox_path.path"
	}
	return nil, ""
}

func mount(c *isolator.Container, p *plan.Plan, v *mesos.Volume, s *mesos.Volume_Source_SandboxPath, name string) error {
	owner := c
	switch s.GetType() {
	case mesos.Volume_Source_SandboxPath_SELF:
	case mesos.Volume_Source_SandboxPath_PARENT:
		if owner = c.Parent; owner == nil {
			return field.Invalid("source.sandbox_path.type", s.GetType(), "is only for containers within another")
		}
	default:
		return field.Invalid("source.sandbox_path.type", s.GetType(), "must be SELF or PARENT")
	}
	if !filepath.IsLocal(s.GetPath()) {
		return field.Invalid(name, s.GetPath(), "must be relative, and within the sandbox")
	}
	found, readOnly, err := source(owner, filepath.Clean(s.GetPath()))
	if errors.Is(err, unix.EXDEV) {
		return field.Invalid(name, s.GetPath(), "leads out of the sandbox by a symbolic link")
	}
	if err != nil {
		return field.Invalid(name, s.GetPath(), "%s", err)
	}
	return volume.Add(c, p, volume.Mount{
		Source: found.Path, SourceBelow: found.Below, File: found.File, At: v.GetContainerPath(),
		ReadOnly: readOnly || v.GetMode() == mesos.Volume_RO,
	})
}

// source finds or makes a path of a container. A persistent volume is a link out
// of the sandbox, or mounted there for its container alone: others find it where
// it is on the machine.
func source(owner *isolator.Container, path string) (found volume.Found, readOnly bool, err error) {
	for _, v := range owner.Volumes {
		at := v.Resource.GetDisk().GetVolume()
		if rest, ok := below(filepath.Clean(at.GetContainerPath()), path); ok {
			found, err := volume.FindBelow(v.Source, rest)
			return found, at.GetMode() == mesos.Volume_RO, err
		}
	}
	s, err := volume.Open(owner)
	if err != nil {
		return volume.Found{}, false, err
	}
	defer s.Close()
	found, err = s.Find(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.Make(path, false); err == nil {
			found, err = s.Find(path)
		}
	}
	return found, false, err
}

// below is what of path is left below folder.
func below(folder, path string) (string, bool) {
	if path == folder {
		return ".", true
	}
	return strings.CutPrefix(path, folder+"/")
}
