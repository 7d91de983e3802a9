package cgroups

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// buffers are for files of statistics, of which the longest (memory.stat) has
// about 2 KB.
var buffers = sync.Pool{New: func() any { b := make([]byte, 8<<10); return &b }}

// Read gives what a file of a folder has to parse, which must not keep it. An
// error names the file.
func Read(dir, name string, parse func([]byte) error) error {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	path := dir + "/" + name
	n, err := readInto(path, b)
	if err != nil {
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	if err := parse((*b)[:n]); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readInto makes the buffer larger if need be.
func readInto(path string, b *[]byte) (int, error) {
	fd, err := retried(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	for n := 0; ; {
		if n == len(*b) {
			*b = append(*b, make([]byte, len(*b))...)
		}
		got, err := retried(func() (int, error) { return unix.Read(fd, (*b)[n:]) })
		if err != nil {
			return 0, err
		}
		n += got
		// Lists come in parts of about a page. What is much shorter is all there is,
		// and to ask once more would cost a quarter of the time.
		if got < wholePart && n < len(*b) {
			return n, nil
		}
	}
}

const wholePart = 2048

// Write sets a file of a folder. An error names the file and what was to be
// written.
func Write(dir, name, value string) error {
	path := dir + "/" + name
	fd, err := retried(func() (int, error) { return unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if _, err := retried(func() (int, error) { return unix.Write(fd, []byte(value)) }); err != nil {
		return fmt.Errorf("write %q to %s: %w", value, path, err)
	}
	return nil
}

func retried(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// Exists says whether a folder has a file.
func Exists(dir, name string) bool {
	return unix.Access(filepath.Join(dir, name), unix.F_OK) == nil
}

// Number reads a file that holds one; "max" and -1 are math.MaxUint64.
func Number(dir, name string) (uint64, error) {
	var n uint64
	err := Read(dir, name, func(b []byte) error {
		var err error
		n, err = ParseNumber(bytes.TrimSpace(b))
		return err
	})
	return n, err
}

// ParseNumber is without a sign, but for -1, which like "max" is math.MaxUint64.
func ParseNumber(b []byte) (uint64, error) {
	if string(b) == "max" || string(b) == "-1" {
		return math.MaxUint64, nil
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("no number: %.40q", b)
	}
	return n, nil
}

// Keyed reads a file of lines "key value" and gives each to see, which must not
// keep the key.
func Keyed(dir, name string, see func(key []byte, value uint64)) error {
	return Read(dir, name, func(b []byte) error { return ParseKeyed(b, see) })
}

// ParseKeyed is Keyed for what was read.
func ParseKeyed(b []byte, see func(key []byte, value uint64)) error {
	for line := range bytes.Lines(b) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		key, value, ok := bytes.Cut(line, []byte{' '})
		if !ok {
			return fmt.Errorf("no value in %.40q", line)
		}
		n, err := ParseNumber(bytes.TrimSpace(value))
		if err != nil {
			return fmt.Errorf("%.40q: %w", key, err)
		}
		see(key, n)
	}
	return nil
}

// IsGone says that an error is that of a group that was removed.
func IsGone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV)
}
