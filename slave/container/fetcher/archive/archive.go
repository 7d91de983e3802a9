// Package archive unpacks archives of which nothing is known, least of all that
// they mean well: whatever is in one, nothing is written outside of the folder it
// is unpacked into, and no more than was allowed. Only package fetcher imports it.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Format is how an archive is made.
type Format int

// The formats.
const (
	// None is no archive.
	None Format = iota
	Tar
	TarGzip
	TarBzip2
	TarXZ
	TarZstd
	Zip
	// Gzip is a single file, which loses its ".gz".
	Gzip
)

// endings are tried in this order.
var endings = []struct {
	ending string
	format Format
}{
	{".tar", Tar},
	{".tar.gz", TarGzip},
	{".tgz", TarGzip},
	{".tar.bz2", TarBzip2},
	{".tbz2", TarBzip2},
	{".tar.xz", TarXZ},
	{".txz", TarXZ},
	{".tar.zst", TarZstd},
	{".tzst", TarZstd},
	{".zip", Zip},
	{".gz", Gzip},
}

// FormatOf tells by the name of a file what archive it is.
func FormatOf(name string) Format {
	for _, e := range endings {
		if len(name) > len(e.ending) && strings.HasSuffix(name, e.ending) {
			return e.format
		}
	}
	return None
}

// Bounds are what an archive may become. Zero does not bound.
type Bounds struct {
	// Bytes of all its files.
	Bytes int64
	// Entries of files, folders and links.
	Entries int
	// Ratio is how many times its own size it may become, where that is more than
	// Slack bytes.
	Ratio, Slack int64
	// Free is how many bytes are left free on the disk.
	Free uint64
	// Dictionary is how many bytes of what was unpacked last a decompressor may keep in
	// memory, as xz and zstd do. Beyond it there is a DictionaryError.
	Dictionary int64
}

// dictionary is the bound, or what no decompressor asks for.
func (b Bounds) dictionary() int64 {
	if b.Dictionary <= 0 {
		return 1 << 40
	}
	return b.Dictionary
}

// EntryError tells which entry of an archive is wrong. Its text names it.
type EntryError struct {
	Entry string
	Err   error
}

func (e *EntryError) Error() string { return fmt.Sprintf("its entry %q %v", e.Entry, e.Err) }

func (e *EntryError) Unwrap() error { return e.Err }

// Extract unpacks file, which is called name, into a folder that is empty. What an
// attempt leaves that fails is the caller's to remove.
func Extract(ctx context.Context, file *os.File, name string, into *os.Root, b Bounds) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	x := &extraction{
		ctx: ctx, into: into, bounds: b, buffer: make([]byte, 128<<10), unprobed: probeEvery,
		streamed: budget{bounds: b, of: info.Size()}, written: budget{bounds: b, of: info.Size()},
	}
	if info.Size() == 0 {
		return errors.New("is empty")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := x.extract(file, info.Size(), FormatOf(name), name); err != nil {
		return err
	}
	return x.checkLinks()
}

// extraction is one that is under way.
type extraction struct {
	ctx    context.Context
	into   *os.Root
	bounds Bounds
	buffer []byte
	// What has come out of the decompressor, and what was written: a sparse file is
	// much in the second and nothing in the first, an endless header the other way
	// round.
	streamed, written budget
	unprobed          int64 // bytes written since the disk was looked at
	entries           int
	links             []string
}

func (x *extraction) extract(file *os.File, size int64, f Format, name string) error {
	switch f {
	case Zip:
		return x.zip(file, size)
	case Gzip:
		return x.single(file, strings.TrimSuffix(path.Base(name), ".gz"))
	case None:
		return fmt.Errorf("%q is not called as an archive that can be extracted is", name)
	}
	plain, done, err := decompress(file, f, x.bounds.dictionary())
	if err != nil {
		return err
	}
	defer done()
	return x.tar(plain)
}

// enter counts an entry.
func (x *extraction) enter() error {
	if x.entries++; x.bounds.Entries > 0 && x.entries > x.bounds.Entries {
		return fmt.Errorf("has more than %d entries", x.bounds.Entries)
	}
	return x.ctx.Err()
}
