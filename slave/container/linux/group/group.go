// Package group ends all processes of a cgroup, whatever they have become: by
// cgroup.kill, or by the freezer. Imported by the launcher of containers, by
// isolators and by wiring.
package group

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Kill ends every process in the cgroup whose folder is given, and in those below
// it, and returns when they are gone. The folder is one of the freezer's (v1), or of
// v2. One that is not there has nothing in it.
func Kill(ctx context.Context, folder string) error {
	pause := time.Millisecond
	for {
		pids, err := Processes(folder)
		if err != nil || len(pids) == 0 {
			return err
		}
		if err := kill(folder); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("killing the cgroup %s: %w", folder, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("killing the cgroup %s: processes %v are left: %w", folder, pids, ctx.Err())
		case <-time.After(pause):
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// Processes lists those in a cgroup, and in those below it.
func Processes(folder string) ([]int, error) {
	var pids []int
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			var here []int
			here, err = members(path)
			pids = append(pids, here...)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil // it was removed meanwhile
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the processes of the cgroup %s: %w", folder, err)
	}
	return pids, nil
}

func members(folder string) ([]int, error) {
	data, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range strings.Fields(string(data)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		if pid > 0 { // others are of a pid namespace that is not below this one
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// kill is one attempt.
func kill(folder string) error {
	err := write(folder, "cgroup.kill", "1")
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, frozen, thawed := "freezer.state", "FROZEN", "THAWED"
	if _, err := os.Stat(filepath.Join(folder, file)); errors.Is(err, fs.ErrNotExist) {
		file, frozen, thawed = "cgroup.freeze", "1", "0" // v2 before Linux 5.14
	}
	// What is frozen forks no more, so that all are found. That some are not frozen
	// yet does not matter: it is done again until none is left.
	if err := write(folder, file, frozen); err != nil {
		return err
	}
	pids, err := Processes(folder)
	for _, pid := range pids {
		if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = errors.Join(err, fmt.Errorf("process %d: %w", pid, kerr))
		}
	}
	return errors.Join(err, write(folder, file, thawed))
}

func write(folder, file, value string) error {
	f, err := os.OpenFile(filepath.Join(folder, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
