package secret

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
	secrets "troupe/slave/container/secret"
)

const nobody = 65534

const hidden = "correct horse battery staple"

func file(at string, mode mesos.Volume_Mode) *mesos.Volume {
	return &mesos.Volume{
		ContainerPath: &at, Mode: mode.Enum(),
		Source: &mesos.Volume_Source{
			Type:   mesos.Volume_Source_SECRET.Enum(),
			Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(hidden)}},
		},
	}
}

func prepare(t *testing.T, user string, volumes ...*mesos.Volume) (string, *plan.Plan, error) {
	t.Helper()
	sandbox := isolatortest.Folder(t)
	p := &plan.Plan{}
	c := &isolator.Container{Sandbox: sandbox, User: user, Info: &mesos.ContainerInfo{Volumes: volumes}}
	return sandbox, p, New(secrets.Values{}).Prepare(context.Background(), c, p)
}

func TestTheContainerAloneHasTheSecret(t *testing.T) {
	sandbox, p, err := prepare(t, "nobody", file("etc/password", mesos.Volume_RO), file("scratch", mesos.Volume_RW))
	if err != nil {
		t.Fatal(err)
	}
	read := "cat " + sandbox + "/etc/password"
	if r := isolatortest.Shell(t, p, nobody, read); r.Stdout != hidden {
		t.Errorf("its user reads %+v", r)
	}
	if r := isolatortest.Shell(t, p, 1, read); r.Code == 0 {
		t.Errorf("another user reads %+v", r)
	}
	if r := isolatortest.Shell(t, &plan.Plan{}, nobody, read); r.Stdout != "" {
		t.Errorf("outside of the container it is %+v", r)
	}
	script := "stat -c '%a %U' " + sandbox + "/etc/password " + sandbox + "/scratch; stat -fc %T " + sandbox + "/etc/password; cd " + sandbox +
		"; echo changed > scratch; cat scratch; ls etc; echo x > etc/password"
	want := "400 nobody\n600 nobody\ntmpfs\nchanged\npassword\n"
	if r := isolatortest.Shell(t, p, nobody, script); r.Stdout != want || r.Code == 0 {
		t.Errorf("the container sees %+v, want %q", r, want)
	}
	if r := isolatortest.Shell(t, p, 0, "echo x > "+sandbox+"/etc/password"); !strings.Contains(r.Stderr, "Read-only") {
		t.Errorf("root changes what is read-only: %+v", r)
	}
	nowhere(t, sandbox)
}

// nowhere looks for the secret in what the container has left.
func nowhere(t *testing.T, sandbox string) {
	t.Helper()
	err := filepath.WalkDir(sandbox, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), hidden) || strings.Contains(string(text), "changed") {
			t.Errorf("%s has %q", path, text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), sandbox) {
		t.Errorf("the machine has mounts in the sandbox:\n%s", mounts)
	}
}

func TestFailuresNameTheVolume(t *testing.T) {
	missing := file("x", mesos.Volume_RO)
	name := "db"
	missing.Source.Secret = &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{Name: &name}}
	for what, c := range map[string]struct {
		v     *mesos.Volume
		user  string
		words []string
	}{
		"no resolver": {v: missing, words: []string{"container.volumes[1].source.secret.reference", `"db"`, "--secret_resolver"}},
		"path out":    {v: file("../x", mesos.Volume_RO), words: []string{"container.volumes[1].container_path", `"../x"`}},
		"no secret":   {v: &mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum()}}, words: []string{"source.secret.type"}},
		"no user":     {v: file("x", mesos.Volume_RO), user: "no-such-user", words: []string{"volumes[1]", "no-such-user"}},
	} {
		_, _, err := prepare(t, c.user, &mesos.Volume{}, c.v)
		if err == nil {
			t.Errorf("%s: accepted", what)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", what, err, word)
			}
		}
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %q shows the secret", what, err)
		}
	}
}
