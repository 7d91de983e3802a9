// Package hostpath shows files and folders of the machine to containers, by
// mounts. Imported by wiring.
package hostpath

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/volume"
	"troupe/slave/container/mountinfo"
	"troupe/slave/container/plan"
)

// Settings are the operator's.
type Settings struct {
	// ForceCreation are folders in which a path that does not exist is made,
	// absolute, with colons between (--host_path_volume_force_creation); empty
	// makes none.
	ForceCreation string
}

// Isolator mounts paths of the machine. It keeps no state.
type Isolator struct{ creatable []string }

// New fails when a folder of the settings is not absolute.
func New(s Settings) (Isolator, error) {
	var i Isolator
	if s.ForceCreation == "" {
		return i, nil
	}
	for folder := range strings.SplitSeq(s.ForceCreation, ":") {
		if !filepath.IsAbs(folder) {
			return i, field.Invalid("--host_path_volume_force_creation", folder, "must be absolute paths with colons between")
		}
		i.creatable = append(i.creatable, filepath.Clean(folder))
	}
	return i, nil
}

// Name is as --isolation has it.
func (Isolator) Name() string { return volume.HostPath }

// Prepare plans the mounts. Errors name the volume's field.
func (i Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	for n, v := range c.Info.GetVolumes() {
		path, name := asked(v)
		if name == "" {
			continue
		}
		if err := i.mount(c, p, v, path, name); err != nil {
			return field.In("container", field.At("volumes", n, err))
		}
	}
	return nil
}

// asked has no name for other volumes.
func asked(v *mesos.Volume) (path, name string) {
	switch {
	case v.GetSource().GetType() == mesos.Volume_Source_HOST_PATH:
		return v.GetSource().GetHostPath().GetPath(), "source.host_path.path"
	case filepath.IsAbs(v.GetHostPath()):
		return v.GetHostPath(), "host_path"
	}
	return "", ""
}

func (i Isolator) mount(c *isolator.Container, p *plan.Plan, v *mesos.Volume, path, name string) error {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return field.Invalid(name, path, "must be an absolute path")
	}
	source, file, err := i.source(path)
	if err != nil {
		return field.Invalid(name, path, "%s", reason(err))
	}
	m := volume.Mount{Source: source, File: file, At: v.GetContainerPath(), ReadOnly: v.GetMode() == mesos.Volume_RO}
	switch mode := v.GetSource().GetHostPath().GetMountPropagation().GetMode(); mode {
	case mesos.MountPropagation_UNKNOWN, mesos.MountPropagation_HOST_TO_CONTAINER:
	case mesos.MountPropagation_BIDIRECTIONAL:
		if m.Shared = true; !shared(source) {
			return field.Invalid("source.host_path.mount_propagation.mode", mode, "cannot be had for %s, which is not on a shared mount of the machine (mount --make-shared)", path)
		}
	default:
		return field.Invalid("source.host_path.mount_propagation.mode", mode, "is not known")
	}
	return volume.Add(c, p, m)
}

func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Op + " " + p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}

// source is where a path leads without symbolic links.
func (i Isolator) source(path string) (source string, file bool, err error) {
	source, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = i.create(filepath.Clean(path)); err == nil {
			source, err = filepath.EvalSymlinks(path)
		}
	}
	if err != nil {
		return "", false, err
	}
	info, err := os.Stat(source)
	if err != nil {
		return "", false, err
	}
	return source, !info.IsDir(), nil
}

// create makes a folder within one that the operator named. No symbolic link
// that others have put there leads out of that.
func (i Isolator) create(path string) error {
	for _, folder := range i.creatable {
		rest, err := filepath.Rel(folder, path)
		if err != nil || !filepath.IsLocal(rest) {
			continue
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			return err
		}
		return errors.Join(root.MkdirAll(rest, 0o755), root.Close())
	}
	if i.creatable == nil {
		return errors.New("does not exist on the machine; --host_path_volume_force_creation could name folders in which such paths are made")
	}
	return fmt.Errorf("does not exist on the machine, and is not within --host_path_volume_force_creation, %s", strings.Join(i.creatable, ":"))
}

// shared tells whether a path is on a shared mount, of this process's mount
// namespace. Where that cannot be read it is none.
func shared(path string) bool {
	mounts, err := mountinfo.Read()
	if err != nil {
		return false
	}
	on := mountinfo.On(mounts, path)
	return on != nil && on.Shared
}
