// Package sharing is the isolator filesystem/shared: containers share the machine's
// file system, but for folders that each has for itself, such as a /tmp. A volume
// with a relative host_path is such a folder; it is kept in the sandbox. Imported by
// wiring.
package sharing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/namespaces"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "filesystem/shared"

// Isolator keeps no state: its folders are the sandbox's, and its mounts those of a
// namespace.
type Isolator struct{}

// New fails where this process may not mount.
func New() (*Isolator, error) {
	if err := namespaces.Check(Name, "mnt"); err != nil {
		return nil, err
	}
	return &Isolator{}, nil
}

// Name is Name.
func (*Isolator) Name() string { return Name }

// Prepare makes the folders and plans their mounts. Errors name the volume's field.
func (*Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	p.New |= plan.NewMount
	taken := []string{c.Sandbox}
	for i, v := range c.Info.GetVolumes() {
		if v.GetHostPath() == "" {
			continue // another isolator's
		}
		m, err := mountOf(c, v, taken)
		if err != nil {
			return field.In("container", field.At("volumes", i, err))
		}
		p.Mounts = append(p.Mounts, *m)
		taken = append(taken, v.GetContainerPath())
	}
	return nil
}

func mountOf(c *isolator.Container, v *mesos.Volume, taken []string) (*plan.Mount, error) {
	at := v.GetContainerPath()
	if !filepath.IsAbs(at) || filepath.Clean(at) != at || at == "/" {
		return nil, field.Invalid("container_path", at, "must be absolute, without . and .., and not the root folder")
	}
	for _, other := range taken {
		if covers(at, other) || covers(other, at) {
			return nil, field.Invalid("container_path", at, "is below %s, or the other way around: one would hide the other", other)
		}
	}
	target, err := filepath.EvalSymlinks(at)
	if err != nil {
		return nil, field.Invalid("container_path", at, "must exist on the machine: %v", err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil, field.Invalid("container_path", at, "%v", err)
	}
	if !info.IsDir() {
		return nil, field.Invalid("container_path", at, "is not a folder")
	}
	m := &plan.Mount{Target: target, Flags: unix.MS_BIND | unix.MS_REC}
	if m.Source, m.SourceBelow, err = sourceOf(c, v.GetHostPath(), info); err != nil {
		return nil, field.Invalid("host_path", v.GetHostPath(), "%v", err)
	}
	if v.GetMode() == mesos.Volume_RO {
		m.Flags |= unix.MS_RDONLY
	}
	return m, nil
}

// covers says whether path is folder, or below it.
func covers(folder, path string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// sourceOf is the folder to show: one of the machine, which must exist, or one in the
// sandbox, which is made as like is, and below which no link may lead elsewhere.
func sourceOf(c *isolator.Container, path string, like os.FileInfo) (source, below string, err error) {
	if filepath.IsAbs(path) {
		info, err := os.Stat(path)
		if err != nil {
			return "", "", err
		}
		if !info.IsDir() {
			return "", "", errors.New("is not a folder")
		}
		return path, "", nil
	}
	if !filepath.IsLocal(path) || filepath.Clean(path) != path || path == "." {
		return "", "", errors.New("must be a plain path below the sandbox")
	}
	// The sandbox is its program's, which may put links there: none leads out of it.
	in, err := os.OpenRoot(c.Sandbox)
	if err != nil {
		return "", "", err
	}
	defer in.Close()
	return filepath.Join(c.Sandbox, path), c.Sandbox, makeLike(in, path, like)
}

// makeLike gives a folder the owner and permissions of another: a container's /tmp
// is as the machine's.
func makeLike(in *os.Root, path string, like os.FileInfo) error {
	if err := in.MkdirAll(path, 0o755); err != nil {
		return err
	}
	folder, err := in.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := ownLike(folder, like); err != nil {
		return fmt.Errorf("making it like the folder that it is shown as: %w", err)
	}
	return nil
}

func ownLike(folder *os.File, like os.FileInfo) error {
	stat, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("its owner is not known")
	}
	return errors.Join(folder.Chown(int(stat.Uid), int(stat.Gid)), folder.Chmod(like.Mode()))
}
