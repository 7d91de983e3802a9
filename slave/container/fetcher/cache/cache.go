// Package cache keeps what was fetched, for whoever fetches it again: a folder that
// processes share, and that any of them may leave at any moment, killed in the
// middle of a word. Only package fetcher and wiring import it.
//
//	DIR/lock       held for a moment, by who makes room or counts
//	DIR/KEY        a complete entry; who uses it holds a shared lock on it
//	DIR/KEY.part   one that is being made; who makes it holds a lock on it, and its
//	               size is the room that it was given
//	DIR/boot       since which start of the machine: what is older may be torn
//	DIR/counts     of fetches that succeeded and failed
//
// Locks are flock's, which end with who holds them. An entry becomes complete by a
// rename; so it is there as a whole or not at all.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Cache is a folder. The value holds nothing that is open.
type Cache struct {
	// Dir is absolute. It is made when it is missing.
	Dir string
	// Size is how many bytes its entries may have.
	Size int64
	// Patience is how long another process that makes an entry may make no headway
	// before it is waited for no longer.
	Patience time.Duration
}

// Errors of Get for which there is nothing wrong with what was to be fetched: it
// can be had without the cache.
var (
	// ErrNoRoom: it does not fit beside what is in use.
	ErrNoRoom = errors.New("there is no room for it in the cache")
	// ErrBusy: somebody holds what is needed, and makes no headway.
	ErrBusy = errors.New("another process holds it")
	// ErrFailed: another process has tried, and failed.
	ErrFailed = errors.New("another process has failed to fetch it")
)

// poll is the time between looks at locks.
const poll = 20 * time.Millisecond

// Key is the name of an entry: what a user fetches from a URI.
func Key(user, uri string) string {
	sum := sha256.Sum256([]byte(user + "\x00" + uri))
	return hex.EncodeToString(sum[:])
}

const partial = ".part"

// Entry is a complete entry, kept as long as it is open.
type Entry struct {
	*os.File
	// Fresh: it was made by this very call.
	Fresh bool
}

// Get opens the entry of that key. One that is missing is made by fill, which at
// any moment one process alone does; the others wait for it. Waiting is called once
// when that happens. What fill returns, Get returns.
func (c Cache) Get(ctx context.Context, key string, waiting func(), fill func(*Sink) error) (*Entry, error) {
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	w := &wait{cache: c, notify: waiting}
	defer w.close()
	for {
		failed, err := w.failed() // before the look whether it is there
		if err != nil {
			return nil, err
		}
		e, err := c.open(key)
		if errors.Is(err, unix.EWOULDBLOCK) {
			if err := pause(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if e != nil || err != nil {
			return e, err
		}
		if failed {
			return nil, ErrFailed
		}
		part, err := c.claim(key)
		if err != nil {
			return nil, err
		}
		if part != nil {
			return c.fill(ctx, key, part, fill)
		}
		if err := w.step(ctx, key); err != nil {
			return nil, err
		}
	}
}

// open opens a complete entry; nil if there is none, EWOULDBLOCK while another
// process does something with it, which takes it a moment.
func (c Cache) open(key string) (*Entry, error) {
	path := filepath.Join(c.Dir, key)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if err := flock(f, unix.LOCK_SH|unix.LOCK_NB); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		same, err := is(f, path)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if !same {
			f.Close() // has been evicted; only read
			continue
		}
		now := time.Now() // of its use
		if err := os.Chtimes(path, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, f.Close())
		}
		return &Entry{File: f}, nil
	}
}

// claim makes this process the one that makes an entry; nil if another is.
func (c Cache) claim(key string) (*os.File, error) {
	path := filepath.Join(c.Dir, key+partial)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	same := false
	if err == nil {
		same, err = is(f, path)
	}
	if err == nil && same {
		// Another may have completed it before this one was made.
		_, err = os.Lstat(filepath.Join(c.Dir, key))
		if errors.Is(err, fs.ErrNotExist) {
			return f, nil
		}
		if err == nil {
			err = os.Remove(path)
		}
	}
	return nil, errors.Join(err, f.Close())
}

// fill makes an entry of a part that is claimed.
func (c Cache) fill(ctx context.Context, key string, part *os.File, fill func(*Sink) error) (*Entry, error) {
	path := part.Name()
	sink := &Sink{ctx: ctx, cache: c, part: part}
	err := sink.Restart()
	if err == nil {
		err = fill(sink)
	}
	if err == nil {
		err = sink.finish()
	}
	if err == nil {
		err = os.Rename(path, filepath.Join(c.Dir, key))
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path), part.Close())
	}
	// From here on it may be evicted as long as nobody shares it; that would take its
	// name, and not what this file has.
	if err := flock(part, unix.LOCK_SH); err != nil {
		return nil, errors.Join(err, part.Close())
	}
	return &Entry{File: part, Fresh: true}, nil
}

// Drop removes an entry that turned out to be wrong.
func (c Cache) Drop(key string) error {
	err := os.Remove(filepath.Join(c.Dir, key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Used is how many bytes the cache has taken, and has promised to what is being
// fetched. A cache that was never used has none.
func (c Cache) Used() (int64, error) {
	files, err := c.files()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var sum int64
	for _, f := range files {
		sum += f.size
	}
	return sum, err
}

// file is an entry as it lies there.
type file struct {
	name string
	size int64
	used time.Time
	part bool
}

// files lists entries, complete ones and others.
func (c Cache) files() ([]file, error) {
	names, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, err
	}
	var all []file
	for _, n := range names {
		key, part := strings.CutSuffix(n.Name(), partial)
		if len(key) != 2*sha256.Size || !n.Type().IsRegular() {
			continue
		}
		info, err := n.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, file{name: n.Name(), size: info.Size(), used: info.ModTime(), part: part})
	}
	return all, nil
}

// is tells whether f is what path names.
func is(f *os.File, path string) (bool, error) {
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	here, err := f.Stat()
	return err == nil && os.SameFile(here, there), err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		return nil
	}
}
