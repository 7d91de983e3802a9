package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// entry is one of an archive that a test makes.
type entry struct {
	name, link, content string
	kind                byte // as tar has it; 0: a file
	mode                int64
}

func (e entry) header() *tar.Header {
	h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode, Size: int64(len(e.content))}
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
	}
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	return h
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(e.header()); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		info := e.header().FileInfo()
		h, err := zip.FileInfoHeader(info)
		if err != nil {
			t.Fatal(err)
		}
		h.Name, h.Method = e.name, zip.Deflate
		content := e.content
		if e.kind == tar.TypeSymlink {
			content = e.link
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// through is content as a program of the machine packs it.
func through(t testing.TB, content []byte, program string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Stdin = bytes.NewReader(content)
	packed, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// extract unpacks an archive below a folder beside which something is that nobody
// may touch, and returns what it made.
func extract(t testing.TB, name string, archive []byte, b Bounds) (map[string]string, error) {
	t.Helper()
	top := t.TempDir()
	path, outside, inside := filepath.Join(top, "archive"), filepath.Join(top, "outside"), filepath.Join(top, "inside")
	if err := errors.Join(os.WriteFile(path, archive, 0o600), os.WriteFile(outside, []byte("safe"), 0o600), os.Mkdir(inside, 0o755)); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = Extract(t.Context(), file, name, root, b)
	if got, rerr := os.ReadFile(outside); string(got) != "safe" || rerr != nil {
		t.Errorf("what is outside became %q, %v", got, rerr)
	}
	if entries, rerr := os.ReadDir(top); len(entries) != 3 || rerr != nil {
		t.Errorf("outside there is %v, %v", entries, rerr)
	}
	return listing(t, inside), err
}

// listing is what is below a folder: of each the mode, and what it has.
func listing(t testing.TB, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text = "link " + target
		}
		all[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var app = []entry{
	{name: "./", kind: tar.TypeDir, mode: 0o777},
	{name: "./bin/", kind: tar.TypeDir, mode: 0o555},
	{name: "./bin/run", mode: 0o755, content: "program"},
	{name: "deep/er/file", mode: 0o400, content: "file"},
	{name: "current", kind: tar.TypeSymlink, link: "bin/run", mode: 0o777},
	{name: "deep/up", kind: tar.TypeSymlink, link: "../bin", mode: 0o777},
}

const appListing = "map[bin:drwxr-xr-x bin/run:-rwxr-xr-x program current:link bin/run deep:drwxr-xr-x deep/er:drwxr-xr-x deep/er/file:-r-------- file deep/up:link ../bin]"

func TestFormats(t *testing.T) {
	plain := tarOf(t, app...)
	for name, packed := range map[string][]byte{
		"app.tar": plain, "app.tgz": gzipOf(t, plain), "app.tar.gz": gzipOf(t, plain),
		"app.tbz2": through(t, plain, "bzip2"), "app.tar.bz2": through(t, plain, "bzip2"),
		"app.txz": through(t, plain, "xz"), "app.tar.xz": through(t, plain, "xz"),
		"app.tzst": through(t, plain, "zstd"), "app.tar.zst": through(t, plain, "zstd"),
		"app.zip": zipOf(t, app[1:]...),
	} {
		got, err := extract(t, name, packed, Bounds{Bytes: 1 << 20, Entries: 10, Ratio: 1000, Slack: 1 << 20, Free: 1})
		if err != nil || fmt.Sprint(got) != appListing {
			t.Errorf("%s: %v; got %v, want %s", name, err, got, appListing)
		}
		if strings.HasSuffix(name, "zip") || strings.HasSuffix(name, ".tar") {
			continue
		}
		for _, n := range []int{0, 1, 10, len(packed) / 2, len(packed) - 1} {
			if _, err := extract(t, name, packed[:n], Bounds{}); err == nil {
				t.Errorf("%s: %d bytes of %d are enough", name, n, len(packed))
			}
		}
	}
	got, err := extract(t, "file.txt.gz", gzipOf(t, []byte("text")), Bounds{})
	if err != nil || fmt.Sprint(got) != "map[file.txt:-rw-r--r-- text]" {
		t.Errorf("a file: %v; got %v", err, got)
	}
	for name, want := range map[string]Format{
		"x": None, "x.bz2": None, "x.zst": None, ".tar": None, ".gz": None, "x.TGZ": None, "x.jar": None, "x.gz": Gzip, "a.tar.gz": TarGzip,
	} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s: format %d, want %d", name, got, want)
		}
	}
	if _, err := extract(t, "x", plain, Bounds{}); err == nil {
		t.Error("what is not called an archive is one")
	}
}

// TestOrdinaryOddities are archives that are odd, and mean no harm.
func TestOrdinaryOddities(t *testing.T) {
	for name, test := range map[string]struct {
		entries []entry
		want    string
	}{
		"a file twice":            {[]entry{{name: "a", content: "1"}, {name: "a", content: "2"}}, "map[a:-rw-r--r-- 2]"},
		"a file, then a link":     {[]entry{{name: "a", content: "1"}, {name: "a", kind: tar.TypeSymlink, link: "b"}}, "map[a:link b]"},
		"a link, then a file":     {[]entry{{name: "b", content: "b"}, {name: "a", kind: tar.TypeSymlink, link: "b"}, {name: "a", content: "a"}}, "map[a:-rw-r--r-- a b:-rw-r--r-- b]"},
		"a hard link":             {[]entry{{name: "a", content: "1", mode: 0o755}, {name: "d/b", kind: tar.TypeLink, link: "a"}}, "map[a:-rwxr-xr-x 1 d:drwxr-xr-x d/b:-rwxr-xr-x 1]"},
		"a hard link to itself":   {[]entry{{name: "a", content: "1"}, {name: "a", kind: tar.TypeLink, link: "./a"}}, "map[a:-rw-r--r-- 1]"},
		"through a link":          {[]entry{{name: "lib64/", kind: tar.TypeDir, mode: 0o755}, {name: "lib", kind: tar.TypeSymlink, link: "lib64"}, {name: "lib/a", content: "1"}}, "map[lib:link lib64 lib64:drwxr-xr-x lib64/a:-rw-r--r-- 1]"},
		"a folder that is a link": {[]entry{{name: "lib64/", kind: tar.TypeDir, mode: 0o755}, {name: "lib", kind: tar.TypeSymlink, link: "lib64"}, {name: "lib/", kind: tar.TypeDir, mode: 0o700}}, "map[lib:link lib64 lib64:drwxr-xr-x]"},
		"links in a circle":       {[]entry{{name: "a", kind: tar.TypeSymlink, link: "b"}, {name: "b", kind: tar.TypeSymlink, link: "a"}}, "map[a:link b b:link a]"},
		"a link to nothing":       {[]entry{{name: "a", kind: tar.TypeSymlink, link: "x/y/z"}}, "map[a:link x/y/z]"},
		"a folder of set-gid":     {[]entry{{name: "a/", kind: tar.TypeDir, mode: 0o2775}}, "map[a:drwxrwxr-x]"},
		"a closed folder":         {[]entry{{name: "a/", kind: tar.TypeDir, mode: 0o1}, {name: "a/b", content: "1"}}, "map[a:drwx-----x a/b:-rw-r--r-- 1]"},
		"nothing":                 {nil, "map[]"},
	} {
		got, err := extract(t, "x.tar", tarOf(t, test.entries...), Bounds{})
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("%s: %v; got %v, want %s", name, err, got, test.want)
		}
	}
}

