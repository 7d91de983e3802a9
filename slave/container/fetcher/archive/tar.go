package archive

import (
	"archive/tar"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// decompress returns what the tar in file is, with a dictionary of at most so many
// bytes. Done ends it. The other formats have small ones.
func decompress(file *os.File, f Format, dictionary int64) (plain io.Reader, done func(), err error) {
	done = func() {}
	switch f {
	case TarGzip, Gzip:
		plain, err = gzip.NewReader(file)
	case TarBzip2:
		plain = bzip2.NewReader(file)
	case TarXZ:
		// It makes dictionaries as large as blocks ask for, and no less than this.
		plain, err = xz.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(newXZGuard(file, dictionary))
	case TarZstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(max(dictionary, zstd.MinWindowSize))), zstd.WithDecoderLowmem(true))
		if err == nil {
			plain, done = &windowed{z, zstdSize(file), dictionary}, z.Close
		}
	default:
		plain = file
	}
	if err != nil {
		return nil, nil, damaged(err)
	}
	return plain, done, nil
}

// windowed says how large a window is that is too large.
type windowed struct {
	from io.Reader
	size int64
	most int64
}

func (w *windowed) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = &DictionaryError{Size: w.size, Max: w.most}
	}
	return n, err
}

func damaged(err error) error {
	var large *DictionaryError
	if errors.As(err, &large) {
		return large
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("ends too early: it is damaged, or not what its name says")
	}
	return fmt.Errorf("is damaged, or not what its name says: %w", err)
}

func (x *extraction) tar(plain io.Reader) error {
	stream := &metered{x: x, r: plain}
	t := tar.NewReader(stream)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return x.drain(stream)
		}
		if err != nil {
			return x.readFailed(err)
		}
		if err := x.tarEntry(h, t); err != nil {
			return &EntryError{h.Name, err}
		}
	}
}

// readFailed is about what reading the archive gave.
func (x *extraction) readFailed(err error) error {
	if over := x.streamed.spend(0); over != nil {
		return over
	}
	if err := x.ctx.Err(); err != nil {
		return err
	}
	return damaged(err)
}

// drain reads what follows a tar, so that a decompressor has seen its checksum. Other
// things than a compressed stream may follow that, and are nobody's.
func (x *extraction) drain(stream io.Reader) error {
	_, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{stream}, x.buffer)
	if err == nil || errors.Is(err, gzip.ErrHeader) {
		return nil
	}
	return x.readFailed(err)
}

func (x *extraction) tarEntry(h *tar.Header, t *tar.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := x.admit(h.Name)
	if err != nil {
		return err
	}
	mode := h.FileInfo().Mode()
	switch h.Typeflag {
	case tar.TypeDir:
		return x.folder(name, mode)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse, '\x00':
		return x.file(name, mode, h.ModTime, t)
	case tar.TypeSymlink:
		return x.symlink(name, h.Linkname)
	case tar.TypeLink:
		return x.hardLink(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return errors.New("is a device or a pipe, which is not unpacked")
	}
	return fmt.Errorf("is of the type %q, which is not unpacked", h.Typeflag)
}

// single unpacks a file that is no more than compressed.
func (x *extraction) single(file *os.File, name string) error {
	plain, done, err := decompress(file, Gzip, x.bounds.dictionary())
	if err != nil {
		return err
	}
	defer done()
	if name, err = x.admit(name); err != nil {
		return &EntryError{name, err}
	}
	made, err := x.create(name)
	if err != nil {
		return err
	}
	err = x.copy(made, &metered{x: x, r: plain})
	if err == nil {
		err = made.Chmod(fs.FileMode(0o644))
	}
	return errors.Join(err, made.Close())
}
