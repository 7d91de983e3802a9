package fetcher

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// packed is a file with an archive that has files of these names.
func packed(t *testing.T, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.tgz")
	if err := os.WriteFile(path, archiveOf(t, names...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInOrder: later URIs find what earlier ones have brought, and replace it.
func TestInOrder(t *testing.T) {
	s := site(t)
	sandbox := t.TempDir()
	write(t, filepath.Join(sandbox, "stdout"), "", 0o644)
	o := Order{Sandbox: sandbox, URIs: []URI{
		{Value: packed(t, "conf/a", "conf/deep/b", "file"), Extract: true},
		{Value: packed(t, "conf/c", "conf/deep/b", "conf/deep/d"), Extract: true, OutputFile: "second.tgz"},
		{Value: s.URL + "/file"},
		{Value: s.URL + "/file", OutputFile: "conf/a"},
	}}
	if log, err := try(t, o); err != nil {
		t.Fatalf("%v; %s", err, log)
	}
	want := "map[conf/a:-rw-r--r-- conf/c:-rwxr-xr-x conf/deep/b:-rwxr-xr-x conf/deep/d:-rwxr-xr-x file:-rw-r--r-- second.tgz:-rw------- stdout:-rw-r--r-- x.tgz:-rw-------]"
	if got := fmt.Sprint(modes(t, sandbox)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := read(t, filepath.Join(sandbox, "conf/a")); got != content {
		t.Errorf("the later one is not there: %q", got)
	}
}

// TestSandboxOfAnother: a sandbox that others have written to leads nothing astray.
func TestSandboxOfAnother(t *testing.T) {
	s := site(t)
	for _, test := range []struct {
		name string
		make func(sandbox, outside string) error
		uri  URI
		want string // in the error; empty if there is none
	}{
		{"a link where the file goes", func(sandbox, outside string) error {
			return os.Symlink(filepath.Join(outside, "file"), filepath.Join(sandbox, "file"))
		}, URI{Value: s.URL + "/file"}, ""},
		{"a folder that is a link", func(sandbox, outside string) error { return os.Symlink(outside, filepath.Join(sandbox, "d")) }, URI{Value: s.URL + "/file", OutputFile: "d/file"}, `folder of "d/file"`},
		{"a link where a folder of the archive goes", func(sandbox, outside string) error { return os.Symlink(outside, filepath.Join(sandbox, "bin")) }, URI{Value: s.URL + "/app.tgz", Extract: true}, `extracting "bin"`},
		{"a link to a folder inside", func(sandbox, _ string) error {
			return os.Symlink("real", filepath.Join(mkdir(t, sandbox, "real"), "bin"))
		}, URI{Value: s.URL + "/app.tgz", Extract: true}, ""},
		{"a file where a folder of the archive goes", func(sandbox, _ string) error { return os.WriteFile(filepath.Join(sandbox, "bin"), nil, 0o600) }, URI{Value: s.URL + "/app.tgz", Extract: true}, `a folder "bin", which is a file`},
		{"a folder where the file goes", func(sandbox, _ string) error { return os.Mkdir(filepath.Join(sandbox, "file"), 0o700) }, URI{Value: s.URL + "/file"}, `"file" is a folder in the sandbox already`},
		{"the folder for what is on its way", func(sandbox, outside string) error { return os.Symlink(outside, filepath.Join(sandbox, staging)) }, URI{Value: s.URL + "/file"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			sandbox, outside := t.TempDir(), t.TempDir()
			write(t, filepath.Join(outside, "file"), "safe", 0o644)
			if err := test.make(sandbox, outside); err != nil {
				t.Fatal(err)
			}
			_, err := try(t, Order{Sandbox: sandbox, URIs: []URI{test.uri}})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if got := fmt.Sprint(modes(t, outside)); got != "map[file:-rw-r--r--]" || read(t, filepath.Join(outside, "file")) != "safe" {
				t.Errorf("outside there is %s", got)
			}
		})
	}
}

// mkdir makes a folder, and returns the one it is in.
func mkdir(t *testing.T, in, name string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(in, name), 0o700); err != nil {
		t.Fatal(err)
	}
	return in
}

// TestFullDisk: there is no room for a download of which nobody said how long it is.
func TestFullDisk(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return // as the other end was cut off
			}
		}
	}))
	defer s.Close()
	sandbox := t.TempDir()
	// What is mounted is seen by this thread alone, and goes with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", sandbox, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(sandbox, 0); err != nil {
			t.Error(err)
		}
	})
	_, err := try(t, Order{Sandbox: sandbox, URIs: []URI{{Value: s.URL + "/file"}}})
	if err == nil || !strings.Contains(err.Error(), s.URL+"/file: the sandbox's disk is full") {
		t.Errorf("got %v", err)
	}
}

// TestDictionary: an archive that wants more memory than the agent allows says so.
func TestDictionary(t *testing.T) {
	c := exec.CommandContext(t.Context(), "xz", "-9")
	c.Stdin = bytes.NewReader(make([]byte, 10<<10))
	packed, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.txz")
	write(t, path, string(packed), 0o644)
	o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: path, Extract: true}}, Settings: Settings{MaxDictionary: 1 << 20}}
	_, err = try(t, o)
	if err == nil || !strings.Contains(err.Error(), "the archive is not extracted: it needs a dictionary of 67108864 bytes") || !strings.Contains(err.Error(), "--fetcher_max_dictionary_size allows 1048576") {
		t.Errorf("got %v", err)
	}
}

// TestBombInASandbox: an archive that becomes more than the agent allows is refused,
// and leaves nothing.
func TestBombInASandbox(t *testing.T) {
	sandbox := t.TempDir()
	o := Order{Sandbox: sandbox, URIs: []URI{{Value: packed(t, "a", "b", strings.Repeat("c", 200)), Extract: true}}, Settings: Settings{MaxExtracted: 2000}}
	_, err := try(t, o)
	if err == nil || !strings.Contains(err.Error(), "the archive is not extracted: it holds more than the 2000 bytes") {
		t.Errorf("got %v", err)
	}
	if got := modes(t, sandbox); len(got) > 0 {
		t.Errorf("it leaves %v", got)
	}
}
