package volume

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// volumes is a container with one volume, from its JSON.
func volumes(t testing.TB, text string) *mesos.ContainerInfo {
	t.Helper()
	v := new(mesos.Volume)
	if err := (protojson.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
	v.Mode = mesos.Volume_RW.Enum()
	return &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{v}}
}

// open is a sandbox with a task's in it.
func open(t testing.TB) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := root.MkdirAll("containers/c", 0o755); err != nil {
		t.Fatal(err)
	}
	return root, dir
}

func TestLink(t *testing.T) {
	const task = "containers/c"
	for name, c := range map[string]struct {
		task, volume   string
		at, points, is string
	}{
		"of the parent":       {task, `{"containerPath": "data", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "shared"}}}`, task + "/data", "../../shared", "shared"},
		"deep":                {task, `{"containerPath": "a/b/", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "x/y"}}}`, task + "/a/b", "../../../x/y", "x/y"},
		"the whole parent":    {task, `{"containerPath": "up", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "."}}}`, task + "/up", "../..", "."},
		"of itself":           {task, `{"containerPath": "data", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "real"}}}`, task + "/data", "real", task + "/real"},
		"as it was said once": {task, `{"containerPath": "data", "hostPath": "real"}`, task + "/data", "real", task + "/real"},
		"without a group":     {".", `{"containerPath": "data", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "real"}}}`, "data", "real", "real"},
	} {
		t.Run(name, func(t *testing.T) {
			root, dir := open(t)
			if err := Link(root, c.task, volumes(t, c.volume)); err != nil {
				t.Fatal(err)
			}
			if got, err := os.Readlink(filepath.Join(dir, c.at)); err != nil || got != c.points {
				t.Errorf("link to %q, %v; want %q", got, err, c.points)
			}
			a, aerr := os.Stat(filepath.Join(dir, c.at))
			b, berr := os.Stat(filepath.Join(dir, c.is))
			if err := errors.Join(aerr, berr); err != nil || !os.SameFile(a, b) || !a.IsDir() {
				t.Errorf("not the same folder: %v", err)
			}
		})
	}
}

func TestLinkKeepsWhatIsThere(t *testing.T) {
	root, dir := open(t)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := volumes(t, `{"containerPath": "data", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "file"}}}`)
	if err := Link(root, "containers/c", c); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "containers/c/data")); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if err := Link(root, "containers/c", c); err == nil || !strings.Contains(err.Error(), "link containers/c/data to it: ") {
		t.Errorf("a second one: %v", err)
	}
	same := volumes(t, `{"containerPath": "own", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "own"}}}`)
	if err := Link(root, "containers/c", same); err != nil {
		t.Error(err)
	}
	if fi, err := os.Lstat(filepath.Join(dir, "containers/c/own")); err != nil || !fi.IsDir() {
		t.Errorf("%v, %v", fi, err)
	}
}

func TestRefusals(t *testing.T) {
	for text, c := range map[string]*mesos.ContainerInfo{
		`container.type: DOCKER: cannot be had from this executor, only MESOS can`: {Type: mesos.ContainerInfo_DOCKER.Enum()},
		`container.mesos.image: DOCKER: cannot be had from this executor, which runs tasks in the machine's own file system`: {
			Type: mesos.ContainerInfo_MESOS.Enum(), Mesos: &mesos.ContainerInfo_MesosInfo{Image: &mesos.Image{Type: mesos.Image_DOCKER.Enum()}},
		},
		`container.volumes[0].host_path: "/etc": is a path of the machine, which this executor cannot mount`:         volumes(t, `{"containerPath": "x", "hostPath": "/etc"}`),
		`container.volumes[0].host_path: "../x": must be relative, and within the sandbox`:                           volumes(t, `{"containerPath": "x", "hostPath": "../x"}`),
		`container.volumes[0].image: DOCKER: cannot be mounted by this executor`:                                     volumes(t, `{"containerPath": "x", "image": {"type": "DOCKER"}}`),
		`container.volumes[0].source.type: DOCKER_VOLUME: cannot be mounted by this executor, only SANDBOX_PATH can`: volumes(t, `{"containerPath": "x", "source": {"type": "DOCKER_VOLUME"}}`),
		`container.volumes[0].source.sandbox_path.type: UNKNOWN: must be SELF or PARENT`:                             volumes(t, `{"containerPath": "x", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"path": "y"}}}`),
		`container.volumes[0].source.sandbox_path.path: "/y": must be relative, and within the sandbox`:              volumes(t, `{"containerPath": "x", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "/y"}}}`),
		`container.volumes[0].container_path: "/x": is absolute: only a mount could put the volume there`:            volumes(t, `{"containerPath": "/x", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "y"}}}`),
		`container.volumes[0].container_path: "a/../..": must be within the sandbox`:                                 volumes(t, `{"containerPath": "a/../..", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "y"}}}`),
		`container.volumes[0].container_path: ".": must be within the sandbox`:                                       volumes(t, `{"containerPath": ".", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "SELF", "path": "y"}}}`),
	} {
		root, _ := open(t)
		if err := Link(root, "containers/c", c); err == nil || err.Error() != text {
			t.Errorf("error is\n%v, want\n%s", err, text)
		}
	}
	root, _ := open(t)
	parent := volumes(t, `{"containerPath": "x", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "y"}}}`)
	if err := Link(root, ".", parent); err == nil || !strings.Contains(err.Error(), "PARENT: is only for tasks of a group") {
		t.Errorf("error is %v", err)
	}
	if err := errors.Join(Link(root, ".", nil), Link(root, ".", &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum()})); err != nil {
		t.Error(err)
	}
}

// FuzzLink: whatever a volume says, nothing outside of the sandbox is made.
func FuzzLink(f *testing.F) {
	for _, seed := range [][2]string{{"shared", "data"}, {"../x", "y"}, {"x", "../y"}, {"/x", "/y"}, {"out/x", "y"}, {"x", "out/y"}, {"", ""}, {".", "."}} {
		f.Add(seed[0], seed[1], true)
	}
	f.Fuzz(func(t *testing.T, path, at string, parent bool) {
		root, dir := open(t)
		outside := t.TempDir()
		for _, in := range []string{"out", "containers/c/out"} {
			if err := os.Symlink(outside, filepath.Join(dir, in)); err != nil {
				t.Fatal(err)
			}
		}
		kind := mesos.Volume_Source_SandboxPath_SELF.Enum()
		if parent {
			kind = mesos.Volume_Source_SandboxPath_PARENT.Enum()
		}
		c := &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{
			ContainerPath: proto.String(at),
			Source: &mesos.Volume_Source{
				Type:        mesos.Volume_Source_SANDBOX_PATH.Enum(),
				SandboxPath: &mesos.Volume_Source_SandboxPath{Type: kind, Path: proto.String(path)},
			},
		}}}
		err := Link(root, "containers/c", c)
		if left, rerr := os.ReadDir(outside); rerr != nil || len(left) > 0 {
			t.Fatalf("path %q at %q made %v outside (%v, %v)", path, at, left, rerr, err)
		}
		if err != nil {
			return
		}
		real, err := filepath.EvalSymlinks(filepath.Join(dir, "containers/c", at))
		if err != nil || !strings.HasPrefix(real, dir) && !strings.HasPrefix(real, outside) {
			t.Fatalf("path %q at %q leads to %q, %v", path, at, real, err)
		}
	})
}
