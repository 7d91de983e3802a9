package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lockPatience is how long the lock of the folder is waited for, which is held for
// milliseconds.
const lockPatience = 10 * time.Second

// locked does work while no other process does any such.
func (c Cache) locked(ctx context.Context, work func() error) (err error) {
	f, err := os.OpenFile(filepath.Join(c.Dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	ctx, cancel := context.WithTimeoutCause(ctx, lockPatience, fmt.Errorf("the lock of the cache: %w", ErrBusy))
	defer cancel()
	for {
		err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return work()
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// pause waits until the next look at a lock.
func pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// prepare makes the folder, and removes what a machine that went down may have
// left torn in it.
func (c Cache) prepare(ctx context.Context) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	if err := c.own(); err != nil {
		return err
	}
	if known, err := os.ReadFile(filepath.Join(c.Dir, "boot")); err == nil && string(known) == string(boot) {
		return nil
	}
	return c.locked(ctx, func() error {
		known, err := os.ReadFile(filepath.Join(c.Dir, "boot"))
		if err == nil && string(known) == string(boot) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		files, err := c.files()
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := os.Remove(filepath.Join(c.Dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return os.WriteFile(filepath.Join(c.Dir, "boot"), boot, 0o600)
	})
}

// own makes the folder, and refuses one that is another's: who can write to it
// decides what tasks run.
func (c Cache) own() error {
	info, err := os.Lstat(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return err
		}
		info, err = os.Lstat(c.Dir)
	}
	if err != nil {
		return err
	}
	is, known := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", c.Dir)
	case !known || int(is.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("the folder %s is another user's, or others may write to it", c.Dir)
	}
	return nil
}

// makeRoom removes entries until so many bytes more fit, those first that were not
// used for longest; none if that would not be enough. It needs the lock of the
// folder.
func (c Cache) makeRoom(more int64) (err error) {
	files, err := c.files()
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(x, y file) int {
		if x.part != y.part { // what nobody will complete goes first
			if x.part {
				return -1
			}
			return 1
		}
		return x.used.Compare(y.used)
	})
	used := more
	for _, f := range files {
		used += f.size
	}
	var going []*os.File
	defer func() {
		for _, f := range going {
			err = errors.Join(err, f.Close())
		}
	}()
	for _, f := range files {
		if used <= c.Size && !f.part {
			break
		}
		held, err := c.seize(f.name)
		if err != nil {
			return err
		}
		if held != nil {
			going = append(going, held)
			used -= f.size
		}
	}
	if used > c.Size {
		return fmt.Errorf("%w: %d bytes of %d would be used", ErrNoRoom, used, c.Size)
	}
	for _, f := range going {
		if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// seize locks a file that nobody holds; nil if somebody does.
func (c Cache) seize(name string) (*os.File, error) {
	path := filepath.Join(c.Dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // has just become an entry, or failed
	}
	if err != nil {
		return nil, err
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	same := false
	if err == nil {
		same, err = is(f, path)
	}
	switch {
	case err == nil && same:
		return f, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = nil
	}
	return nil, errors.Join(err, f.Close())
}

// wait is for another process that makes an entry.
type wait struct {
	cache  Cache
	notify func()
	part   *os.File
	since  time.Time // the last headway
	last   time.Time // its time of change then
}

func (w *wait) close() {
	if w.part != nil {
		w.part.Close() // was only looked at
	}
}

func (w *wait) look() (now unix.Stat_t, err error) {
	if err := unix.Fstat(int(w.part.Fd()), &now); err != nil {
		return now, fmt.Errorf("look at %s: %w", w.part.Name(), err)
	}
	return now, nil
}

// failed tells whether the other has given it up; or has completed it, and it was
// evicted since.
func (w *wait) failed() (bool, error) {
	if w.part == nil {
		return false, nil
	}
	now, err := w.look()
	return now.Nlink == 0, err
}

// step waits a moment. It fails when the other makes no headway.
func (w *wait) step(ctx context.Context, key string) error {
	if w.part == nil {
		f, err := os.OpenFile(filepath.Join(w.cache.Dir, key+partial), os.O_RDONLY|unix.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // has just become something else
		}
		if err != nil {
			return err
		}
		w.part, w.since = f, time.Now()
		w.notify()
	}
	now, err := w.look()
	if err != nil {
		return err
	}
	if changed := time.Unix(now.Mtim.Unix()); !changed.Equal(w.last) {
		w.last, w.since = changed, time.Now()
	}
	if w.cache.Patience > 0 && time.Since(w.since) > w.cache.Patience {
		return fmt.Errorf("%w, and has made no headway for %v", ErrBusy, w.cache.Patience)
	}
	return pause(ctx)
}

// Tally counts how fetches ended.
type Tally struct{ Succeeded, Failed uint64 }

// Count adds to what Counts returns.
func (c Cache) Count(ctx context.Context, t Tally) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	return c.locked(ctx, func() error {
		sum, err := c.Counts()
		if err != nil {
			return err
		}
		sum.Succeeded += t.Succeeded
		sum.Failed += t.Failed
		path := filepath.Join(c.Dir, "counts")
		b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, sum.Succeeded), sum.Failed)
		if err := os.WriteFile(path+".new", b, 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	})
}

// Counts are of all fetches since the folder was made.
func (c Cache) Counts() (Tally, error) {
	f, err := os.Open(filepath.Join(c.Dir, "counts"))
	if errors.Is(err, fs.ErrNotExist) {
		return Tally{}, nil
	}
	if err != nil {
		return Tally{}, err
	}
	defer f.Close() // was only read
	var b [16]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return Tally{}, nil // lost with the machine's power: counting begins again
		}
		return Tally{}, fmt.Errorf("read %s: %w", strings.TrimSpace(f.Name()), err)
	}
	return Tally{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}, nil
}
