package volumes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"troupe/slave/state"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustNot(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", path, err)
	}
}

func TestPath(t *testing.T) {
	s := Store{WorkDir: "/work"}
	for want, v := range map[string]state.Volume{
		"/work/volumes/roles/a b c/v":  {Role: "a/b/c", ID: "v"},
		"/disk/volumes/roles/r/v":      {Role: "r", ID: "v", Root: "/disk"},
		"/work/disk/volumes/roles/r/v": {Role: "r", ID: "v", Root: "disk"},
		"/mount":                       {Role: "r", ID: "v", Root: "/mount", Whole: true},
	} {
		if got := s.Path(v); got != want {
			t.Errorf("%+v is at %s, want %s", v, got, want)
		}
	}
}

func TestMakeAndRemove(t *testing.T) {
	s := Store{WorkDir: t.TempDir()}
	list := []state.Volume{{Role: "a/b", ID: "v1"}, {Role: "r", ID: "v2", Root: t.TempDir()}}
	for range 2 { // an operation that is resumed does it again
		if err := s.Make(list); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range list {
		write(t, filepath.Join(s.Path(v), "data"), "x")
	}
	if err := s.Make(list); err == nil || !strings.Contains(err.Error(), "has something in it") {
		t.Errorf("data of nobody is given away: %v", err)
	}
	for range 2 {
		if err := s.Remove(list); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range list {
		mustNot(t, s.Path(v))
	}
}

func TestWholeDisk(t *testing.T) {
	s, disk := Store{WorkDir: t.TempDir()}, t.TempDir()
	list := []state.Volume{{Role: "r", ID: "v", Root: disk, Whole: true}}
	if err := os.Mkdir(filepath.Join(disk, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Make(list); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(disk, "data"), "x")
	if err := s.Remove(list); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	list[0].Root = filepath.Join(disk, "gone")
	if s.Make(list) == nil || s.Remove(list) == nil {
		t.Error("a disk that is not there was taken for one")
	}
}

// TestAllOrNone: the volumes before one that cannot be are not kept.
func TestAllOrNone(t *testing.T) {
	s := Store{WorkDir: t.TempDir()}
	good, bad := state.Volume{Role: "r", ID: "v"}, state.Volume{Role: "r", ID: "w", Root: "gone"}
	if err := s.Make([]state.Volume{good, bad}); err == nil || !strings.HasPrefix(err.Error(), `make volume "w" of role "r": `) {
		t.Errorf("error is %v", err)
	}
	mustNot(t, s.Path(good))
}

// TestLinksInTheWay: nothing is made, shown or removed through a symbolic link.
func TestLinksInTheWay(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "keep"), "x")
	for _, at := range []string{"volumes", "volumes/roles", "volumes/roles/r", "volumes/roles/r/v"} {
		s := Store{WorkDir: t.TempDir()}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.WorkDir, at)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(s.WorkDir, at)); err != nil {
			t.Fatal(err)
		}
		v := state.Volume{Role: "r", ID: "v"}
		if s.Make([]state.Volume{v}) == nil || s.Remove([]state.Volume{v}) == nil ||
			s.Link(t.TempDir(), []state.VolumeLink{{Volume: v, At: "data"}}) == nil {
			t.Errorf("a link at %s was followed", at)
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
			t.Errorf("%v is outside, %v", left, err)
		}
	}
}

func TestBadNames(t *testing.T) {
	s := Store{WorkDir: t.TempDir()}
	for _, v := range []state.Volume{{Role: "r", ID: ".."}, {Role: "r", ID: "a/b"}, {Role: "..", ID: "v"}, {Role: "", ID: "v"}, {Role: "r"}} {
		if s.Make([]state.Volume{v}) == nil || s.Remove([]state.Volume{v}) == nil {
			t.Errorf("%+v was taken", v)
		}
	}
}

func TestLink(t *testing.T) {
	s, sandbox := Store{WorkDir: t.TempDir()}, t.TempDir()
	v := state.Volume{Role: "r", ID: "v"}
	links := []state.VolumeLink{{Volume: v, At: "a/data", User: strconv.Itoa(os.Getuid())}}
	if err := s.Link(sandbox, links); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a volume that is gone: %v", err)
	}
	if err := s.Make([]state.Volume{v}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Link(sandbox, links); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(sandbox, "a/data/file"), "x")
	if got, err := os.ReadFile(filepath.Join(s.Path(v), "file")); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	write(t, filepath.Join(sandbox, "taken"), "x")
	links[0].At = "taken"
	if err := s.Link(sandbox, links); err == nil || !strings.Contains(err.Error(), `link volume "v" of role "r" at taken: `) {
		t.Errorf("error is %v", err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(sandbox, "out")); err != nil {
		t.Fatal(err)
	}
	links[0].At = "out/data"
	if err := s.Link(sandbox, links); err == nil {
		t.Error("a link was made outside of the sandbox")
	}
	links[0].At = "" // it is given to its user, and mounted elsewhere
	before, err := os.ReadDir(sandbox)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Link(sandbox, links); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadDir(sandbox); err != nil || len(after) != len(before) {
		t.Errorf("%v, %v; want %v", after, err, before)
	}
	links[0].At, links[0].User = "b", "nobody-of-that-name"
	if err := s.Link(sandbox, links); err == nil || !strings.Contains(err.Error(), "nobody-of-that-name") {
		t.Errorf("error is %v", err)
	}
}

// FuzzStore: whatever a volume is called, nothing outside of its disk changes.
func FuzzStore(f *testing.F) {
	for _, seed := range [][3]string{{"r", "v", "data"}, {"../..", "v", "x"}, {"r", "..", "../x"}, {"a/b", "v\x00", "/x"}, {" ", ".", ""}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, role, id, at string) {
		top := t.TempDir()
		s, sandbox := Store{WorkDir: filepath.Join(top, "work")}, filepath.Join(top, "sandbox")
		for _, dir := range []string{s.WorkDir, sandbox} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		v := state.Volume{Role: role, ID: id}
		made := s.Make([]state.Volume{v})
		if made == nil {
			if err := s.Link(sandbox, []state.VolumeLink{{Volume: v, At: at}}); err == nil && at != "" && !filepath.IsLocal(at) { // "" is mounted
				t.Errorf("%q was linked", at)
			}
		}
		if removed := s.Remove([]state.Volume{v}); (removed == nil) != (made == nil) {
			t.Errorf("made: %v, removed: %v", made, removed)
		}
		if left, err := os.ReadDir(top); err != nil || len(left) != 2 {
			t.Errorf("%v is there, %v", left, err)
		}
	})
}