func TestRefused(t *testing.T) {
	link := func(name, to string) entry { return entry{name: name, kind: tar.TypeSymlink, link: to, mode: 0o777} }
	for _, test := range []struct {
		what    string
		entries []entry
		want    string
		inZip   bool // the same is tried with a zip
	}{
		{"absolute", []entry{{name: "/etc/passwd"}}, `"/etc/passwd" leads out of the sandbox`, true},
		{"above", []entry{{name: "../outside"}}, `"../outside" leads out`, true},
		{"above in the middle", []entry{{name: "a/../../outside"}}, "leads out", true},
		{"dots that stay inside", []entry{{name: "a/../b"}}, "leads out", true},
		{"a link that is absolute", []entry{link("a", "/etc/passwd")}, `"a" is a link to "/etc/passwd", which leads out`, true},
		{"a link above", []entry{link("a", "../outside")}, "leads out", true},
		{"a deep link above", []entry{link("d/a", "../../outside")}, "leads out", true},
		{"a file through a link above", []entry{link("a", ".."), {name: "a/outside", content: "x"}}, "leads out", true},
		{"links that lead out together", []entry{link("a/x", ".."), link("y", "a/x/../outside")}, `"y" leads out`, true},
		{"a long link", []entry{link("a", strings.Repeat("b/", 2100))}, "is a link to nothing", true},
		{"a hard link above", []entry{{name: "a", kind: tar.TypeLink, link: "../outside"}}, "leads out", false},
		{"an absolute hard link", []entry{{name: "a", kind: tar.TypeLink, link: "/etc/passwd"}}, "leads out", false},
		{"a hard link to a link", []entry{link("a", "b"), {name: "c", kind: tar.TypeLink, link: "a"}}, "no file before it", false},
		{"a hard link to nothing", []entry{{name: "a", kind: tar.TypeLink, link: "b"}}, "no file before it", false},
		{"a device", []entry{{name: "a", kind: tar.TypeChar}}, "is a device or a pipe", true},
		{"a disk", []entry{{name: "a", kind: tar.TypeBlock}}, "is a device or a pipe", true},
		{"a pipe", []entry{{name: "a", kind: tar.TypeFifo}}, "is a device or a pipe", true},
		{"set-uid", []entry{{name: "a", mode: 0o4755}}, `"a" is set-uid or set-gid`, true},
		{"set-gid", []entry{{name: "a", mode: 0o2755}}, "is set-uid or set-gid", true},
		{"a file that is a folder", []entry{{name: "a/b"}, {name: "a"}}, `"a" is a folder elsewhere`, true},
		{"a folder that is a file", []entry{{name: "a"}, {name: "a/b"}}, `"a/b" cannot be written: file exists`, true},
		{"the folder itself", []entry{{name: "."}}, "is the folder itself", false},
		{"an unknown type", []entry{{name: "a", kind: 'Z'}}, "is of the type 'Z'", false},
		{"a name that is too long", []entry{{name: strings.Repeat("x", 300)}}, "file name too long", true},
		{"too many", []entry{{name: "a"}, {name: "b"}, {name: "c"}, {name: "d"}, {name: "e"}, {name: "f"}}, "has more than 5 entries", true},
		{"too large", []entry{{name: "a", content: strings.Repeat("x", 600_000)}, {name: "b", content: strings.Repeat("x", 600_000)}}, "1000000 bytes that an archive may become", true},
	} {
		packs := map[string][]byte{"x.tar": tarOf(t, test.entries...)}
		if test.inZip {
			packs["x.zip"] = zipOf(t, test.entries...)
		}
		for name, packed := range packs {
			_, err := extract(t, name, packed, Bounds{Bytes: 1_000_000, Entries: 5})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: got %v, want %q", test.what, name, err, test.want)
			}
		}
	}
}

