package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// zipEncrypted is a flag of an entry.
	zipEncrypted = 1
	// maxTarget is how long what a link leads to may be.
	maxTarget = 4096
)

func (x *extraction) zip(file *os.File, size int64) error {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return damaged(err)
	}
	if n := x.bounds.Entries; n > 0 && len(z.File) > n {
		return fmt.Errorf("has more than %d entries", n)
	}
	for _, f := range z.File {
		if err := x.zipEntry(f); err != nil {
			return &EntryError{f.Name, err}
		}
	}
	return nil
}

func (x *extraction) zipEntry(f *zip.File) error {
	name, err := x.admit(f.Name)
	if err != nil {
		return err
	}
	mode := f.Mode()
	if mode.IsDir() {
		return x.folder(name, mode)
	}
	if f.Flags&zipEncrypted != 0 {
		return errors.New("is encrypted, and there is no password for it")
	}
	if !mode.IsRegular() && mode.Type() != fs.ModeSymlink {
		return errors.New("is a device or a pipe, which is not unpacked")
	}
	content, err := f.Open()
	if err != nil {
		return damaged(err)
	}
	defer content.Close() // what it had to say, Read has said
	if mode.Type() == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(content, maxTarget+1))
		if err != nil {
			return damaged(err)
		}
		return x.symlink(name, string(target))
	}
	if mode.Perm() == 0 {
		mode |= 0o644 // made where files have no modes
	}
	return x.file(name, mode, f.Modified, content)
}
