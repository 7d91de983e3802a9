package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"troupe/master/store/sealed"
)

// Format is the stored form that this code reads and writes.
const Format = 1

// File is a Store in a file, which it locks.
type File struct {
	path string
	kind sealed.Kind

	mu   sync.Mutex
	gate gate
	file *sealed.File
}

var _ Store = (*File)(nil)

// header says what a file is.
type header struct {
	FrameworkState struct {
		Owner  string `json:"owner"`
		Format int    `json:"format"`
	} `json:"framework_state"`
}

// OpenFile opens the state of owner, a framework's name, at path; its folder
// must exist. Where there is no file it makes one, in a way that a crash leaves
// none or a whole one.
func OpenFile(path, owner string) (*File, error) {
	f := &File{path: path}
	f.kind = sealed.Kind{
		Foreign: ErrForeign,
		Restore: "restore the file from a copy, or move it away to begin anew, which forgets all that the framework knew",
		Busy:    "stop that process, or give this one a file of its own",
		Accept:  func(header []byte) (*sealed.Older, error) { return nil, f.accept(header, owner) },
	}
	if err := f.open(owner); err != nil {
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	return f, nil
}

func (f *File) open(owner string) error {
	if owner == "" {
		return errors.New("an owner is missing")
	}
	_, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		var h header
		h.FrameworkState.Owner, h.FrameworkState.Format = owner, Format
		data, failed := json.Marshal(h)
		if err = failed; err == nil {
			err = sealed.Create(f.path, data)
		}
	}
	if err != nil {
		return err
	}
	f.file, err = sealed.Open(f.path, f.kind)
	return err
}

// accept reads the header of a file that is there.
func (f *File) accept(data []byte, owner string) error {
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return f.kind.Damaged(fmt.Errorf("header: %w", err))
	}
	switch is := h.FrameworkState; {
	case is.Owner != owner:
		return f.kind.Damaged(fmt.Errorf("header.owner: %q: it belongs to another framework than %q", is.Owner, owner))
	case is.Format != Format:
		return fmt.Errorf("header.format: %d: this version reads %d: use the version that wrote the file", is.Format, Format)
	}
	return nil
}

// Load reads everything.
func (f *File) Load(context.Context) (map[string][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(f.gate.failed, errClosed) {
		return nil, fmt.Errorf("load state %s: %w", f.path, errClosed)
	}
	values := make(map[string][]byte)
	err := f.file.Each(func(key string, data []byte) error {
		values[key] = slices.Clone(data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load state %s: %w", f.path, err)
	}
	return values, nil
}

// Apply makes changes in one transaction.
func (f *File) Apply(_ context.Context, changes map[string][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gate.write("state "+f.path, changes, func(all []change) error {
		records := make([]sealed.Change, len(all))
		for i, c := range all {
			records[i] = sealed.Change{Key: c.key, Data: c.value}
		}
		return f.file.Write(records)
	})
}

// Size is how many bytes the file has.
func (f *File) Size() int64 { return f.file.Size() }

// Close lets the file go.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate.close()
	return f.file.Close()
}
