package sandboxpath

import (
	"context"
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

type kind = mesos.Volume_Source_SandboxPath_Type

const (
	self   = mesos.Volume_Source_SandboxPath_SELF
	parent = mesos.Volume_Source_SandboxPath_PARENT
)

func shown(of kind, path, at string, mode mesos.Volume_Mode) *mesos.Volume {
	return &mesos.Volume{
		ContainerPath: &at, Mode: mode.Enum(),
		Source: &mesos.Volume_Source{
			Type:        mesos.Volume_Source_SANDBOX_PATH.Enum(),
			SandboxPath: &mesos.Volume_Source_SandboxPath{Type: of.Enum(), Path: &path},
		},
	}
}

// group is a task in an executor, of which the second has a persistent volume at
// "kept".
func group(t *testing.T, volumes ...*mesos.Volume) *isolator.Container {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{"executor/containers/t", "executor/taken", "volume/inner"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{"executor/taken/file": "the executor's", "volume/inner/file": "kept"} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"executor/kept": dir + "/volume", "executor/out": "/etc", "executor/link": "taken", "volume/out": "/etc"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	at := "kept"
	executor := &isolator.Container{ID: []string{"e"}, Sandbox: filepath.Join(dir, "executor"), Volumes: []isolator.Volume{{
		Source:   filepath.Join(dir, "volume"),
		Resource: &mesos.Resource{Disk: &mesos.Resource_DiskInfo{Volume: &mesos.Volume{ContainerPath: &at, Mode: mesos.Volume_RW.Enum()}}},
	}}}
	return &isolator.Container{
		ID: []string{"e", "t"}, Parent: executor, Sandbox: filepath.Join(dir, "executor/containers/t"),
		Info: &mesos.ContainerInfo{Volumes: volumes},
	}
}

func prepare(t *testing.T, c *isolator.Container) *plan.Plan {
	t.Helper()
	p := &plan.Plan{}
	if err := New().Prepare(context.Background(), c, p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestContainersSeeTheirVolumes(t *testing.T) {
	elsewhere := t.TempDir()
	old, at := "mine/too", "again"
	c := group(
		t, shown(self, "mine", elsewhere, mesos.Volume_RW), shown(parent, "taken", "shared", mesos.Volume_RO), shown(parent, "taken/file", "one/file", mesos.Volume_RW),
		shown(parent, "kept/inner", "kept", mesos.Volume_RW), shown(parent, "link", "linked", mesos.Volume_RW), shown(parent, "new", "new", mesos.Volume_RW),
		&mesos.Volume{HostPath: &old, ContainerPath: &at, Mode: mesos.Volume_RW.Enum()},
	)
	p := prepare(t, c)
	script := "cd " + c.Sandbox + "; cat shared/file one/file kept/file linked/file; echo; echo x > " + elsewhere + "/x; cat mine/x; echo y > again/y; cat mine/too/y; echo z > new/z; echo w > shared/w || echo refused"
	want := "the executor'sthe executor'skeptthe executor's\nx\ny\nrefused\n"
	if r := isolatortest.Shell(t, p, 0, script); r.Stdout != want {
		t.Errorf("the container sees %+v, want %q", r, want)
	}
	for path, there := range map[string]bool{elsewhere + "/x": false, c.Sandbox + "/mine/x": true, c.Parent.Sandbox + "/new/z": true, c.Parent.Sandbox + "/taken/w": false, c.Sandbox + "/new/z": false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("outside, %s: %v", path, err)
		}
	}
	if r := isolatortest.Shell(t, &plan.Plan{}, 0, "ls "+c.Sandbox+"/shared "+elsewhere); strings.Contains(r.Stdout, "file") || strings.Contains(r.Stdout, "x\n") {
		t.Errorf("without the isolator's plan a program sees %+v", r)
	}
}

func TestRefused(t *testing.T) {
	alone := group(t, shown(parent, "x", "y", mesos.Volume_RW))
	alone.Parent = nil
	for name, c := range map[string]struct {
		c     *isolator.Container
		words []string
	}{
		"no parent":          {alone, []string{"source.sandbox_path.type", "PARENT", "within another"}},
		"unknown":            {group(t, shown(0, "x", "y", mesos.Volume_RW)), []string{"source.sandbox_path.type", "UNKNOWN"}},
		"absolute":           {group(t, shown(self, "/etc", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", `"/etc"`, "relative"}},
		"out by name":        {group(t, shown(parent, "../x", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", `"../x"`, "within the sandbox"}},
		"out by link":        {group(t, shown(parent, "out", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", "symbolic link"}},
		"below a link out":   {group(t, shown(parent, "out/cron.d", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", "symbolic link"}},
		"out of a volume":    {group(t, shown(parent, "kept/out", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", "symbolic link"}},
		"not in a volume":    {group(t, shown(parent, "kept/none", "y", mesos.Volume_RW)), []string{"source.sandbox_path.path", "no such file"}},
		"a place outside":    {group(t, shown(self, "x", "../y", mesos.Volume_RW)), []string{"container_path", `"../y"`}},
		"a place that's not": {group(t, shown(self, "x", "/does/not/exist", mesos.Volume_RW)), []string{"container_path", "does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &plan.Plan{}
			err := New().Prepare(context.Background(), c.c, p)
			if err == nil || len(p.Mounts) > 0 {
				t.Fatalf("accepted: %+v", p)
			}
			for _, word := range append(c.words, "container.volumes[0].") {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

// Who may not write to a volume does not by its container's volumes either.
func TestAReadOnlyVolumeStaysSo(t *testing.T) {
	c := group(t, shown(parent, "kept", "mine", mesos.Volume_RW))
	c.Parent.Volumes[0].Resource.Disk.Volume.Mode = mesos.Volume_RO.Enum()
	if p := prepare(t, c); len(p.Mounts) != 1 || p.Mounts[0].Flags&unix.MS_RDONLY == 0 {
		t.Errorf("planned %+v", p.Mounts)
	}
}

// Programs of the executor change their sandbox between the plan and the mount.
func TestLinksThatComeLater(t *testing.T) {
	for name, replace := range map[string]func(c *isolator.Container) string{
		"the source":    func(c *isolator.Container) string { return c.Parent.Sandbox + "/taken" },
		"the target":    func(c *isolator.Container) string { return c.Sandbox + "/shared" },
		"the container": func(c *isolator.Container) string { return filepath.Dir(c.Sandbox) },
	} {
		c := group(t, shown(parent, "taken", "shared", mesos.Volume_RW))
		p := prepare(t, c)
		at := replace(c)
		if err := os.Rename(at, at+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/etc", at); err != nil {
			t.Fatal(err)
		}
		err := isolatortest.Refused(t, p, 0, "/bin/true")
		if !strings.Contains(err.Error(), "mounting") || !strings.Contains(err.Error(), "symbolic link") && !strings.Contains(err.Error(), "no such file") && !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
