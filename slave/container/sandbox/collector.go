package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator/disk/walk"
)

// Collector removes sandboxes some time after they were retired. Its methods
// may be used from several goroutines.
type Collector struct {
	layout Layout
	policy Policy

	mu      sync.Mutex
	waiting []retired
	// What is being removed now, or was to be, and may be taken back until its turn.
	due map[string]bool
	// Why folders may be collected too early or late after a restart.
	unmarked []error

	succeeded, failed atomic.Int64
}

// NewCollector returns one that has nothing to collect.
func NewCollector(layout Layout, policy Policy) *Collector {
	return &Collector{layout: layout, policy: policy}
}

// Retire gives a sandbox over at the time since. The folder's time of change
// says so to RetireAll of an agent after this one.
func (c *Collector) Retire(path string, since time.Time) {
	err := os.Chtimes(path, since, since)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.unmarked = append(c.unmarked, fmt.Errorf("retire sandbox: %w", err))
	}
	c.waiting = append(c.waiting, retired{path: path, since: since})
}

// RetireInner gives over a sandbox within another that lives, by its path in that, at
// the time since. What is retired already stays so.
func (c *Collector) RetireInner(around, inner string, since time.Time) {
	path := filepath.Join(around, inner)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.due[path] || slices.ContainsFunc(c.waiting, func(r retired) bool { return r.path == path }) {
		return
	}
	c.waiting = append(c.waiting, retired{path: path, since: since, around: around, inner: inner})
}

// Reclaim takes back what was given over: something else may be made there.
func (c *Collector) Reclaim(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.due, path)
	c.waiting = slices.DeleteFunc(c.waiting, func(r retired) bool { return r.path == path })
}

// RetireAll gives over every sandbox on the disk that live does not know,
// each since it was retired, or else last changed: what agents before this one
// left behind.
func (c *Collector) RetireAll(live func(path string) bool) error {
	top := escape(c.layout.WorkDir)
	runs, err := filepath.Glob(filepath.Join(top, "slaves", "*", "frameworks", "*", "executors", "*", "runs", "*"))
	alone, aerr := filepath.Glob(filepath.Join(top, "containers", "*"))
	if err = errors.Join(err, aerr); err != nil {
		return fmt.Errorf("collect sandboxes of %q: %w", c.layout.WorkDir, err)
	}
	for _, run := range append(runs, alone...) {
		info, err := os.Lstat(run)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("collect sandboxes: %w", err)
		case info.IsDir() && !live(run):
			c.Retire(run, info.ModTime())
		}
	}
	return nil
}

// escape makes every character of a folder's name mean itself in a pattern.
func escape(folder string) string {
	var pattern []rune
	for _, r := range folder {
		switch r {
		case '*', '?', '[', '\\':
			pattern = append(pattern, '\\')
		}
		pattern = append(pattern, r)
	}
	return string(pattern)
}

// Counts are for metrics: sandboxes removed, failures, and what waits.
func (c *Collector) Counts() (succeeded, failed, pending int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.succeeded.Load(), c.failed.Load(), int64(len(c.waiting))
}

// Used is the share of the work directory's disk that is taken, 0 to 1.
func (c *Collector) Used() (float64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(c.layout.WorkDir, &disk); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: c.layout.WorkDir, Err: err}
	}
	if disk.Blocks == 0 {
		return 0, nil
	}
	return 1 - float64(disk.Bavail)/float64(disk.Blocks), nil
}

// MaxAge is how old a sandbox may become, as full as the disk is now.
func (c *Collector) MaxAge() (time.Duration, error) {
	used, err := c.Used()
	return c.policy.MaxAge(used), err
}

// Collect removes what is due at the time now. What cannot be removed is
// reported and tried again later.
func (c *Collector) Collect(ctx context.Context, now time.Time) error {
	used, err := c.Used()
	if err != nil {
		return fmt.Errorf("collect sandboxes: %w", err)
	}
	c.mu.Lock()
	collect, keep := due(c.waiting, now, c.policy.MaxAge(used))
	c.waiting = keep
	failures := c.unmarked
	c.unmarked, c.due = nil, make(map[string]bool, len(collect))
	for _, r := range collect {
		c.due[r.path] = true
	}
	c.mu.Unlock()
	for i, r := range collect {
		if ctx.Err() != nil {
			c.putBack(collect[i:]...)
			return errors.Join(append(failures, ctx.Err())...)
		}
		if !c.isDue(r) {
			continue
		}
		if err := c.remove(ctx, r); err != nil {
			c.failed.Add(1)
			c.putBack(r)
			failures = append(failures, fmt.Errorf("collect sandboxes: %w", err))
			continue
		}
		c.succeeded.Add(1)
	}
	return errors.Join(failures...)
}

// isDue tells that nobody has taken it back.
func (c *Collector) isDue(r retired) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.due[r.path]
}

// putBack has what was not removed wait, but for what was taken back meanwhile.
func (c *Collector) putBack(rest ...retired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rest {
		if c.due[r.path] {
			delete(c.due, r.path)
			c.waiting = append(c.waiting, r)
		}
	}
}

// removeInner follows nothing out of the sandbox around.
func removeInner(ctx context.Context, r retired) (err error) {
	around, err := os.OpenRoot(r.around)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, around.Close()) }()
	in, err := around.Open(filepath.Dir(r.inner))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return walk.RemoveIn(ctx, in, filepath.Base(r.inner))
}

// remove removes a sandbox and the folders above it that it leaves empty, up
// to its agent's.
func (c *Collector) remove(ctx context.Context, r retired) error {
	if r.around != "" {
		return removeInner(ctx, r)
	}
	run := r.path
	if err := walk.Remove(ctx, run); err != nil {
		return err
	}
	runs := filepath.Dir(run)
	if run == c.layout.Standalone(filepath.Base(run)) {
		return nil
	}
	link := filepath.Join(runs, latest)
	if target, err := os.Readlink(link); err == nil && target == filepath.Base(run) {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	top := filepath.Join(c.layout.WorkDir, "slaves")
	for folder := runs; folder != top && filepath.Dir(folder) != top; folder = filepath.Dir(folder) {
		err := os.Remove(folder)
		switch {
		case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}
