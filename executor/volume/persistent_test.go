package volume

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func persistent(at string) []*mesos.Resource {
	return []*mesos.Resource{{Name: proto.String("cpus")}, {Name: proto.String("disk"), Disk: &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")}, Volume: &mesos.Volume{ContainerPath: &at},
	}}}
}

func TestLinkPersistent(t *testing.T) {
	root, dir := open(t)
	data := t.TempDir()
	if err := os.Symlink(data, filepath.Join(dir, "data")); err != nil { // as the agent does
		t.Fatal(err)
	}
	if err := LinkPersistent(root, "containers/c", persistent("data"), false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "containers/c/data/file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(data, "file")); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	for at, want := range map[string]string{
		"gone":    `resources[1]: volume "v": statat gone: no such file or directory`,
		"../data": `resources[1].disk.volume.container_path: "../data": must be within the sandbox`,
		".":       `resources[1].disk.volume.container_path: ".": must be within the sandbox`,
		"data":    `resources[1]: volume "v": symlinkat ../../data containers/c/data: file exists`,
	} {
		if err := LinkPersistent(root, "containers/c", persistent(at), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is\n%v, want\n%s", at, err, want)
		}
	}
}

// TestLeftToMounts: what no link could show is not linked where it is mounted.
func TestLeftToMounts(t *testing.T) {
	root, dir := open(t)
	read := persistent("read")
	read[1].Disk.Volume.Mode = mesos.Volume_RO.Enum()
	for _, list := range [][]*mesos.Resource{persistent("/data"), read} {
		if err := LinkPersistent(root, "containers/c", list, true); err != nil {
			t.Error(err)
		}
		if err := LinkPersistent(root, "containers/c", list, false); err == nil {
			t.Error("without mounts it was taken")
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "containers/c/read")); err == nil {
		t.Error("it is linked")
	}
}

// TestVolumeOfTheExecutorIsShared: what an executor has as a volume, its tasks can
// be shown as a path of its sandbox.
func TestVolumeOfTheExecutorIsShared(t *testing.T) {
	root, dir := open(t)
	data := t.TempDir()
	if err := os.Symlink(data, filepath.Join(dir, "shared")); err != nil {
		t.Fatal(err)
	}
	c := volumes(t, `{"containerPath": "mine", "source": {"type": "SANDBOX_PATH", "sandboxPath": {"type": "PARENT", "path": "shared"}}}`)
	if err := Link(root, "containers/c", c); err != nil {
		t.Fatal(err)
	}
	if got, err := filepath.EvalSymlinks(filepath.Join(dir, "containers/c/mine")); err != nil || got != data {
		t.Errorf("it leads to %q, %v", got, err)
	}
}
