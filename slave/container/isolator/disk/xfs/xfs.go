// Package xfs is the isolator disk/xfs: it holds sandboxes and persistent
// volumes to their disk by project quotas of XFS, so that the kernel refuses
// what is too much at the moment it is written. Linux 5.14 and a file system
// that is mounted with prjquota are needed. Imported by wiring.
//
// Which project a folder belongs to is an attribute of the folder, and how much
// of it is used is known to the file system: nothing else is remembered of who
// has which project, so a crash can lose nothing, and a project is free when the
// file system knows of nothing that belongs to it.
package xfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/plan"
)

// Options of the isolator.
type Options struct {
	// WorkDir is the agent's, whose file system has the sandboxes.
	WorkDir string
	// Records is where the host that holds a container writes which volumes it has,
	// for the agent.
	Records disk.Records
	// First and Last are the ids of projects that may be used.
	First, Last uint32
	// Kill: more than the quota ends the container, within Interval; only Headroom
	// (in bytes) above it the kernel refuses. Otherwise it does so at once, and the
	// container goes on.
	Kill     bool
	Headroom uint64
	Interval time.Duration
	// Failed is told of measurements that failed, from any goroutine; may be nil.
	Failed func(error)
}

// Isolator is disk/xfs.
type Isolator struct{ o Options }

