package volume

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// sandboxes are an executor's, and that of a task in it, which is 12345's.
func sandboxes(t *testing.T) (executor, task *isolator.Container) {
	t.Helper()
	dir := t.TempDir()
	executor = &isolator.Container{ID: []string{"e"}, Sandbox: filepath.Join(dir, "executor")}
	task = &isolator.Container{ID: []string{"e", "t"}, Sandbox: filepath.Join(dir, "executor", "containers", "t"), Parent: executor, User: "nobody"}
	if err := os.MkdirAll(task.Sandbox, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(task.Sandbox, 12345, 12346); err != nil {
		t.Fatal(err)
	}
	return executor, task
}

func TestPlacesAreMadeForTheOwner(t *testing.T) {
	_, task := sandboxes(t)
	var p plan.Plan
	for _, m := range []Mount{
		{Source: "/a", At: "deep/er/folder"},
		{Source: "/b", At: "deep/file", File: true, ReadOnly: true},
		{Source: "/c", At: filepath.Join(task.Sandbox, "absolute"), Shared: true},
		{Content: &plan.Content{}, At: "deep/file", File: true, ReadOnly: true},
	} {
		if err := Add(task, &p, m); err != nil {
			t.Fatal(err)
		}
	}
	want := []plan.Mount{
		{Source: "/a", Target: "deep/er/folder", Flags: unix.MS_BIND | unix.MS_REC},
		{Source: "/b", Target: "deep/file", Flags: unix.MS_BIND | unix.MS_REC | unix.MS_RDONLY, File: true},
		{Source: "/c", Target: "absolute", Flags: unix.MS_BIND | unix.MS_REC | unix.MS_SHARED},
		{Content: &plan.Content{}, Target: "deep/file", Flags: unix.MS_RDONLY, File: true},
	}
	for i, w := range want {
		got := p.Mounts[i]
		if w.Target = filepath.Join(task.Sandbox, w.Target); got.Source != w.Source || got.Target != w.Target || got.Flags != w.Flags || got.File != w.File || got.TargetBelow != task.Parent.Sandbox || (got.Content == nil) != (w.Content == nil) {
			t.Errorf("planned %+v, want %+v", got, w)
		}
	}
	if p.New != plan.NewMount || p.NoNewPrivileges {
		t.Errorf("planned %+v", p)
	}
	for _, path := range []string{"deep", "deep/er", "deep/er/folder", "deep/file", "absolute"} {
		info, err := os.Lstat(filepath.Join(task.Sandbox, path))
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 12345 || st.Gid != 12346 || info.IsDir() != (path != "deep/file") {
			t.Errorf("%s is %s of %d:%d", path, info.Mode(), st.Uid, st.Gid)
		}
	}
}

func TestPlacesThatCannotBe(t *testing.T) {
	_, task := sandboxes(t)
	for from, to := range map[string]string{"out": "/etc", "up": "../../../..", "loop": "loop", "sideways": "../../beside"} {
		if err := os.Symlink(to, filepath.Join(task.Sandbox, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(task.Sandbox, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		at   string
		file bool
		word string
	}{
		"the sandbox":           {at: ".", word: "below it"},
		"its absolute path":     {at: task.Sandbox, word: "below it"},
		"out by name":           {at: "../x", word: "within the sandbox"},
		"empty":                 {at: "", word: "within the sandbox"},
		"by a link out":         {at: "out", word: "leads out of the sandbox"},
		"below a link out":      {at: "out/x", word: "escapes"},
		"below a link upward":   {at: "up/x", word: "escapes"},
		"in a circle":           {at: "loop/x", word: "too many"},
		"a folder at a file":    {at: "file", word: "is a file"},
		"below a file":          {at: "file/x", word: "not a directory"},
		"a file at a folder":    {at: "sub", file: true, word: "is a folder"},
		"everything":            {at: "/", word: "cannot be replaced"},
		"everything by detour":  {at: "/etc/..", word: "cannot be replaced"},
		"absolute, not there":   {at: "/does/not/exist", word: "does not exist"},
		"absolute, a file":      {at: "/etc/passwd", word: "is a file"},
		"absolute, is a folder": {at: "/etc", file: true, word: "is a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(filepath.Join(task.Sandbox, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			var p plan.Plan
			err := Add(task, &p, Mount{Source: "/a", At: c.at, File: c.file})
			if err == nil || !strings.Contains(err.Error(), "container_path") || !strings.Contains(err.Error(), c.word) {
				t.Errorf("%v does not say container_path and %q", err, c.word)
			}
			if len(p.Mounts) > 0 {
				t.Errorf("planned %+v", p)
			}
		})
	}
}

// A user who chooses what is at /etc must not be served by set-uid programs.
func TestVolumesOutsideOfTheSandboxTakeSetUIDAway(t *testing.T) {
	_, task := sandboxes(t)
	for user, taken := range map[string]bool{"nobody": true, "65534": true, "root": false, "": false} {
		task.User = user
		var p plan.Plan
		if err := Add(task, &p, Mount{Source: "/a", At: "/etc"}); err != nil {
			t.Fatal(err)
		}
		if p.NoNewPrivileges != taken || p.Mounts[0].Target != "/etc" {
			t.Errorf("%q: planned %+v", user, p)
		}
	}
	task.User = "no such user"
	if err := Add(task, &plan.Plan{}, Mount{Source: "/a", At: "/etc"}); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("error %v", err)
	}
}

// A container that sees its sandbox elsewhere has its volumes there.
func TestTheSandboxElsewhere(t *testing.T) {
	_, task := sandboxes(t)
	p := plan.Plan{Dir: "/mnt/sandbox", Root: "/root/fs"}
	for _, at := range []string{"x", "/mnt/sandbox/x"} {
		if err := Add(task, &p, Mount{Source: "/a", At: at}); err != nil {
			t.Fatal(err)
		}
		if got := p.Mounts[len(p.Mounts)-1].Target; got != "/root/fs/mnt/sandbox/x" {
			t.Errorf("%s is mounted at %s", at, got)
		}
	}
	if _, err := os.Stat(filepath.Join(task.Sandbox, "x")); err != nil {
		t.Error(err)
	}
}

// A task's folder may have been replaced by the executor's programs.
func TestASandboxThatIsALink(t *testing.T) {
	_, task := sandboxes(t)
	outside := t.TempDir()
	if err := os.RemoveAll(task.Sandbox); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, task.Sandbox); err != nil {
		t.Fatal(err)
	}
	if err := Add(task, &plan.Plan{}, Mount{Source: "/a", At: "x"}); err == nil {
		t.Error("accepted")
	}
	if _, err := os.Lstat(filepath.Join(outside, "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made outside: %v", err)
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	host := "/data"
	rel := "data"
	source := func(kind mesos.Volume_Source_Type) *mesos.Volume {
		return &mesos.Volume{Source: &mesos.Volume_Source{Type: kind.Enum()}}
	}
	for name, c := range map[string]struct {
		v      *mesos.Volume
		has    string
		linked bool
		fails  string
	}{
		"host, old":         {v: &mesos.Volume{HostPath: &host}, has: "filesystem/linux", fails: "--isolation=volume/host_path"},
		"host":              {v: source(mesos.Volume_Source_HOST_PATH), has: "", fails: "--isolation=filesystem/linux,volume/host_path"},
		"host, had":         {v: source(mesos.Volume_Source_HOST_PATH), has: "filesystem/linux volume/host_path"},
		"sandbox":           {v: source(mesos.Volume_Source_SANDBOX_PATH), has: "volume/sandbox_path", fails: "--isolation=filesystem/linux"},
		"sandbox, linked":   {v: source(mesos.Volume_Source_SANDBOX_PATH), linked: true},
		"sandbox, old":      {v: &mesos.Volume{HostPath: &rel}, has: "filesystem/linux", fails: "--isolation=volume/sandbox_path"},
		"secret":            {v: source(mesos.Volume_Source_SECRET), linked: true, fails: "--isolation=filesystem/linux,volume/secret"},
		"image":             {v: &mesos.Volume{Image: &mesos.Image{}}, has: "filesystem/linux", fails: "image"},
		"another's":         {v: source(mesos.Volume_Source_CSI_VOLUME), fails: "no isolator"},
		"of a later format": {v: source(99), fails: "no isolator"},
	} {
		has := func(n string) bool { return strings.Contains(" "+c.has+" ", " "+n+" ") }
		err := Check(&mesos.ContainerInfo{Volumes: []*mesos.Volume{c.v}}, has, c.linked)
		if (err != nil) != (c.fails != "") || err != nil && (!strings.Contains(err.Error(), c.fails) || !strings.Contains(err.Error(), "container.volumes[0].")) {
			t.Errorf("%s: error %v, want %q", name, err, c.fails)
		}
	}
}
