package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrInUse is in the chain of Open's error when another process holds the
// work directory.
var ErrInUse = errors.New("the work directory is in use")

// lock takes the lock file, which the kernel frees when the process ends.
func lock(workDir string) (*os.File, error) {
	path := filepath.Join(workDir, "meta", "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the work directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			holder, rerr := os.ReadFile(path)
			err = fmt.Errorf("%w by the agent with pid %s", ErrInUse, strings.TrimSpace(string(holder)))
			return nil, errors.Join(fmt.Errorf("work directory %q: %w", workDir, err), rerr, f.Close())
		}
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	if err := writePid(f); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", path, err), f.Close())
	}
	return f, nil
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// bootID reads the machine's, notes it, and says whether it has changed.
func bootID(workDir string) (changed bool, err error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return false, fmt.Errorf("reading the machine's boot id: %w", err)
	}
	path := filepath.Join(workDir, "meta", "boot_id")
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("reading the boot id of the last start: %w", err)
	case string(old) == string(id):
		return false, nil
	default:
		changed = true
	}
	if err := os.WriteFile(path, id, 0o644); err != nil {
		return false, fmt.Errorf("noting the boot id: %w", err)
	}
	return changed, nil
}
