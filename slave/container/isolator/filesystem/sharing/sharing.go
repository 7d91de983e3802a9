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
	"troupe/slave/container"
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
		m, err := mountOf(c, v, taken)
		if err == nil {
			err = confine(c, p, m.Target)
		}
		if err != nil {
			return field.In("container", field.At("volumes", i, err))
		}
		p.Mounts = append(p.Mounts, *m)
		taken = append(taken, v.GetContainerPath(), m.Target)
	}
	return nil
}

func mountOf(c *isolator.Container, v *mesos.Volume, taken []string) (*plan.Mount, error) {
	at := v.GetContainerPath()
	if v.GetHostPath() == "" {
		return nil, field.Invalid("source.type", v.GetSource().GetType(), "cannot be had on this agent, where filesystem/shared mounts what has a host_path: it needs --isolation=filesystem/linux")
	}
	if !filepath.IsAbs(at) || filepath.Clean(at) != at || at == "/" {
		return nil, field.Invalid("container_path", at, "must be absolute, without . and .., and not the root folder")
	}
	target, err := filepath.EvalSymlinks(at)
	if err != nil {
		return nil, field.Invalid("container_path", at, "must exist on the machine: %v", err)
	}
	for _, other := range taken {
		for _, path := range []string{at, target} {
			if covers(path, other) || covers(other, path) {
				return nil, field.Invalid("container_path", at, "is below %s, or the other way around: one would hide the other", other)
			}
		}
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
	return folder == "/" || path == folder || strings.HasPrefix(path, folder+"/")
}

// confine takes set-uid programs from a user who chooses what is in a folder of the
// machine: they believe what they find at its paths, so that he could become root by
// them. Nothing believes a folder that everybody may write to, as /tmp.
func confine(c *isolator.Container, p *plan.Plan, target string) error {
	if c.User == "" {
		return nil
	}
	uid, _, err := container.Numbers(c.User)
	if err == nil && uid != 0 && !everybodys(target) {
		p.NoNewPrivileges = true
	}
	return err
}

// everybodys says that all may write to a folder, and root alone can put another in
// its place.
func everybodys(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil || info.Mode()&0o002 == 0 {
		return false
	}
	for at := folder; at != "/"; {
		at = filepath.Dir(at)
		if info, err = os.Stat(at); err != nil || info.Mode()&0o022 != 0 {
			return false
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || owner.Uid != 0 {
			return false
		}
	}
	return true
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
