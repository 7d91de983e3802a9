// Package sandbox makes the folders that executors and tasks run in, and
// collects them when they are no longer needed. Only wiring imports it.
package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"troupe/slave/container"
)

// Layout knows where sandboxes are:
//
//	WORK_DIR/slaves/AGENT/frameworks/FRAMEWORK/executors/EXECUTOR/runs/
//	    CONTAINER/      the sandbox of one run
//	    latest          a link to the newest
//	        containers/NAME/    that of a container below it
//	WORK_DIR/containers/NAME/   of a container that is no executor's
//
// The names are Mesos's, whose clients look for them. All ids were checked to
// be names of files.
type Layout struct {
	// WorkDir is absolute.
	WorkDir string
}

const latest = "latest"

// Agent is the folder of all sandboxes that an agent made under one id.
func (l Layout) Agent(agent string) string { return filepath.Join(l.WorkDir, "slaves", agent) }

// Runs is the folder of all runs of an executor.
func (l Layout) Runs(agent, framework, executor string) string {
	return filepath.Join(l.Agent(agent), "frameworks", framework, "executors", executor, "runs")
}

// Run is the sandbox of one container.
func (l Layout) Run(agent, framework, executor, containerID string) string {
	return filepath.Join(l.Runs(agent, framework, executor), containerID)
}

// Standalone is the sandbox of a container that is no executor's. Its host makes
// it.
func (l Layout) Standalone(containerID string) string {
	return filepath.Join(l.WorkDir, "containers", containerID)
}

// Make makes a container's sandbox for user, empty for this process's own,
// and points latest to it. Errors name the folder or the user. A sandbox that
// exists already is kept as it is.
func (l Layout) Make(agent, framework, executor, containerID, user string) (string, error) {
	runs := l.Runs(agent, framework, executor)
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return "", fmt.Errorf("make sandbox: %w", err)
	}
	run := filepath.Join(runs, containerID)
	if err := os.Mkdir(run, 0o750); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return run, nil
		}
		return "", fmt.Errorf("make sandbox: %w", err)
	}
	if err := give(run, user); err != nil {
		return "", errors.Join(fmt.Errorf("make sandbox: %w", err), os.Remove(run))
	}
	return run, point(filepath.Join(runs, latest), containerID)
}

// give makes a folder user's own.
func give(folder, user string) error {
	if user == "" {
		return nil
	}
	uid, gid, err := container.Numbers(user)
	if err != nil || uid == os.Geteuid() {
		return err
	}
	return os.Chown(folder, uid, gid)
}

// point makes link lead to target, whatever it led to before.
func point(link, target string) error {
	err := os.Symlink(target, link)
	if err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	// A rename replaces the link at once: there is always a latest.
	fresh := link + "." + target
	if err := os.Symlink(target, fresh); err != nil {
		return fmt.Errorf("make sandbox: %w", err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return fmt.Errorf("make sandbox: %w", err)
	}
	return nil
}
