// Package volume makes what a task's ContainerInfo asks for, as far as it can
// be had on every machine: paths of the sandboxes, by symbolic links. The
// built-in executors import it.
//
// A link needs no privilege and no mount namespace, and shows the same to a
// process, an operator and the files endpoints. What only a mount can do is
// refused: absolute container paths, paths of the host, images, volumes of
// drivers. A link cannot keep a task from writing: mode RO is what the tasks
// agree on, as it is in Mesos without mount namespaces.
package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// Link makes the volumes of a task. sandbox is the executor's; task is the
// folder of the task's own in it, "." when it has the executor's. No path leads
// out of the sandbox, whatever the tasks before have put there. Errors name the
// field.
func Link(sandbox *os.Root, task string, c *mesos.ContainerInfo) error {
	if c == nil {
		return nil
	}
	if err := Plain(c); err != nil {
		return err
	}
	for i, v := range c.GetVolumes() {
		if err := link(sandbox, task, v); err != nil {
			return field.In("container", field.At("volumes", i, err))
		}
	}
	return nil
}

// LinkPersistent shows the persistent volumes of a task of a group in the task's
// own folder. The agent has linked them into the executor's sandbox, at the same
// paths. With mounts, those are left to the task's container that no link could
// show: at absolute paths, and read-only.
func LinkPersistent(sandbox *os.Root, task string, resources []*mesos.Resource, mounts bool) error {
	for i, r := range resources {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		at := r.GetDisk().GetVolume().GetContainerPath()
		if mounts && (filepath.IsAbs(at) || r.GetDisk().GetVolume().GetMode() == mesos.Volume_RO) {
			continue
		}
		err := linkPersistent(sandbox, task, at)
		if err != nil {
			return field.At("resources", i, fmt.Errorf("volume %q: %w", r.GetDisk().GetPersistence().GetId(), err))
		}
	}
	return nil
}

func linkPersistent(sandbox *os.Root, task, at string) error {
	if !filepath.IsLocal(at) || filepath.Clean(at) == "." {
		return field.Invalid("disk.volume.container_path", at, "must be within the sandbox")
	}
	if _, err := sandbox.Lstat(at); err != nil {
		return err
	}
	return symlink(sandbox, filepath.Clean(at), filepath.Join(task, at))
}

// LinkIn makes the volumes of a container whose sandbox is the folder dir.
func LinkIn(dir string, c *mesos.ContainerInfo) error {
	if c == nil {
		return nil
	}
	sandbox, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(Link(sandbox, ".", c), sandbox.Close())
}

// Plain refuses containers with a file system of their own, whether volumes are linked
// or mounted: they would run in that of the machine. Nil asks for nothing.
func Plain(c *mesos.ContainerInfo) error {
	switch {
	case c == nil:
		return nil
	case c.GetType() != mesos.ContainerInfo_MESOS:
		return field.In("container", field.Invalid("type", c.GetType(), "cannot be had from this executor, only MESOS can"))
	case c.GetMesos().GetImage() != nil:
		return field.In("container", field.Invalid("mesos.image", c.GetMesos().GetImage().GetType(), "cannot be had from this executor, which runs tasks in the machine's own file system"))
	}
	return nil
}

// path is what of the sandboxes a volume stands for.
func path(v *mesos.Volume) (*mesos.Volume_Source_SandboxPath, string, error) {
	if v.HostPath != nil && !filepath.IsAbs(v.GetHostPath()) {
		// The way to say it before there were sources.
		return &mesos.Volume_Source_SandboxPath{
			Type: mesos.Volume_Source_SandboxPath_SELF.Enum(), Path: v.HostPath,
		}, "host_path", nil
	}
	if v.GetSource().GetType() == mesos.Volume_Source_SANDBOX_PATH {
		return v.GetSource().GetSandboxPath(), "source.sandbox_path.path", nil
	}
	switch {
	case v.HostPath != nil:
		return nil, "", field.Invalid("host_path", v.GetHostPath(), "is a path of the machine, which this executor cannot mount")
	case v.Image != nil:
		return nil, "", field.Invalid("image", v.GetImage().GetType(), "cannot be mounted by this executor")
	}
	return nil, "", field.Invalid("source.type", v.GetSource().GetType(), "cannot be mounted by this executor, only SANDBOX_PATH can")
}

func link(sandbox *os.Root, task string, v *mesos.Volume) error {
	p, name, err := path(v)
	if err != nil {
		return err
	}
	base := task
	if p.GetType() == mesos.Volume_Source_SandboxPath_PARENT {
		if base = "."; task == "." {
			return field.Invalid("source.sandbox_path.type", p.GetType(), "is only for tasks of a group")
		}
	}
	switch at := v.GetContainerPath(); {
	case p.GetType() == mesos.Volume_Source_SandboxPath_UNKNOWN && name != "host_path":
		return field.Invalid("source.sandbox_path.type", p.GetType(), "must be SELF or PARENT")
	case !filepath.IsLocal(p.GetPath()):
		return field.Invalid(name, p.GetPath(), "must be relative, and within the sandbox")
	case filepath.IsAbs(at):
		return field.Invalid("container_path", at, "is absolute: only a mount could put the volume there")
	case !filepath.IsLocal(at) || filepath.Clean(at) == ".":
		return field.Invalid("container_path", at, "must be within the sandbox")
	}
	source, target := filepath.Join(base, p.GetPath()), filepath.Join(task, v.GetContainerPath())
	if source == target {
		return folder(sandbox, base, source)
	}
	if err := folder(sandbox, base, source); err != nil {
		return fmt.Errorf("make %s: %w", source, err)
	}
	if err := symlink(sandbox, source, target); err != nil {
		return fmt.Errorf("link %s to it: %w", target, err)
	}
	return nil
}

// folder makes what is not there yet, for the owner of the sandbox it is in. A
// link is left alone, wherever it leads: a persistent volume is one, to a folder
// outside.
func folder(sandbox *os.Root, base, source string) error {
	if _, err := sandbox.Lstat(source); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := sandbox.MkdirAll(source, 0o755); err != nil {
		return err
	}
	owner, err := sandbox.Stat(base)
	if err != nil {
		return err
	}
	st := owner.Sys().(*syscall.Stat_t)
	return sandbox.Lchown(source, int(st.Uid), int(st.Gid))
}

// symlink is relative, so that it holds wherever the sandbox is seen from.
func symlink(sandbox *os.Root, source, target string) error {
	in := filepath.Dir(target)
	if err := sandbox.MkdirAll(in, 0o755); err != nil {
		return err
	}
	to, err := filepath.Rel(in, source)
	if err != nil {
		return err
	}
	return sandbox.Symlink(to, target)
}