// New refuses options and file systems that cannot be, and says what to change.
func New(o Options) (*Isolator, error) {
	switch {
	case o.First == 0 || o.Last < o.First:
		return nil, field.Invalid("xfs_project_range", fmt.Sprintf("[%d-%d]", o.First, o.Last), "must be ids from 1 on, the smaller first")
	case o.Kill && o.Interval <= 0:
		return nil, field.Invalid("container_disk_watch_interval", o.Interval, "must be positive")
	case o.Kill && o.Headroom == 0:
		return nil, field.Invalid("xfs_quota_headroom", "0B", "must be positive, or containers cannot be seen to use more than their quota")
	case !filepath.IsAbs(o.Records.Dir):
		return nil, fmt.Errorf("disk/xfs: %q is no absolute path", o.Records.Dir)
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	return &Isolator{o: o}, CheckFileSystem(o.WorkDir)
}

// Name is as --isolation has it.
func (i *Isolator) Name() string { return "disk/xfs" }

// Prepare gives the sandbox a project with its quota, and each persistent volume
// one, which it keeps. A nested container is within its parent's.
func (i *Isolator) Prepare(ctx context.Context, c *isolator.Container, _ *plan.Plan) error {
	if len(c.ID) > 1 {
		return nil
	}
	if err := i.hold(ctx, c); err != nil {
		return errors.Join(err, i.Cleanup(context.WithoutCancel(ctx), c))
	}
	return nil
}

// Update changes quotas, and gives volumes that came theirs.
func (i *Isolator) Update(c *isolator.Container) error {
	if len(c.ID) > 1 {
		return nil
	}
	return i.hold(context.Background(), c)
}

func (i *Isolator) hold(ctx context.Context, c *isolator.Container) error {
	known, err := i.o.Records.Read(c.ID)
	if err != nil {
		return fmt.Errorf("disk/xfs: %w", err)
	}
	uses := disk.Uses(c)
	for n := range uses {
		u := &uses[n]
		for _, old := range known {
			if old.Path == u.Path {
				u.Project = old.Project
			}
		}
		if whole(*u) {
			continue
		}
		if err := i.bound(ctx, u); err != nil {
			return err
		}
	}
	if err := i.o.Records.Write(c.ID, uses); err != nil {
		return fmt.Errorf("disk/xfs: %w", err)
	}
	return nil
}

// whole: the volume is all of its disk, whose size is its quota.
func whole(u disk.Use) bool {
	return u.Resource.GetDisk().GetSource().GetType() == mesos.Resource_DiskInfo_Source_MOUNT
}

// bound makes a folder a project with a quota. What was recorded is believed
// before the folder, as its owner can change its project.
func (i *Isolator) bound(ctx context.Context, u *disk.Use) error {
	return in(u.Path, func(fd int) error {
		if err := check(fd, u.Path); err != nil {
			return err
		}
		if u.Project == 0 {
			id, err := i.own(ctx, fd, u.Path)
			if err != nil {
				return err
			}
			u.Project = id
		}
		hard := u.Limit
		if i.o.Kill && hard > 0 {
			hard += i.o.Headroom
		}
		if err := limit(fd, u.Project, u.Limit, hard); err != nil {
			return fmt.Errorf("disk/xfs: set the quota of project %d to %s: %w", u.Project, disk.Size(u.Limit), err)
		}
		return nil
	})
}

// in does something with an open folder, which is no link.
func in(path string, do func(fd int) error) error {
	fd, err := openFolder(unix.AT_FDCWD, path, 0)
	if err != nil {
		return &fs.PathError{Op: "disk/xfs: open", Path: path, Err: err}
	}
	return errors.Join(do(fd), unix.Close(fd))
}

// uses is what the file system says of a container.
func (i *Isolator) uses(c *isolator.Container) ([]disk.Use, error) {
	if len(c.ID) > 1 {
		return nil, nil
	}
	uses, err := i.o.Records.Read(c.ID)
	for n := range uses {
		err = errors.Join(err, i.measure(&uses[n]))
	}
	return uses, err
}

// measure asks what a folder uses; it stays unknown of one that is gone.
func (i *Isolator) measure(u *disk.Use) error {
	err := in(u.Path, func(fd int) error {
		if whole(*u) {
			var st unix.Statfs_t
			if err := unix.Fstatfs(fd, &st); err != nil {
				return fmt.Errorf("disk/xfs: statfs %s: %w", u.Path, err)
			}
			used := (st.Blocks - st.Bfree) * uint64(st.Bsize)
			u.Used = &used
			return nil
		}
		if u.Project == 0 {
			return nil
		}
		q, err := quota(fd, u.Project)
		if err != nil {
			return fmt.Errorf("disk/xfs: quota of project %d: %w", u.Project, err)
		}
		used := q.blocks * block
		u.Used = &used
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Usage is what the file system counts, at this moment.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	uses, err := i.uses(c)
	disk.Add(uses, u)
	return err
}

// Check says whether more is used than may be, which is possible only where it
// ends the container.
func (i *Isolator) Check(c *isolator.Container) (*isolator.Limit, error) {
	if !i.o.Kill {
		return nil, nil
	}
	uses, err := i.uses(c)
	for _, u := range uses {
		if u.Over() {
			return u.Exceeded(), nil
		}
	}
	return nil, err
}

// Watch looks at each interval, where more than the quota ends the container.
func (i *Isolator) Watch(ctx context.Context, c *isolator.Container, limited func(*isolator.Limit)) error {
	if !i.o.Kill || len(c.ID) > 1 {
		return nil
	}
	known := &isolator.Container{ID: append([]string(nil), c.ID...)}
	go func() {
		ticks := time.NewTicker(i.o.Interval)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			l, err := i.Check(known)
			if err != nil {
				i.o.Failed(err)
			}
			if l != nil {
				limited(l)
				return
			}
		}
	}()
	return nil
}

// Cleanup takes the project of a sandbox back. Volumes keep theirs. Where the
// sandbox is may be known from the records alone.
func (i *Isolator) Cleanup(ctx context.Context, c *isolator.Container) error {
	if len(c.ID) > 1 {
		return nil
	}
	sandbox := c.Sandbox
	if sandbox == "" {
		known, err := i.o.Records.Read(c.ID)
		if err != nil || len(known) == 0 {
			return err
		}
		sandbox = known[0].Path
	}
	if err := i.disown(ctx, sandbox); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return i.o.Records.Remove(c.ID)
}

// Recover finds containers that have quotas.
func (i *Isolator) Recover(context.Context) ([][]string, error) { return i.o.Records.List() }

var _ interface {
	isolator.Isolator
	isolator.Updater
	isolator.Watcher
	isolator.Meter
	isolator.Cleaner
	isolator.Recoverer
	isolator.Counter
} = (*Isolator)(nil)
