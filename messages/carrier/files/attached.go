package files

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Attached is the tree that clients see: virtual paths, each of which stands
// for a file or folder of the host. The zero value is empty. It may be used
// from several goroutines.
type Attached struct {
	mu    sync.RWMutex
	hosts map[string]string
}

// Attach lets clients reach host, which need not exist yet, under a virtual
// path. It replaces what was attached there.
func (a *Attached) Attach(virtual, host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hosts == nil {
		a.hosts = make(map[string]string)
	}
	a.hosts[path.Clean("/"+virtual)] = filepath.Clean(host)
}

// Detach undoes Attach.
func (a *Attached) Detach(virtual string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.hosts, path.Clean("/"+virtual))
}

// All is a copy of what is attached.
func (a *Attached) All() map[string]string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return maps.Clone(a.hosts)
}

// find splits a virtual path into the host path of the longest attached
// prefix and what follows it, "." when nothing does.
func (a *Attached) find(virtual string) (host, rest string, ok bool) {
	clean := path.Clean("/" + virtual)
	a.mu.RLock()
	defer a.mu.RUnlock()
	for prefix := clean; ; prefix = path.Dir(prefix) {
		if host, ok := a.hosts[prefix]; ok {
			rest := strings.TrimPrefix(strings.TrimPrefix(clean, prefix), "/")
			return host, filepath.FromSlash(path.Clean(rest)), true
		}
		if prefix == "/" {
			return "", "", false
		}
	}
}

// open opens a virtual path for reading. The errors name it.
func (a *Attached) open(virtual string) (*os.File, error) {
	host, rest, ok := a.find(virtual)
	if !ok {
		return nil, fmt.Errorf("path=%q: %w", virtual, fs.ErrNotExist)
	}
	file, err := openBelow(host, rest)
	if err != nil {
		return nil, fmt.Errorf("path=%q: %w", virtual, err)
	}
	return file, nil
}

// openBelow opens rest below host, and nothing that a link or ".." leads to
// elsewhere. What is attached may itself be a file.
func openBelow(host, rest string) (*os.File, error) {
	if rest == "." {
		return openPlain(host)
	}
	root, err := os.OpenRoot(host)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(rest)
	if err != nil {
		return nil, err
	}
	if err := readable(info); err != nil {
		return nil, err
	}
	return still(root.OpenFile(rest, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

func openPlain(host string) (*os.File, error) {
	info, err := os.Stat(host)
	if err != nil {
		return nil, err
	}
	if err := readable(info); err != nil {
		return nil, err
	}
	return still(os.OpenFile(host, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

// still refuses what has become of a file since it was looked at.
func still(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = readable(info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readable refuses pipes and devices: a task can make them, and to open them
// may wait forever.
func readable(info fs.FileInfo) error {
	if info.IsDir() || info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s is neither a file nor a folder: %w", info.Mode().Type(), fs.ErrInvalid)
}
