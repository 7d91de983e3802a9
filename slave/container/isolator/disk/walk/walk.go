// Package walk measures and removes folders without trusting who has written
// there: no link is followed, no mount entered, nothing is opened that could
// block, and nothing grows with what is found but by stated bounds. It measures in
// steps, so that several trees can take turns. Imported by devices of the agent.
package walk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds of a walk.
const (
	// MaxDepth is how many folders deep it goes; each takes an open file.
	MaxDepth = 512
	// MaxEntries is how many files and folders it counts.
	MaxEntries = 16 << 20
	// maxLinked is how many files with several links it can tell apart.
	maxLinked = 1 << 20
	// batch is the buffer for names of a folder, in bytes.
	batch = 8 << 10
	// blockSize is the unit of st_blocks, whatever the file system's own.
	blockSize = 512
)

// Walk is one measurement of a tree. Not safe for concurrent use.
type Walk struct {
	root    string
	levels  []level
	parts   []part // the first is the whole
	seen    map[inode]struct{}
	entries int
	missed  string
}

type inode struct{ dev, ino uint64 }

// part is a folder that is summed up; bytes are without those of parts in it.
type part struct {
	path  string
	bytes uint64
}

// lead is a folder on the way to parts.
type lead struct {
	part  int // 0 when it is none itself
	below map[string]*lead
}

// level is a folder that is being read.
type level struct {
	fd   int
	room []byte
	left []byte // what was read of it, and not looked at yet
	part int
	lead *lead // nil when no part is below
}

// Begin starts to measure the folder root. What leads to root is trusted, but it
// must be no link itself. parts are folders below it, relative, whose shares are
// wanted. End must be called. An error is that of the root, or ENOSYS of a kernel
// before 5.6.
func Begin(root string, parts []string) (*Walk, error) {
	w := &Walk{root: root, seen: map[inode]struct{}{}, parts: []part{{path: "."}}}
	way := &lead{}
	for _, p := range parts {
		if filepath.IsLocal(p) && filepath.Clean(p) != "." {
			way.add(strings.Split(filepath.Clean(p), "/"), len(w.parts))
			w.parts = append(w.parts, part{path: filepath.Clean(p)})
		}
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, root, &unix.OpenHow{Flags: folderFlags})
	if err == nil {
		err = w.enter(fd, 0, way)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "measure", Path: root, Err: err}
	}
	return w, nil
}

func (l *lead) add(names []string, part int) {
	for _, name := range names {
		if l.below == nil {
			l.below = map[string]*lead{}
		}
		if l.below[name] == nil {
			l.below[name] = &lead{}
		}
		l = l.below[name]
	}
	l.part = part
}

// Step goes on for so many entries at most, and tells whether the walk is done.
// What goes away meanwhile is not counted.
func (w *Walk) Step(entries int) (bool, error) {
	for ; entries > 0 && len(w.levels) > 0; entries-- {
		if w.entries++; w.entries > MaxEntries {
			w.miss(fmt.Sprintf("it has more than %d files", MaxEntries))
			return true, w.End()
		}
		if err := w.next(); err != nil {
			return false, fmt.Errorf("measure %s: %w", w.root, err)
		}
	}
	return len(w.levels) == 0, nil
}

// next looks at the next entry of the innermost folder, or leaves it.
func (w *Walk) next() error {
	at := &w.levels[len(w.levels)-1]
	if len(at.left) == 0 {
		n, err := unix.ReadDirent(at.fd, at.room)
		if err != nil && !gone(err) {
			return err
		}
		if n <= 0 {
			return w.leave()
		}
		at.left = at.room[:n]
	}
	name, kind := at.take()
	switch {
	case name == "." || name == "..":
		return nil
	case kind == unix.DT_DIR:
		return w.folder(at, name)
	}
	return w.file(at, name)
}

// take takes the next name from the buffer, which has whole ones; see
// getdents64(2).
func (l *level) take() (string, byte) {
	const header = 19
	size := int(binary.NativeEndian.Uint16(l.left[16:]))
	name, kind := l.left[header:size], l.left[18]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	l.left = l.left[size:]
	return string(name), kind
}

func (w *Walk) folder(at *level, name string) error {
	if len(w.levels) == MaxDepth {
		w.miss(fmt.Sprintf("its folders are more than %d deep", MaxDepth))
		return nil
	}
	fd, err := open(at.fd, name, folderFlags)
	if err != nil {
		return w.passed(err)
	}
	part, way := at.part, (*lead)(nil)
	if at.lead != nil {
		if way = at.lead.below[name]; way != nil && way.part > 0 {
			part = way.part
		}
	}
	return w.enter(fd, part, way)
}

// open keeps to this side of links and mounts.
func open(folder int, name string, flags uint64) (int, error) {
	return unix.Openat2(folder, name, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS})
}

const folderFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// enter takes fd, also when it fails.
func (w *Walk) enter(fd, part int, way *lead) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	w.levels = append(w.levels, level{fd: fd, room: make([]byte, batch), part: part, lead: way})
	w.parts[part].bytes += uint64(st.Blocks) * blockSize
	return nil
}

func (w *Walk) leave() error {
	last := len(w.levels) - 1
	fd := w.levels[last].fd
	w.levels = w.levels[:last]
	return unix.Close(fd)
}

// file counts anything but a folder. It is opened only as a name, as its status
// could be asked of a file system that somebody has mounted over it otherwise,
// which may never answer.
func (w *Walk) file(at *level, name string) error {
	fd, err := open(at.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	if err != nil {
		return w.passed(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR { // file systems need not tell kinds with names
		return w.folder(at, name)
	}
	w.parts[at.part].bytes += w.share(&st)
	return nil
}

// share is what a file counts: nothing when it was counted under another name,
// and its part for each name when there are too many to remember.
func (w *Walk) share(st *unix.Stat_t) uint64 {
	bytes := uint64(st.Blocks) * blockSize
	if st.Nlink <= 1 || bytes == 0 {
		return bytes
	}
	id := inode{uint64(st.Dev), st.Ino}
	if _, known := w.seen[id]; known {
		return 0
	}
	if len(w.seen) == maxLinked {
		return bytes / uint64(st.Nlink)
	}
	w.seen[id] = struct{}{}
	return bytes
}

// passed lets what cannot be counted go by: what is gone, no longer what it was,
// mounted, or closed to this user.
func (w *Walk) passed(err error) error {
	for _, passable := range []error{unix.EXDEV, unix.ELOOP, unix.ENOTDIR, unix.EACCES} {
		if errors.Is(err, passable) {
			return nil
		}
	}
	if gone(err) {
		return nil
	}
	return err
}

func gone(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE) }

func (w *Walk) miss(why string) {
	if w.missed == "" {
		w.missed = why
	}
}

// Part is what one of the parts has taken of the disk so far, with those in it;
// "." is the whole. It is false for others.
func (w *Walk) Part(path string) (sum uint64, known bool) {
	path = filepath.Clean(path)
	for _, p := range w.parts {
		if path == "." || p.path == path || strings.HasPrefix(p.path, path+"/") {
			sum += p.bytes
		}
		known = known || p.path == path
	}
	return sum, known
}

// Missed says for which of its bounds the walk did not count all; empty when it
// did.
func (w *Walk) Missed() string { return w.missed }

// End closes what the walk has open.
func (w *Walk) End() error {
	var failures []error
	for len(w.levels) > 0 {
		failures = append(failures, w.leave())
	}
	return errors.Join(failures...)
}
