package fetcher

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// put moves a staged file to its place, and makes the folders that it is in.
func (j *job) put(from, to string) error {
	if err := j.root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return fmt.Errorf("making the folder of %q in the sandbox: %w", to, explainWrite(err))
	}
	if info, err := j.root.Lstat(to); err == nil && info.IsDir() {
		return fmt.Errorf("%q is a folder in the sandbox already: set output_file", to)
	}
	if err := j.root.Rename(from, to); err != nil {
		return fmt.Errorf("putting %q into the sandbox: %w", to, explainWrite(err))
	}
	return nil
}

// merge moves what is in the folder from into the folder to. Folders that are there
// take in what comes; files are replaced.
func (j *job) merge(from, to string) error {
	folder, err := j.root.Open(from)
	if err != nil {
		return err
	}
	entries, err := folder.ReadDir(-1)
	if err = errors.Join(err, folder.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		if err := j.mergeEntry(path.Join(from, e.Name()), path.Join(to, e.Name()), e); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) mergeEntry(from, to string, e fs.DirEntry) error {
	if to == staging {
		return fmt.Errorf("the archive has an entry %q, a name that is taken while things are fetched", to)
	}
	there, err := j.root.Stat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil && e.IsDir():
		return fmt.Errorf("extracting %q into the sandbox: %w", to, err)
	case err == nil && e.IsDir() && there.IsDir():
		return j.merge(from, to)
	case e.IsDir():
		return fmt.Errorf("the archive has a folder %q, which is a file in the sandbox", to)
	}
	return j.put(from, to)
}
