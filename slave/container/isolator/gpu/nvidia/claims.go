package nvidia

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// claims says which container has which GPU. There is nothing but the folder,
// which agents and hosts share:
//
//	CLAIMS/0000:3b:00.0 -> CONTAINER
//
// A claim is a symbolic link that leads nowhere: it is made with its content or
// not at all, and not twice.
type claims struct{ dir string }

// take claims a GPU for a container, unless another has it.
func (c claims) take(bus, id string) (bool, error) {
	err := os.Symlink(id, filepath.Join(c.dir, bus))
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// drop gives one back.
func (c claims) drop(bus string) error {
	err := os.Remove(filepath.Join(c.dir, bus))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// all are the containers by what they have.
func (c claims) all() (map[string]string, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, e := range entries {
		id, err := os.Readlink(filepath.Join(c.dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // was given back meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no claim on a GPU: %w", filepath.Join(c.dir, e.Name()), err)
		}
		found[e.Name()] = id
	}
	return found, nil
}

// outermost is whose GPUs a container has: those within another have what that one
// has.
func outermost(id []string) string { return id[0] }
