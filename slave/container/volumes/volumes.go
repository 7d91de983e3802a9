// Package volumes keeps the data of persistent volumes: it makes their folders,
// shows them in sandboxes, and deletes what is in them. Only wiring imports it.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"troupe/messages/names"
	"troupe/slave/container/isolator/disk/walk"
	"troupe/slave/state"
)

// Store knows where volumes are:
//
//	WORK_DIR/volumes/roles/ROLE/ID/    of the agent's own disk
//	ROOT/volumes/roles/ROLE/ID/        of a disk of type PATH
//	ROOT/                              of a disk of type MOUNT, which is one volume
//
// In ROLE a space stands for each slash. The names are Mesos's. A ROOT that is
// relative is in WORK_DIR; it is the operator's, and must be there. Below it no
// symbolic link is followed.
type Store struct {
	// WorkDir is absolute.
	WorkDir string
}

// Path is where a volume is; it only calculates.
func (s Store) Path(v state.Volume) string {
	return filepath.Join(append([]string{s.root(v)}, parts(v)...)...)
}

func (s Store) root(v state.Volume) string {
	if filepath.IsAbs(v.Root) {
		return v.Root
	}
	return filepath.Join(s.WorkDir, v.Root)
}

// parts are the folders from the root of a volume's disk to its own.
func parts(v state.Volume) []string {
	if v.Whole {
		return nil
	}
	return []string{"volumes", "roles", strings.ReplaceAll(v.Role, "/", " "), v.ID}
}

// check refuses a volume whose names could lead elsewhere.
func check(v state.Volume) error {
	if v.Whole {
		return nil
	}
	if err := names.CheckRole("role", v.Role); err != nil {
		return err
	}
	return names.CheckID("persistence.id", v.ID)
}

// Make makes the folders of volumes, all or none, and makes them durable. One
// that is there must be empty: data of nobody is not given to somebody. That of
// a whole disk is there, and may have anything in it.
func (s Store) Make(list []state.Volume) error {
	for i, v := range list {
		if err := s.make(v); err != nil {
			return errors.Join(fmt.Errorf("make volume %q of role %q: %w", v.ID, v.Role, err), s.unmake(list[:i]))
		}
	}
	return nil
}

// unmake takes folders back that are empty.
func (s Store) unmake(list []state.Volume) error {
	var failures []error
	for _, v := range list {
		if !v.Whole {
			failures = append(failures, os.Remove(s.Path(v)))
		}
	}
	return errors.Join(failures...)
}

func (s Store) make(v state.Volume) error {
	return s.in(v, func(root *os.Root) error {
		path := "."
		for _, part := range parts(v) {
			in := path
			path = filepath.Join(path, part)
			err := root.Mkdir(path, 0o755)
			if err == nil {
				err = sync(root, in)
			} else if errors.Is(err, fs.ErrExist) {
				err = plain(root, path)
			}
			if err != nil {
				return err
			}
		}
		if v.Whole {
			return nil
		}
		left, err := entries(root, path)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%s has something in it, of a volume that this agent does not know", s.Path(v))
		}
		return err
	})
}

// Remove deletes volumes with all that is in them; one that is gone is no error.
// Of a whole disk the folder stays.
func (s Store) Remove(list []state.Volume) error {
	for _, v := range list {
		if err := s.remove(v); err != nil {
			return fmt.Errorf("remove volume %q of role %q: %w", v.ID, v.Role, err)
		}
	}
	return nil
}

func (s Store) remove(v state.Volume) error {
	return s.in(v, func(root *os.Root) error {
		path, in := ".", "."
		for _, part := range parts(v) {
			in, path = path, filepath.Join(path, part)
			err := plain(root, path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		if !v.Whole {
			return errors.Join(walk.Remove(context.Background(), s.Path(v)), sync(root, in))
		}
		left, err := entries(root, path)
		for _, name := range left {
			err = errors.Join(err, walk.Remove(context.Background(), filepath.Join(s.root(v), name)))
		}
		return errors.Join(err, sync(root, path))
	})
}

// in does something in the root of a volume's disk.
func (s Store) in(v state.Volume, do func(*os.Root) error) error {
	if err := check(v); err != nil {
		return err
	}
	root, err := os.OpenRoot(s.root(v))
	if err != nil {
		return err
	}
	return errors.Join(do(root), root.Close())
}

// plain refuses what is not a folder itself.
func plain(root *os.Root, path string) error {
	info, err := root.Lstat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder, but %s", filepath.Join(root.Name(), path), info.Mode().Type())
	}
	return err
}

func entries(root *os.Root, path string) ([]string, error) {
	f, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	list, err := f.Readdirnames(-1)
	return list, errors.Join(err, f.Close())
}

// sync makes what is in a folder durable, but not what is in that.
func sync(root *os.Root, path string) error {
	f, err := root.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
