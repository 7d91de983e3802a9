package xfs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lockWait is between attempts to be the only one who takes a project.
	lockWait = 2 * time.Millisecond
	// worthwhile is how many files of an ended sandbox are taken out of its project,
	// so that another can have it. That of a larger one is in use until the sandbox
	// is removed.
	worthwhile = 10_000
)

func (i *Isolator) ours(id uint32) bool { return id >= i.o.First && id <= i.o.Last }

// own returns the project of an open folder, after it was given one with all that
// is in it. A folder that has a project, but does not hand it down, is one that
// an attempt before did not come to an end with.
func (i *Isolator) own(ctx context.Context, fd int, path string) (uint32, error) {
	id, inherit, err := project(fd)
	if err != nil {
		return 0, fmt.Errorf("disk/xfs: project of %s: %w", path, err)
	}
	if i.ours(id) && inherit {
		return id, nil
	}
	if !i.ours(id) {
		if id != 0 {
			return 0, fmt.Errorf("disk/xfs: %s belongs to project %d, which is not in --xfs_project_range [%d-%d]", path, id, i.o.First, i.o.Last)
		}
		if id, err = i.take(ctx, fd); err != nil {
			return 0, fmt.Errorf("disk/xfs: a project for %s: %w", path, err)
		}
	}
	if err := give(ctx, fd, id, 0); err != nil {
		return 0, fmt.Errorf("disk/xfs: give %s to project %d: %w", path, id, err)
	}
	if err := setProject(fd, id, true); err != nil {
		return 0, fmt.Errorf("disk/xfs: give %s to project %d: %w", path, id, err)
	}
	return id, nil
}

// take finds a project that nothing uses, and makes it the folder's. Another host
// cannot take it meanwhile.
func (i *Isolator) take(ctx context.Context, fd int) (uint32, error) {
	unlock, err := i.lock(ctx)
	if err != nil {
		return 0, err
	}
	id, err := i.free(fd)
	if err == nil {
		err = setProject(fd, id, false)
	}
	return id, errors.Join(err, unlock())
}

// lock is between all processes that use the work directory, and ends with them.
func (i *Isolator) lock(ctx context.Context) (unlock func() error, err error) {
	fd, err := openFolder(unix.AT_FDCWD, i.o.WorkDir, 0)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	for {
		if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return func() error { return unix.Close(fd) }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", i.o.WorkDir, err), unix.Close(fd))
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", i.o.WorkDir, ctx.Err()), unix.Close(fd))
		case <-timer.C:
			timer.Reset(lockWait)
		}
	}
}

// free finds a project of which nothing is used. It begins anywhere, as most are
// free and those in use come in rows.
func (i *Isolator) free(fd int) (uint32, error) {
	n := i.o.Last - i.o.First + 1
	from := rand.Uint32N(n)
	for k := range n {
		id := i.o.First + (from+k)%n
		q, err := quota(fd, id)
		if err != nil {
			return 0, fmt.Errorf("quota of project %d: %w", id, err)
		}
		if q.inodes == 0 && q.blocks == 0 {
			return id, nil
		}
	}
	return 0, fmt.Errorf("none of --xfs_project_range [%d-%d] is free: they belong to containers, persistent volumes, and large sandboxes that are kept for --gc_delay", i.o.First, i.o.Last)
}

// disown takes a sandbox out of its project, as far as that can be done: what its
// user has made such that it cannot be gone through is in use until the sandbox is
// removed, as a large one is. Nobody waits for that.
func (i *Isolator) disown(ctx context.Context, path string) error {
	return in(filepath.Clean(path), func(fd int) error {
		id, _, err := project(fd)
		if err != nil || !i.ours(id) {
			return err
		}
		q, err := quota(fd, id)
		if err != nil {
			return fmt.Errorf("disk/xfs: quota of project %d: %w", id, err)
		}
		if q.inodes > worthwhile {
			return nil
		}
		// What is made from now on, as links are, is not the project's. The folder itself
		// is last: it tells of a crash before.
		if err := setProject(fd, id, false); err != nil {
			return fmt.Errorf("disk/xfs: take %s out of project %d: %w", path, id, err)
		}
		switch err := give(ctx, fd, 0, 0); {
		case ctx.Err() != nil:
			return fmt.Errorf("disk/xfs: take %s out of project %d: %w", path, id, ctx.Err())
		case err != nil:
			i.o.Failed(fmt.Errorf("disk/xfs: project %d is in use until %s is removed: %w", id, path, err))
			return nil
		}
		return setProject(fd, 0, false)
	})
}

// Projects counts the ids of the range that are free on the file system of the
// work directory, and all of them.
func (i *Isolator) Projects() (free, total int, err error) {
	total = int(i.o.Last-i.o.First) + 1
	free = total
	err = in(i.o.WorkDir, func(fd int) error {
		for id := i.o.First; ; {
			q, found, err := next(fd, id)
			if err != nil || !found || q.id > i.o.Last {
				return err
			}
			if q.inodes > 0 || q.blocks > 0 {
				free--
			}
			if q.id == i.o.Last {
				return nil
			}
			id = q.id + 1
		}
	})
	return free, total, err
}

// Figures are how many ids of projects there are, and are free.
func (i *Isolator) Figures(put func(key string, value float64)) error {
	free, total, err := i.Projects()
	if err != nil {
		return err
	}
	put("containerizer/mesos/disk/project_ids_free", float64(free))
	put("containerizer/mesos/disk/project_ids_total", float64(total))
	return nil
}