// TestBombs are small and become large.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 8<<20)
	large := entry{name: "zeros", content: string(zeros)}
	// A hole of 8 GB, of which the archive has nothing.
	sparse := tarOf(t, entry{name: "sparse"})
	copy(sparse[156:], "S")
	copy(sparse[257:], "ustar  \x00")
	copy(sparse[386:], "77777777777\x0000000000000\x00") // where its only piece is
	copy(sparse[483:], "77777777777\x00")                // its size
	var sum int
	copy(sparse[148:156], "        ")
	for _, c := range sparse[:512] {
		sum += int(c)
	}
	copy(sparse[148:], fmt.Sprintf("%06o\x00 ", sum))
	bounds := Bounds{Ratio: 100, Slack: 2 << 20}
	for name, packed := range map[string][]byte{
		"x.tgz": gzipOf(t, tarOf(t, large)), "x.zip": zipOf(t, large), "x.gz": gzipOf(t, zeros),
		"x.tar.zst": through(t, tarOf(t, large), "zstd"), "x.tar.xz": through(t, tarOf(t, large), "xz", "-1"), "x.tar.bz2": through(t, tarOf(t, large), "bzip2"),
		"hole.tar": sparse,
		// Nothing is in it, and much behind it.
		"trailing.tgz": gzipOf(t, append(tarOf(t), zeros...)),
	} {
		got, err := extract(t, name, packed, bounds)
		if err == nil || !strings.Contains(err.Error(), "more than 100 times as much") {
			t.Errorf("%s: got %v", name, err)
		}
		for file, text := range got {
			if len(text) > 3<<20 {
				t.Errorf("%s: %s has %d bytes", name, file, len(text))
			}
		}
	}
	if _, err := extract(t, "x.tgz", gzipOf(t, tarOf(t, large)), Bounds{Ratio: 100, Slack: 100 << 20}); err != nil {
		t.Errorf("within slack: %v", err)
	}
	if _, err := extract(t, "x.tgz", gzipOf(t, tarOf(t, large)), Bounds{Free: 1 << 60}); err == nil || !strings.Contains(err.Error(), "free on the sandbox's disk") {
		t.Errorf("a disk that is rather full: %v", err)
	}
}

