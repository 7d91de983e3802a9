package persistent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a machine with a sandbox and a volume that has a file.
func world(t *testing.T) (c *isolator.Container, volume string) {
	t.Helper()
	dir := t.TempDir()
	c = &isolator.Container{ID: []string{"c"}, Sandbox: filepath.Join(dir, "sandbox")}
	volume = filepath.Join(dir, "volumes/roles/r/v")
	must(t, os.MkdirAll(volume, 0o755))
	must(t, os.Mkdir(c.Sandbox, 0o755))
	must(t, os.WriteFile(filepath.Join(volume, "file"), []byte("kept"), 0o644))
	return c, volume
}

func wanted(source, at string, mode mesos.Volume_Mode) isolator.Volume {
	return isolator.Volume{Source: source, Resource: &mesos.Resource{Disk: &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")},
		Volume:      &mesos.Volume{ContainerPath: &at, Mode: &mode},
	}}}
}

func prepare(t *testing.T, c *isolator.Container, list ...isolator.Volume) *plan.Plan {
	t.Helper()
	p := &plan.Plan{}
	c.Volumes = list
	must(t, New().Prepare(context.Background(), c, p))
	return p
}

func shell(t *testing.T, p *plan.Plan, script string) string {
	t.Helper()
	r := isolatortest.Shell(t, p, 0, script)
	return r.Stdout
}

// TestAbsolute: a volume is at its place outside of the sandbox, for the container
// alone.
func TestAbsolute(t *testing.T) {
	c, v := world(t)
	at := t.TempDir()
	p := prepare(t, c, wanted(v, at, mesos.Volume_RW))
	if got := shell(t, p, "cat "+at+"/file; echo more > "+at+"/new && cat "+v+"/new"); got != "keptmore\n" {
		t.Errorf("the container sees %q", got)
	}
	if text, err := os.ReadFile(v + "/new"); err != nil || string(text) != "more\n" {
		t.Errorf("what it wrote is %q, %v", text, err)
	}
	if got := shell(t, &plan.Plan{}, "ls "+at); got != "" {
		t.Errorf("others see %q", got)
	}
	must(t, New().Prepare(t.Context(), c, &plan.Plan{})) // again, as after a crash
}

// TestReadOnly: it cannot be written, by whichever path; without the mount it can.
func TestReadOnly(t *testing.T) {
	c, v := world(t)
	for _, at := range []string{"sub/data", t.TempDir()} {
		p := prepare(t, c, wanted(v, at, mesos.Volume_RO))
		script := "cd " + c.Sandbox + "; cat " + at + "/file; for d in " + at + " " + v + " ../volumes/roles/r/v; do echo x > $d/x && echo written; rm -f $d/file && echo removed; done; true"
		if got := shell(t, p, script); got != "kept" {
			t.Errorf("%s: the container wrote: %q", at, got)
		}
	}
	if got := shell(t, &plan.Plan{}, "echo x > "+v+"/x && echo written"); got != "written\n" {
		t.Errorf("without mounts: %q", got)
	}
}

// TestShared: two containers have it, one of them to read, and one container can
// have it both ways.
func TestShared(t *testing.T) {
	c, v := world(t)
	read := prepare(t, c, wanted(v, "data", mesos.Volume_RO))
	if got := shell(t, prepare(t, c, wanted(v, t.TempDir(), mesos.Volume_RW)), "echo new > "+v+"/file; echo done"); got != "done\n" {
		t.Errorf("the writer: %q", got)
	}
	if got := shell(t, read, "cat "+c.Sandbox+"/data/file; echo x > "+c.Sandbox+"/data/file"); got != "new\n" {
		t.Errorf("the reader: %q", got)
	}
	both := prepare(t, c, wanted(v, "read", mesos.Volume_RO), wanted(v, "data2", mesos.Volume_RW))
	must(t, os.Symlink(v, filepath.Join(c.Sandbox, "data2"))) // as the agent does
	script := "cd " + c.Sandbox + "; echo both > data2/file; cat read/file; echo x > read/file"
	if got := shell(t, both, script); got != "both\n" {
		t.Errorf("both ways: %q", got)
	}
}

// TestLinked: what a link shows takes no mount, and no namespace.
func TestLinked(t *testing.T) {
	c, v := world(t)
	if p := prepare(t, c, wanted(v, "data", mesos.Volume_RW)); !p.Plain() {
		t.Errorf("planned %+v", p)
	}
}

// TestRefused: what cannot be is refused by name, and nothing is made outside.
func TestRefused(t *testing.T) {
	c, v := world(t)
	outside := t.TempDir()
	must(t, os.Symlink(outside, filepath.Join(c.Sandbox, "out")))
	gone := filepath.Join(filepath.Dir(v), "gone")
	link := filepath.Join(filepath.Dir(v), "link")
	must(t, os.Symlink(outside, link))
	for name, k := range map[string]struct {
		volume isolator.Volume
		word   string
	}{
		"no such place":  {wanted(v, outside+"/none", mesos.Volume_RW), "disk.volume.container_path"},
		"the root":       {wanted(v, "/", mesos.Volume_RW), "cannot be replaced"},
		"out by a link":  {wanted(v, "out/new", mesos.Volume_RO), "escapes"},
		"out by name":    {wanted(v, "../x", mesos.Volume_RO), "within the sandbox"},
		"removed volume": {wanted(gone, "data", mesos.Volume_RO), "no such file"},
		"volume a link":  {wanted(link, "data", mesos.Volume_RO), "is no folder"},
	} {
		p := &plan.Plan{}
		c.Volumes = []isolator.Volume{k.volume}
		err := New().Prepare(t.Context(), c, p)
		if err == nil || !strings.Contains(err.Error(), `persistent volume "v": `) || !strings.Contains(err.Error(), k.word) || len(p.Mounts) > 0 {
			t.Errorf("%s: %v, planned %+v; want %q", name, err, p, k.word)
		}
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) > 0 {
		t.Errorf("made outside: %v, %v", list, err)
	}
	if _, err := os.Lstat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a volume that is removed was made: %v", err)
	}
}

// TestUser: a user who is not root gets no set-uid programs beside a volume whose
// place he has chosen.
func TestUser(t *testing.T) {
	c, v := world(t)
	c.User = "nobody"
	if p := prepare(t, c, wanted(v, t.TempDir(), mesos.Volume_RW)); !p.NoNewPrivileges {
		t.Errorf("planned %+v", p)
	}
}

// TestPathByLink: the work directory may be behind a link of the operator's.
func TestPathByLink(t *testing.T) {
	c, v := world(t)
	link := filepath.Join(t.TempDir(), "work")
	must(t, os.Symlink(filepath.Dir(v), link))
	p := prepare(t, c, wanted(filepath.Join(link, "v"), "data", mesos.Volume_RO))
	if p.Mounts[0].Source != v {
		t.Errorf("planned %+v", p.Mounts)
	}
}
