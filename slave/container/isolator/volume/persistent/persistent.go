// Package persistent mounts persistent volumes into containers that want them as
// no link could show them: at an absolute path, or read-only. It is part of
// filesystem/linux. Imported by wiring.
package persistent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/volume"
	"troupe/slave/container/plan"
)

// Name of the isolator. Nobody has to name it: filesystem/linux implies it.
const Name = "volume/persistent"

// Isolator mounts persistent volumes. It keeps no state: mounts are in the
// namespace of the container alone, and end with it.
type Isolator struct{}

// New makes one.
func New() Isolator { return Isolator{} }

// Name is as --isolation has it.
func (Isolator) Name() string { return Name }

// Prepare plans the mounts. Errors name the volume and its field.
func (Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	written := map[string]bool{}
	for _, v := range c.Volumes {
		written[v.Source] = written[v.Source] || !readOnly(v)
	}
	for _, v := range c.Volumes {
		if err := mount(c, p, v, !written[v.Source]); err != nil {
			return fmt.Errorf("persistent volume %q: %w", v.Resource.GetDisk().GetPersistence().GetId(), err)
		}
	}
	return nil
}

func readOnly(v isolator.Volume) bool {
	return v.Resource.GetDisk().GetVolume().GetMode() == mesos.Volume_RO
}

// mount plans one volume. One that the container only reads is read-only in its
// own place on the machine, too: its path there is no secret.
func mount(c *isolator.Container, p *plan.Plan, v isolator.Volume, onlyRead bool) error {
	at := v.Resource.GetDisk().GetVolume().GetContainerPath()
	if !filepath.IsAbs(at) && !readOnly(v) {
		return nil // the agent has linked it
	}
	source, err := find(v.Source)
	if err != nil {
		return err
	}
	err = volume.Add(c, p, volume.Mount{Source: source, At: at, ReadOnly: readOnly(v)})
	if err != nil {
		return field.In("disk.volume", err)
	}
	if onlyRead {
		p.Mounts = append(p.Mounts, plan.Mount{
			Source: source, Target: source, SourceBelow: filepath.Dir(source), TargetBelow: filepath.Dir(source),
			Flags: unix.MS_BIND | unix.MS_REC | unix.MS_RDONLY,
		})
	}
	return nil
}

// find is where a volume's folder is without symbolic links: those on the way to it
// are the operator's, and itself it must be none.
func find(path string) (string, error) {
	in, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	path = filepath.Join(in, filepath.Base(path))
	info, err := os.Lstat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder, but %s", path, info.Mode().Type())
	}
	return path, err
}