// TestZipLinks are those that only a zip can have.
func TestZipLinks(t *testing.T) {
	for _, target := range []string{"", "b\x00c"} {
		_, err := extract(t, "x.zip", zipOf(t, entry{name: "a", kind: tar.TypeSymlink, link: target, mode: 0o777}), Bounds{})
		if err == nil || !strings.Contains(err.Error(), "is a link to nothing") {
			t.Errorf("to %q: got %v", target, err)
		}
	}
}

func TestEncryptedZip(t *testing.T) {
	packed := zipOf(t, entry{name: "a", content: "1"})
	for _, signature := range []struct {
		text  string
		flags int
	}{{"PK\x03\x04", 6}, {"PK\x01\x02", 8}} {
		packed[bytes.Index(packed, []byte(signature.text))+signature.flags] |= zipEncrypted
	}
	if _, err := extract(t, "x.zip", packed, Bounds{}); err == nil || !strings.Contains(err.Error(), `"a" is encrypted`) {
		t.Errorf("got %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(tarOf(t, app...)); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := Extract(ctx, file, "x.tar", root, Bounds{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestFullDisk extracts onto a disk that is too small for it.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	// What is mounted is seen by this thread alone, and goes with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(tarOf(t, entry{name: "a", content: strings.Repeat("x", 2<<20)})); err != nil {
		t.Fatal(err)
	}
	if err := Extract(t.Context(), file, "x.tar", root, Bounds{}); err == nil || !strings.Contains(err.Error(), `"a" found no room on the sandbox's disk`) {
		t.Errorf("got %v", err)
	}
}

// FuzzExtract: whatever an archive is, nothing is written outside, and no more
// than is allowed.
func FuzzExtract(f *testing.F) {
	names := []string{"x.tar", "x.tgz", "x.tbz2", "x.txz", "x.tzst", "x.zip", "x.gz"}
	hostile := tarOf(f, entry{name: "a", kind: tar.TypeSymlink, link: "."}, entry{name: "a/b", kind: tar.TypeSymlink, link: "a"}, entry{name: "a/b/c", content: "x"})
	f.Add(0, tarOf(f, app...))
	f.Add(0, hostile)
	f.Add(1, gzipOf(f, hostile))
	f.Add(2, through(f, hostile, "bzip2"))
	f.Add(3, through(f, hostile, "xz"))
	f.Add(4, through(f, hostile, "zstd"))
	f.Add(5, zipOf(f, app[1:]...))
	f.Add(6, gzipOf(f, hostile))
	f.Fuzz(func(t *testing.T, format int, packed []byte) {
		if format < 0 || format >= len(names) {
			return
		}
		got, err := extract(t, names[format], packed, Bounds{Bytes: 1 << 20, Entries: 100})
		total := 0
		for name, text := range got {
			if target, ok := strings.CutPrefix(text, "link "); ok && err == nil && strings.HasPrefix(target, "/") {
				t.Errorf("%q is a link to %q", name, target)
			}
			total += len(text)
		}
		if total > 2<<20 || len(got) > 10_000 {
			t.Errorf("%d files of %d bytes", len(got), total)
		}
	})
}
