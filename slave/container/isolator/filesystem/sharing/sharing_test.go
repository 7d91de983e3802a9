package sharing

import (
	"context"
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

func prepare(t *testing.T, sandbox string, volumes ...string) (plan.Plan, error) {
	t.Helper()
	i, err := New()
	if err != nil || i.Name() != "filesystem/shared" {
		t.Fatal(i.Name(), err)
	}
	c := &isolator.Container{Sandbox: sandbox, Info: &mesos.ContainerInfo{}}
	for _, v := range volumes {
		host, at, _ := strings.Cut(v, ":")
		volume := &mesos.Volume{ContainerPath: proto.String(at), Mode: mesos.Volume_RW.Enum()}
		if host != "" {
			volume.HostPath = proto.String(host)
		}
		c.Info.Volumes = append(c.Info.Volumes, volume)
	}
	var p plan.Plan
	err = i.Prepare(context.Background(), c, &p)
	return p, err
}

// TestTmpIsOwn for each container: as open to everybody as the machine's, and in
// the sandbox; without the isolator it is the machine's.
func TestTmpIsOwn(t *testing.T) {
	sandbox, err := os.MkdirTemp("/var/tmp", "sharing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(sandbox); err != nil {
			t.Error(err)
		}
	})
	p, err := prepare(t, sandbox, "private/tmp:/tmp", ":/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	// The folder that a program is started in may be below /tmp.
	p.Dir = sandbox
	if r := isolatortest.Shell(t, &p, 0, "ls -A /tmp; touch /tmp/mine; stat -c %a:%U /tmp"); r.Code != 0 || r.Stdout != "1777:root\n" {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(filepath.Join(sandbox, "private/tmp/mine")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/tmp/mine"); err == nil {
		t.Error("the machine's /tmp has it too")
	}
	file := filepath.Join(os.TempDir(), filepath.Base(sandbox))
	isolatortest.Shell(t, &plan.Plan{NoNewPrivileges: true}, 0, "echo >"+file)
	if err := os.Remove(file); err != nil {
		t.Errorf("without the isolator: %v", err)
	}
}

// TestWhatDoesNotDo is refused with its field, and nothing is made outside.
func TestWhatDoesNotDo(t *testing.T) {
	sandbox, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(sandbox, "link")); err != nil {
		t.Fatal(err)
	}
	for v, want := range map[string]string{
		"a:relative":         "container_path",
		"a:/":                "container_path",
		"a:/tmp/..":          "container_path",
		"a:/no/such/folder":  "must exist on the machine",
		"a:/etc/passwd":      "is not a folder",
		"../a:/mnt":          "host_path",
		"a/../b:/mnt":        "host_path",
		".:/mnt":             "host_path",
		"link/deep:/mnt":     "host_path",
		"/no/such/path:/mnt": "host_path",
		"/etc/passwd:/mnt":   "host_path",
		"a:" + sandbox:       "below",
	} {
		_, err := prepare(t, sandbox, v)
		if err == nil || !strings.Contains(err.Error(), "container.volumes[0]") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", v, err)
		}
	}
	if _, err := prepare(t, sandbox, "a:/usr", "b:/usr/bin"); err == nil || !strings.Contains(err.Error(), "volumes[1]") {
		t.Errorf("one below the other: %v", err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside there is %v, %v", left, err)
	}
}
