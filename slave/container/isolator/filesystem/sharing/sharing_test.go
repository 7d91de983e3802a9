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
	return prepareFor(t, "", sandbox, volumes...)
}

func prepareFor(t *testing.T, user, sandbox string, volumes ...string) (plan.Plan, error) {
	t.Helper()
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{Sandbox: sandbox, User: user, Info: &mesos.ContainerInfo{}}
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
	p, err := prepare(t, sandbox, "private/tmp:/tmp")
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
	root := filepath.Join(t.TempDir(), "root")
	for at, to := range map[string]string{filepath.Join(sandbox, "link"): outside, root: "/", root + "less": filepath.Dir(sandbox)} {
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
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
		"a:" + root:          "below",
		"a:" + root + "less": "below",
		":/mnt":              "needs --isolation=filesystem/linux",
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

// TestNoOneBecomesRoot by what set-uid programs find in a folder of the machine that a
// user chooses.
func TestNoOneBecomesRoot(t *testing.T) {
	for _, c := range []struct {
		user, at string
		want     bool
	}{
		{"1", "/etc", true},
		{"1", "/tmp", false},
		{"1", t.TempDir(), true}, // not everybody's, and in a folder that is
		{"0", "/etc", false},
		{"", "/etc", false},
	} {
		sandbox, err := os.MkdirTemp("/var/tmp", "sharing")
		if err != nil {
			t.Fatal(err)
		}
		p, err := prepareFor(t, c.user, sandbox, "a:"+c.at)
		if err != nil || p.NoNewPrivileges != c.want {
			t.Errorf("user %q, %s: no new privileges is %v, %v", c.user, c.at, p.NoNewPrivileges, err)
		}
		if err := os.RemoveAll(sandbox); err != nil {
			t.Error(err)
		}
	}
	if _, err := prepareFor(t, "nobody-of-this-name", t.TempDir(), "a:/mnt"); err == nil || !strings.Contains(err.Error(), "nobody-of-this-name") {
		t.Errorf("error is %v", err)
	}
}
