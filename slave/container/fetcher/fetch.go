package fetcher

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
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

// staging is where things are in the sandbox until they are complete.
const staging = ".fetching"

// job is an order that is carried out.
type job struct {
	order  Order
	client *http.Client
	report *report
	root   *os.Root
	stash  cache.Cache
	// Entries of the cache, by the URI's index.
	cached map[int]*cache.Entry
}

// fetch carries out an order. Errors name the URI. Drop is called when no more
// privilege is needed than the user has.
func fetch(ctx context.Context, o Order, r *report, drop func(user string) error) (err error) {
	sources := make([]source, len(o.URIs))
	for i, u := range o.URIs {
		if sources[i], err = parse(u, o.Settings); err != nil {
			return field.At("command.uris", i, err)
		}
	}
	root, err := os.OpenRoot(o.Sandbox)
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	j := &job{
		order: o, client: client(o.Settings.stall()), report: r, root: root, cached: map[int]*cache.Entry{},
		stash: cache.Cache{Dir: o.Settings.CacheDir, Size: o.Settings.CacheSize, Patience: o.Settings.stall() + 5*time.Second},
	}
	defer j.client.CloseIdleConnections()
	defer func() {
		for _, e := range j.cached {
			e.Close() // was only read
		}
	}()
	// The cache is the agent's: what needs it is done first.
	for i := range sources {
		if err := j.consult(ctx, i, &sources[i]); err != nil {
			return named(&sources[i], err)
		}
	}
	if err := drop(o.User); err != nil {
		return err
	}
	for i := range sources {
		if err := j.bring(ctx, i, &sources[i]); err != nil {
			return named(&sources[i], err)
		}
	}
	return nil
}

func named(s *source, err error) error { return fmt.Errorf("fetching %s: %w", s.shown, err) }

// consult gets a source from the cache, or into it. Whatever is wrong with the
// cache itself leaves it to be fetched without.
func (j *job) consult(ctx context.Context, i int, s *source) error {
	if !s.Cache || s.address == nil || j.stash.Dir == "" || j.stash.Size <= 0 {
		return nil
	}
	var failure error // of the server
	entry, err := j.stash.Get(ctx, cache.Key(j.order.User, s.Value), func() {
		j.report.sayf("Waiting for %s, which another task fetches into the agent's cache", s.shown)
	}, func(to *cache.Sink) error {
		t := j.report.begin("Fetching %s into the agent's cache", s.shown)
		n, err := j.download(ctx, s, to, t, func(size int64) error {
			if size < 0 {
				return nil
			}
			return to.Expect(size)
		})
		if err == nil {
			t.end("Fetched %s into the agent's cache", s.shown, n)
		}
		var written *writeError
		if err != nil && !errors.As(err, &written) {
			failure = err
		}
		return err
	})
	switch {
	case failure != nil:
		return failure
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		j.report.sayf("Fetching %s without the agent's cache: %v", s.shown, err)
		return nil
	}
	if !entry.Fresh {
		j.report.sayf("Found %s in the agent's cache", s.shown)
	}
	j.cached[i] = entry
	return nil
}

// writeError is about where something was written to, not about where it is from.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }

func (e *writeError) Unwrap() error { return e.err }

// download writes what a server has, and checks its checksum. Sized is told how much
// it will be, -1 if that is not known, and may refuse it.
func (j *job) download(ctx context.Context, s *source, to io.Writer, t *task, sized func(int64) error) (int64, error) {
	b, err := j.request(ctx, s)
	if err != nil {
		return 0, err
	}
	defer b.close()
	if err := sized(b.size); err != nil {
		return 0, &writeError{err}
	}
	t.total = b.size
	return s.copy(to, b, t)
}

// copy writes what from has, and checks its checksum.
func (s *source) copy(to io.Writer, from io.Reader, t *task) (int64, error) {
	var sum hash.Hash
	if s.sum != nil {
		sum = s.sum.make()
	}
	buffer := make([]byte, 128<<10)
	var n int64
	for {
		r, err := from.Read(buffer)
		if _, werr := to.Write(buffer[:r]); werr != nil {
			return n, &writeError{werr}
		}
		n += int64(r)
		if sum != nil {
			sum.Write(buffer[:r])
		}
		t.progress(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, err
		}
	}
	if sum == nil {
		return n, nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != s.sum.want {
		return n, fmt.Errorf("its %s is %s, not %s: it is not the file that was meant, or the checksum is an old one", s.sum.kind, got, s.sum.want)
	}
	return n, nil
}

// bring puts a source into the sandbox.
func (j *job) bring(ctx context.Context, i int, s *source) (err error) {
	if err := errors.Join(j.root.RemoveAll(staging), j.root.Mkdir(staging, 0o700)); err != nil {
		return explainWrite(err)
	}
	defer func() { err = errors.Join(err, explainWrite(j.root.RemoveAll(staging))) }()
	file, kept := (*os.File)(nil), true
	if e := j.cached[i]; e != nil && s.unpack() {
		file, kept = e.File, false
	} else if file, err = j.stage(ctx, i, s); err != nil {
		return err
	} else {
		defer file.Close() // was synced by nobody, and is only read from here on
	}
	if s.unpack() {
		if err := j.extract(ctx, s, file); err != nil {
			return err
		}
	}
	if !kept {
		return nil
	}
	return j.put(staging+"/file", s.name)
}

// stage makes the file that a source is, and returns it to be read.
func (j *job) stage(ctx context.Context, i int, s *source) (_ *os.File, err error) {
	f, err := j.root.OpenFile(staging+"/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
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
		err = j.copyCached(s, f, e)
	} else if s.address != nil {
		err = j.copyServed(ctx, s, f)
	} else {
		mode, err = j.copyLocal(s, f)
	}
	if err != nil {
		return nil, explainWrite(err)
	}
	if s.Executable {
		mode |= 0o111
	}
	return f, f.Chmod(mode)
}

func (j *job) copyCached(s *source, to *os.File, from *cache.Entry) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := s.copy(to, from, j.report.silent())
	return err
}

func (j *job) copyServed(ctx context.Context, s *source, to *os.File) error {
	t := j.report.begin("Fetching %s", s.shown)
	n, err := j.download(ctx, s, to, t, func(size int64) error { return room(to, size) })
	if err == nil {
		t.end("Fetched %s", s.shown, n)
	}
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
func (j *job) copyLocal(s *source, to *os.File) (fs.FileMode, error) {
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
	n, err := s.copy(to, from, t)
	if err == nil {
		t.end("Copied %s", s.shown, n)
	}
	return info.Mode().Perm() | 0o600, err
}

// extract unpacks an archive and moves what was in it into the sandbox.
func (j *job) extract(ctx context.Context, s *source, file *os.File) error {
	const folder = staging + "/tree"
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
	})
	if err = errors.Join(err, into.Close()); err != nil {
		var entry *archive.EntryError
		if errors.As(err, &entry) {
			return fmt.Errorf("the archive is not extracted: %w", err)
		}
		return fmt.Errorf("the archive is not extracted: it %w", err)
	}
	if err := j.merge(folder, "."); err != nil {
		return err
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
