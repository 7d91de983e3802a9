package hostpath

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

func shown(path, at string, mode mesos.Volume_Mode) *mesos.Volume {
	return &mesos.Volume{
		ContainerPath: &at, Mode: mode.Enum(),
		Source: &mesos.Volume_Source{Type: mesos.Volume_Source_HOST_PATH.Enum(), HostPath: &mesos.Volume_Source_HostPath{Path: &path}},
	}
}

func propagating(v *mesos.Volume, mode mesos.MountPropagation_Mode) *mesos.Volume {
	v.Source.HostPath.MountPropagation = &mesos.MountPropagation{Mode: mode.Enum()}
	return v
}

func prepare(t *testing.T, s Settings, volumes ...*mesos.Volume) (string, *plan.Plan, error) {
	t.Helper()
	i, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	sandbox, p := t.TempDir(), &plan.Plan{}
	c := &isolator.Container{Sandbox: sandbox, Info: &mesos.ContainerInfo{Volumes: volumes}}
	return sandbox, p, i.Prepare(context.Background(), c, p)
}

// host is a folder of the machine with a file, and a link to the folder.
func host(t *testing.T) (folder, link string) {
	t.Helper()
	dir := t.TempDir()
	folder, link = filepath.Join(dir, "data"), filepath.Join(dir, "link")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("data"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("data", link); err != nil {
		t.Fatal(err)
	}
	return folder, link
}

func TestContainersSeeTheMachinesPaths(t *testing.T) {
	folder, link := host(t)
	elsewhere, old, at := t.TempDir(), folder, "old"
	sandbox, p, err := prepare(
		t, Settings{}, shown(folder, "rw", mesos.Volume_RW), shown(link, "sub/ro", mesos.Volume_RO), shown(folder+"/file", "file", mesos.Volume_RO),
		shown(folder, elsewhere, mesos.Volume_RW), shown("/dev/null", "null", mesos.Volume_RW), &mesos.Volume{HostPath: &old, ContainerPath: &at, Mode: mesos.Volume_RW.Enum()},
	)
	if err != nil {
		t.Fatal(err)
	}
	script := "cd " + sandbox + "; cat rw/file sub/ro/file file " + elsewhere + "/file old/file; echo; echo x > sub/ro/x || echo refused; echo x > file || echo refused; echo x > rw/x; echo x > null; stat -c %F null"
	if r := isolatortest.Shell(t, p, 0, script); r.Stdout != "datadatadatadatadata\nrefused\nrefused\ncharacter special file\n" {
		t.Errorf("the container sees %+v", r)
	}
	if text, err := os.ReadFile(folder + "/x"); err != nil || string(text) != "x\n" {
		t.Errorf("what the container wrote is %q, %v", text, err)
	}
	if r := isolatortest.Shell(t, &plan.Plan{}, 0, "cat "+sandbox+"/rw/file "+elsewhere+"/file"); r.Code == 0 {
		t.Errorf("without the isolator's plan a program sees %+v", r)
	}
}

func TestMissingPaths(t *testing.T) {
	dir := t.TempDir()
	creatable := filepath.Join(dir, "made", "here")
	outside := filepath.Join(dir, "outside")
	if err := os.MkdirAll(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	s := Settings{ForceCreation: "/does/not/matter:" + creatable}
	if _, p, err := prepare(t, s, shown(creatable+"/a/b", "x", mesos.Volume_RW), shown(creatable, "y", mesos.Volume_RW)); err != nil || p.Mounts[0].Source != creatable+"/a/b" {
		t.Errorf("planned %+v, %v", p, err)
	}
	if err := os.Symlink(outside, filepath.Join(creatable, "link")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		s    Settings
		path string
		word string
	}{
		"no folder to make any": {path: creatable + "/c", word: "could name folders"},
		"in another":            {s: s, path: dir + "/other", word: "is not within --host_path_volume_force_creation"},
		"beside":                {s: s, path: creatable + "2", word: "is not within"},
		"out by name":           {s: s, path: creatable + "/../../other", word: "is not within"},
		"out by a link":         {s: s, path: creatable + "/link/new", word: "escapes"},
		"relative":              {s: s, path: "data", word: "absolute"},
		"below a file":          {path: "/etc/passwd/x", word: "not a directory"},
	} {
		_, p, err := prepare(t, c.s, shown(c.path, "x", mesos.Volume_RW))
		if err == nil || !strings.Contains(err.Error(), "container.volumes[0].source.host_path.path") || !strings.Contains(err.Error(), c.word) || len(p.Mounts) > 0 {
			t.Errorf("%s: error %v, want %q", name, err, c.word)
		}
	}
	if _, err := os.Lstat(outside + "/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made outside: %v", err)
	}
	if _, err := New(Settings{ForceCreation: "/a:b"}); err == nil || !strings.Contains(err.Error(), "--host_path_volume_force_creation") {
		t.Errorf("a relative folder: %v", err)
	}
}

// machine is a tmpfs in the mount namespace of this test program alone.
func machine(t *testing.T, propagation uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mount("", dir, "", propagation, ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data", "a b"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What a container mounts in such a volume appears on the machine, and in no
// other.
func TestPropagation(t *testing.T) {
	dir := machine(t, unix.MS_SHARED)
	for _, mode := range []mesos.MountPropagation_Mode{mesos.MountPropagation_HOST_TO_CONTAINER, mesos.MountPropagation_BIDIRECTIONAL} {
		there := mode == mesos.MountPropagation_BIDIRECTIONAL
		sandbox, p, err := prepare(t, Settings{}, propagating(shown(dir+"/a b", "v", mesos.Volume_RW), mode))
		if err != nil {
			t.Fatal(err)
		}
		if r := isolatortest.Shell(t, p, 0, "mount -t tmpfs tmpfs "+sandbox+"/v/sub && touch "+sandbox+"/v/sub/inside"); r.Code != 0 {
			t.Fatalf("%+v", r)
		}
		if _, err := os.Stat(dir + "/a b/sub/inside"); (err == nil) != there {
			t.Errorf("%s: on the machine: %v", mode, err)
		}
	}
	if err := unix.Unmount(dir+"/a b/sub", 0); err != nil {
		t.Error(err)
	}
}

func TestPropagationNeedsASharedMount(t *testing.T) {
	dir := machine(t, unix.MS_PRIVATE)
	for mode, word := range map[mesos.MountPropagation_Mode]string{mesos.MountPropagation_BIDIRECTIONAL: "shared mount", 7: "not known"} {
		_, _, err := prepare(t, Settings{}, propagating(shown(dir+"/data", "v", mesos.Volume_RW), mode))
		if err == nil || !strings.Contains(err.Error(), "mount_propagation.mode") || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
