package posix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// BoundLog keeps a file short that processes append to which cannot be told
// to open another: of more than limit bytes it moves the last limit to the
// file path.1, in place of what that held. What is written meanwhile may be
// lost. A file that is not there is short.
func BoundLog(path string, limit int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() <= limit {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bound log: %w", err)
	}
	kept := keepEnd(path, limit)
	// Even where there was no room for a copy: being short matters more.
	if err := errors.Join(kept, os.Truncate(path, 0)); err != nil {
		return fmt.Errorf("bound log: %w", err)
	}
	return nil
}

// keepEnd copies the last limit bytes of a file to path.1.
func keepEnd(path string, limit int64) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close() // was only read
	if _, err := from.Seek(-limit, io.SeekEnd); err != nil {
		return err
	}
	fresh := path + ".new"
	to, err := os.Create(fresh)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.LimitReader(from, limit))
	if err = errors.Join(err, to.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return os.Rename(fresh, path+".1")
}
