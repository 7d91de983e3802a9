package linux

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
)

// TestRefusalsNameWhatIsWrong, with the path or number that it is about, and leave
// nothing: no init, and no status file.
func TestRefusalsNameWhatIsWrong(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	score := -1001
	for name, c := range map[string]struct {
		change func(s *container.Spec, p *plan.Plan)
		want   string
	}{
		"no program":          {func(s *container.Spec, _ *plan.Plan) { s.Path = "" }, "no program is named"},
		"missing program":     {func(s *container.Spec, _ *plan.Plan) { s.Path = "/no/such/program" }, `program "/no/such/program" does not exist in the container`},
		"missing in PATH":     {func(s *container.Spec, _ *plan.Plan) { s.Path = "nosuch" }, `program "nosuch" is not in its PATH, in the container`},
		"a folder":            {func(s *container.Spec, _ *plan.Plan) { s.Path = "/tmp" }, `program "/tmp" is not a file`},
		"not executable":      {func(s *container.Spec, _ *plan.Plan) { s.Path = file("plain", "x", 0o644) }, `/plain" is not executable`},
		"long name":           {func(s *container.Spec, _ *plan.Plan) { s.Path = "/" + strings.Repeat("x", 300<<10) }, "xxx\": file name too long"},
		"missing interpreter": {func(s *container.Spec, _ *plan.Plan) { s.Path = file("script", "#!/no/such/shell\n", 0o755) }, "the interpreter that it names, does not exist"},
		"no program at all":   {func(s *container.Spec, _ *plan.Plan) { s.Path = file("text", "hello", 0o755) }, "is not a program for this machine"},
		"huge arguments":      {func(s *container.Spec, _ *plan.Plan) { s.Args = []string{"sh", strings.Repeat("x", 4<<20)} }, "too large"},
		"a zero byte":         {func(s *container.Spec, _ *plan.Plan) { s.Args = []string{"sh", "a\x00b"} }, `launching "/bin/sh"`},
		"missing sandbox":     {func(s *container.Spec, _ *plan.Plan) { s.Dir = "/no/such/sandbox" }, "sandbox: stat /no/such/sandbox"},
		"missing user":        {func(s *container.Spec, _ *plan.Plan) { s.User = "nosuchuser" }, `user "nosuchuser" does not exist`},
		"no terminal":         {func(s *container.Spec, _ *plan.Plan) { s.Terminal = true }, "none is given"},
		"status has no place": {func(s *container.Spec, _ *plan.Plan) { s.Status = "/no/such/status" }, "opening the status file"},
		"missing cgroup":      {func(_ *container.Spec, p *plan.Plan) { p.Cgroups = []string{"/sys/fs/cgroup/freezer/no-such"} }, `entering the cgroup "/sys/fs/cgroup/freezer/no-such": no such file`},
		"no cgroup":           {func(_ *container.Spec, p *plan.Plan) { p.Cgroups = []string{"/tmp"} }, `entering the cgroup "/tmp"`},
		"missing target": {func(_ *container.Spec, p *plan.Plan) {
			p.New, p.Mounts = plan.NewMount, []plan.Mount{{Source: "tmpfs", Target: "/no/such", Type: "tmpfs"}}
		}, `mounting "/no/such": it, or what is mounted there, does not exist`},
		"no file system": {func(_ *container.Spec, p *plan.Plan) {
			p.New, p.Mounts = plan.NewMount, []plan.Mount{{Source: "x", Target: "/mnt", Type: "nosuchfs"}}
		}, `mounting "/mnt"`},
		"missing root":   {func(_ *container.Spec, p *plan.Plan) { p.New, p.Root = plan.NewMount, "/no/such/root" }, `changing the root folder to "/no/such/root"`},
		"missing folder": {func(_ *container.Spec, p *plan.Plan) { p.NoNewPrivileges, p.Dir = true, "/no/such/folder" }, `entering the folder "/no/such/folder"`},
		"no resource":    {func(_ *container.Spec, p *plan.Plan) { p.Rlimits = []plan.Rlimit{{Resource: 7}, {Resource: 99}} }, `setting the resource limit "99": invalid argument`},
		"no score":       {func(_ *container.Spec, p *plan.Plan) { p.OOMScore = &score }, `setting the OOM score "-1001"`},
		"no filter":      {func(_ *container.Spec, p *plan.Plan) { p.Seccomp = []plan.Instruction{{Code: 0xffff}} }, "setting the seccomp filter: invalid argument"},
		"no device": {func(_ *container.Spec, p *plan.Plan) {
			p.New, p.Devices = plan.NewMount, []plan.Device{{Path: "/dev/null", Mode: unix.S_IFBLK | 0o600, Major: 7, Minor: 1}}
		}, `making the device "/dev/null": file exists`},
	} {
		s, p := shell(dir, "true"), plan.Plan{NoNewPrivileges: true}
		s.Status = filepath.Join(dir, "status")
		c.change(&s, &p)
		process, err := l.Launch(s, p, nil)
		if err == nil {
			waitDone(t, process)
			t.Errorf("%s: launched", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %q, want it to contain %q", name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "status")); err == nil {
			t.Errorf("%s: a status file is left", name)
		}
	}
}

// TestPathsAreThoseOfTheContainer: with a root folder of its own a program is looked
// for there, and its folder is what the plan calls it.
func TestPathsAreThoseOfTheContainer(t *testing.T) {
	l, root := newLauncher(t), t.TempDir()
	var mounts []plan.Mount
	want := "/box\n"
	for _, name := range []string{"bin", "box", "lib", "lib64", "usr"} {
		source := t.TempDir()
		if name != "box" {
			var err error
			if source, err = filepath.EvalSymlinks("/" + name); errors.Is(err, os.ErrNotExist) {
				continue // not every architecture has both
			} else if err != nil {
				t.Fatal(err)
			}
		}
		want += "/" + name + " "
		mounts = append(mounts, plan.Mount{Source: source, Target: root + "/" + name, TargetBelow: root, Flags: unix.MS_BIND | unix.MS_REC | unix.MS_RDONLY})
	}
	p := plan.Plan{New: plan.NewMount, Root: root, Dir: "/box", Mounts: mounts}
	got := run(t, l, p, nil, "pwd; echo /*; test -w /usr/bin/env || touch /usr/x 2>/dev/null || echo read-only")
	if want = strings.TrimSpace(want) + "\nread-only\n"; got != want {
		t.Errorf("it sees %q, want %q", got, want)
	}
}

// TestSpecialFilesAreMade: devices, and files that have content and no disk.
func TestSpecialFilesAreMade(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := plan.Plan{
		New:     plan.NewMount,
		Mounts:  []plan.Mount{{Source: "tmpfs", Target: dir, Type: "tmpfs"}, {Target: "/etc/hostname", File: true, Flags: unix.MS_RDONLY, Content: &plan.Content{Data: []byte("secret\n"), Mode: 0o440}}},
		Devices: []plan.Device{{Path: dir + "/deep/null", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 3}},
	}
	got := run(t, l, p, nil, "stat -c '%F %a %t:%T' "+dir+"/deep/null; cat /etc/hostname; stat -c %a /etc/hostname; (echo x >/etc/hostname) 2>/dev/null || echo refused")
	if got != "character special file 666 1:3\nsecret\n440\nrefused\n" {
		t.Errorf("it sees %q", got)
	}
	if name, err := os.ReadFile("/etc/hostname"); err == nil && strings.Contains(string(name), "secret") {
		t.Error("the machine sees it too")
	}
}
