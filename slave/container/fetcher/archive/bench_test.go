package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkExtract unpacks 500 files of 16 KB.
func BenchmarkExtract(b *testing.B) {
	var entries []entry
	for i := range 500 {
		entries = append(entries, entry{name: fmt.Sprintf("d%d/file%d", i%20, i), content: strings.Repeat("some text, and more of it\n", 640)})
	}
	plain := tarOf(b, entries...)
	for _, kind := range []struct {
		name   string
		packed []byte
	}{
		{"x.tar", plain},
		{"x.tgz", gzipOf(b, plain)},
		{"x.tzst", through(b, plain, "zstd")},
		{"x.txz", through(b, plain, "xz")},
		{"x.zip", zipOf(b, entries...)},
	} {
		b.Run(kind.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "archive")
			if err := os.WriteFile(path, kind.packed, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				unpackOnce(b, path, kind.name)
			}
		})
	}
}

func unpackOnce(b *testing.B, path, name string) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	folder, err := os.MkdirTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	if err := Extract(b.Context(), file, name, root, Bounds{Bytes: 1 << 30, Entries: 1000, Ratio: 1000, Slack: 1 << 30, Free: 1}); err != nil {
		b.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		b.Fatal(err)
	}
}
