package remains

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Exits is where inits record how the programs of containers have ended, until
// their agent has taken that in for good:
//
//	WORK_DIR/meta/exits/CONTAINER             of a container's own program
//	WORK_DIR/meta/exits/CONTAINER.tasks/TASK  of a task of a group in it
//
// TASK is a digest of the task's id, as that may be too long for a name. Only
// containers have one that are within no other, and only programs that have an
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

// tasksSuffix is what no container's id ends with.
const tasksSuffix = ".tasks"

// Path is the record of a container's program or, if task is not empty, of that of
// a task in it. The folder of that is made by whoever makes the record.
func (e Exits) Path(container, task string) string {
	own := filepath.Join(e.folder, container)
	if task == "" {
		return own
	}
	digest := sha256.Sum256([]byte(task))
	return filepath.Join(own+tasksSuffix, hex.EncodeToString(digest[:]))
}

// Forget removes the records of a container and its tasks; there need be none.
func (e Exits) Forget(container string) error {
	return errors.Join(forget(os.Remove, e.Path(container, "")), forget(os.RemoveAll, e.Path(container, "")+tasksSuffix))
}

// ForgetTask removes the record of a task; there need be none.
func (e Exits) ForgetTask(container, task string) error {
	return forget(os.Remove, e.Path(container, task))
}

func forget(remove func(string) error, path string) error {
	if err := remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
		if container := strings.TrimSuffix(entry.Name(), tasksSuffix); !live(container) {
			failed = errors.Join(failed, e.Forget(container))
		}
	}
	return failed
}
