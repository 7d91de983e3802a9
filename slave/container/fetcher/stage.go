package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/fetcher/archive"
	"troupe/slave/container/fetcher/cache"
)

// Bounds of what archives may become, beside those of Settings.
const (
	maxEntries = 1_000_000
	maxRatio   = 1000
	ratioSlack = 1 << 30
	// leaveFree is how much is left free on a disk.
	leaveFree = 64 << 20
)

// stage fetches a source, and unpacks it if it is to be.
func (j *job) stage(ctx context.Context, i int, s *source) (err error) {
	if err := j.root.Mkdir(staged(i), 0o700); err != nil {
		return explainWrite(err)
	}
	file := (*os.File)(nil)
	if j.keeps(i, s) {
		if file, err = j.bring(ctx, i, s); err != nil {
			return err
		}
		defer file.Close() // was synced by nobody, and is only read from here on
	} else {
		file = j.cached[i].File
	}
	if !s.unpack() {
		return nil
	}
	return j.extract(ctx, s, file, staged(i)+"/tree")
}

// keeps tells whether the sandbox gets the file itself, and not only what is in it.
func (j *job) keeps(i int, s *source) bool { return j.cached[i] == nil || !s.unpack() }

// place moves what was staged to where it belongs.
func (j *job) place(i int, s *source) error {
	if s.unpack() {
		if err := j.merge(staged(i)+"/tree", "."); err != nil {
			return err
		}
	}
	if !j.keeps(i, s) {
		return nil
	}
	return j.put(staged(i)+"/file", s.name)
}

// bring makes the file that a source is, and returns it to be read.
func (j *job) bring(ctx context.Context, i int, s *source) (_ *os.File, err error) {
	f, err := j.root.OpenFile(staged(i)+"/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, explainWrite(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	mode := fs.FileMode(0o644)
	if e := j.cached[i]; e != nil {
		err = j.copyCached(ctx, s, f, e)
	} else if s.address != nil {
		err = j.copyServed(ctx, s, f)
	} else {
		mode, err = j.copyLocal(ctx, s, f)
	}
	if err != nil {
		return nil, explainWrite(err)
	}
	if s.Executable {
		mode |= 0o111
	}
	return f, f.Chmod(mode)
}

func (j *job) copyCached(ctx context.Context, s *source, to *os.File, from *cache.Entry) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := s.copy(ctx, to, from, j.report.silent())
	return err
}

func (j *job) copyServed(ctx context.Context, s *source, to *os.File) error {
	t := j.report.begin("Fetching %s", s.shown)
	n, err := j.download(ctx, s, rewritable{to}, t)
	if err == nil {
		t.end("Fetched %s", s.shown, n)
	}
	return err
}

// rewritable is a file that is a download's target.
type rewritable struct{ *os.File }

func (f rewritable) Expect(b *body) error { return room(f.File, b.size) }

func (f rewritable) Restart() error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// room says when a disk has none for so many bytes.
func room(f *os.File, size int64) error {
	var disk unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &disk); err != nil {
		return fmt.Errorf("look at the disk of the sandbox: %w", err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); size > 0 && uint64(size) > free {
		return fmt.Errorf("it has %d bytes, and the sandbox's disk has room for %d: make room there, or fetch less", size, free)
	}
	return nil
}

// copyLocal copies a file of the agent's disk, and says what mode it has.
func (j *job) copyLocal(ctx context.Context, s *source, to *os.File) (fs.FileMode, error) {
	t := j.report.begin("Copying %s", s.shown)
	// A pipe, to which nobody writes, must not be waited for.
	from, err := os.OpenFile(s.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("there is no file %q on the agent's machine", s.path)
	case errors.Is(err, fs.ErrPermission):
		return 0, fmt.Errorf("the task's user may not read %q on the agent's machine", s.path)
	case err != nil:
		return 0, err
	}
	defer from.Close() // was only read
	info, err := from.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%q is no file: make an archive of it, if it is a folder", s.path)
	}
	if err := room(to, info.Size()); err != nil {
		return 0, err
	}
	t.total = info.Size()
	n, err := s.copy(ctx, to, from, t)
	if err == nil {
		t.end("Copied %s", s.shown, n)
	}
	return info.Mode().Perm() | 0o600, err
}

// extract unpacks an archive into a folder that is made for it.
func (j *job) extract(ctx context.Context, s *source, file *os.File, folder string) error {
	j.unpacking.Lock()
	defer j.unpacking.Unlock()
	if err := j.root.Mkdir(folder, 0o700); err != nil {
		return explainWrite(err)
	}
	into, err := j.root.OpenRoot(folder)
	if err != nil {
		return explainWrite(err)
	}
	started := time.Now()
	j.report.sayf("Extracting %s", s.name)
	err = archive.Extract(ctx, file, path.Base(s.name), into, archive.Bounds{
		Bytes: j.order.Settings.MaxExtracted, Entries: maxEntries, Ratio: maxRatio, Slack: ratioSlack, Free: leaveFree,
		Dictionary: j.order.Settings.MaxDictionary,
	})
	if err = errors.Join(err, into.Close()); err != nil {
		var entry *archive.EntryError
		if errors.As(err, &entry) {
			return fmt.Errorf("the archive is not extracted: %w", err)
		}
		return fmt.Errorf("the archive is not extracted: it %w", err)
	}
	j.report.sayf("Extracted %s in %s", s.name, seconds(time.Since(started)))
	return nil
}

// explainWrite says what the sandbox's disk lacks.
func explainWrite(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the sandbox's disk is full: %w", err)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk quota of the container is used up, give the task more disk: %w", err)
	}
	return err
}
