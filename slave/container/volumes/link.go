package volumes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"troupe/slave/container"
	"troupe/slave/state"
)

// Link gives volumes to their users, and shows those that have a place in the
// sandbox there, by symbolic links to their folders. Nothing is
// made outside of the sandbox, whatever tasks have put there. A link that is
// there is left alone; anything else in its place is an error, which names it.
func (s Store) Link(sandbox string, links []state.VolumeLink) error {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return fmt.Errorf("link volumes: %w", err)
	}
	for _, k := range links {
		if err = s.link(root, k); err != nil {
			err = fmt.Errorf("link volume %q of role %q at %s: %w", k.Volume.ID, k.Volume.Role, k.At, err)
			break
		}
	}
	return errors.Join(err, root.Close())
}

func (s Store) link(sandbox *os.Root, k state.VolumeLink) error {
	if err := s.in(k.Volume, func(root *os.Root) error { return give(root, k) }); err != nil {
		return err
	}
	if k.At == "" {
		return nil
	}
	target := s.Path(k.Volume)
	if err := sandbox.MkdirAll(filepath.Dir(k.At), 0o755); err != nil {
		return err
	}
	err := sandbox.Symlink(target, k.At)
	if errors.Is(err, fs.ErrExist) {
		if old, rerr := sandbox.Readlink(k.At); rerr == nil && old == target {
			return nil
		}
	}
	return err
}

// give makes a volume, which must be there, its user's own. What is in it stays
// whose it is, and so does a shared volume once it is somebody's.
func give(root *os.Root, k state.VolumeLink) error {
	path := "."
	for _, part := range parts(k.Volume) {
		path = filepath.Join(path, part)
		if err := plain(root, path); err != nil {
			return err
		}
	}
	if k.User == "" {
		return nil
	}
	uid, gid, err := container.Numbers(k.User)
	if err != nil {
		return err
	}
	info, err := root.Stat(path)
	if err != nil {
		return err
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if owner == uid || k.Shared && owner != os.Geteuid() {
		return nil
	}
	return root.Chown(path, uid, gid)
}
