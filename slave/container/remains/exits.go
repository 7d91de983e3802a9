package remains

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Exits is where inits record how the programs of containers have ended, until
// their agent has taken that in for good:
//
//	WORK_DIR/meta/exits/CONTAINER
//
// Only containers have one that are within no other, and whose programs have an
// init. The folder is nobody's but the agent's.
type Exits struct{ folder string }

// In are those of the agent with that work directory.
func In(workDir string) Exits { return Exits{filepath.Join(workDir, "meta", "exits")} }

// Folder is where they are; it may not be there yet.
func (e Exits) Folder() string { return e.folder }

// Make makes the folder.
func (e Exits) Make() error {
	if err := os.MkdirAll(e.folder, 0o700); err != nil {
		return fmt.Errorf("records of how programs end: %w", err)
	}
	return nil
}

// Path is the record of a container.
func (e Exits) Path(container string) string { return filepath.Join(e.folder, container) }

// Forget removes the record of a container; there need be none.
func (e Exits) Forget(container string) error {
	if err := os.Remove(e.Path(container)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting how a program has ended: %w", err)
	}
	return nil
}

// ForgetAll removes the records of all containers that live does not know.
func (e Exits) ForgetAll(live func(container string) bool) error {
	entries, err := os.ReadDir(e.folder)
	if err != nil {
		return fmt.Errorf("records of how programs end: %w", err)
	}
	var failed error
	for _, entry := range entries {
		if !live(entry.Name()) {
			failed = errors.Join(failed, e.Forget(entry.Name()))
		}
	}
	return failed
}
