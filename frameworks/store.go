package frameworks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"troupe/messages/names"
)

// Store keeps a framework's id between two lives of its scheduler, so that its
// tasks outlive it.
type Store interface {
	// Load is the id; "" when there is none.
	Load() (id string, err error)
	// Save makes id durable before it returns. An empty one, after a teardown,
	// makes the next life a new framework.
	Save(id string) error
}

// FileStore is a Store in a file of its own; its folder must exist.
type FileStore string

// Load reads the file. One that does not exist has no id.
func (f FileStore) Load() (string, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("load framework id: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return "", nil
	}
	if err := names.CheckID("framework id", id); err != nil {
		return "", fmt.Errorf("load framework id from %s: %w", string(f), err)
	}
	return id, nil
}

// Save replaces the file, whole.
func (f FileStore) Save(id string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".*")
	if err != nil {
		return fmt.Errorf("save framework id: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("save framework id: %w", err), os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.WriteString(id + "\n")
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), string(f)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(string(f)))
}

// syncFolder makes a rename durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
