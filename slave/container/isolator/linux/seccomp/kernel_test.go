package seccomp

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

const nobody = 65534

func profiles(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func prepare(t *testing.T, s Settings, info *mesos.SeccompInfo, p *plan.Plan) error {
	t.Helper()
	i, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{Info: &mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{Seccomp: info}}}
	return i.Prepare(context.Background(), c, p)
}

// The same programs, with the profile and without it.
func TestProgramsAreHeldToTheProfile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{}
	if err := prepare(t, Settings{Dir: profiles(t), Profile: "strict.json"}, nil, p); err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]struct{ words, without string }{
		"mkdir " + dir + "/made && rmdir " + dir + "/made && echo made":  {"No space left", "made"},
		"ln -s x " + dir + "/link; rm " + dir + "/link && echo linked":   {"Bad system call", "linked"},
		"ln " + dir + "/file " + dir + "/l; rm " + dir + "/l && echo ln": {"ln", "ln"},
		"trap : USR1; kill -USR1 $$ && echo sent":                        {"cross-device", "sent"},
		"trap : USR2; kill -USR2 $$ && echo sent":                        {"sent", "sent"},
		"chown 0 " + dir + "/file && echo given":                         {"given", "given"},
	} {
		if r := isolatortest.Shell(t, p, 0, script); !strings.Contains(strings.ToLower(r.Stdout+r.Stderr), strings.ToLower(want.words)) {
			t.Errorf("with the profile, %s: %+v, want %q", script, r, want.words)
		}
		if r := isolatortest.Shell(t, &plan.Plan{}, 0, script); !strings.Contains(r.Stdout, want.without) {
			t.Errorf("without it, %s: %+v, want %q", script, r, want.without)
		}
	}
}

// A filter is had by who has no privilege, and without no_new_privs; a rule may
// count for those without a capability.
func TestTheFilterGoesByCapabilities(t *testing.T) {
	file := filepath.Join(isolatortest.Folder(t), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		caps *plan.Capabilities
		user int
		may  bool
	}{
		"all":             {caps: nil, user: 0, may: true},
		"chown":           {caps: &plan.Capabilities{Effective: 1, Bounding: 1}, user: nobody, may: true},
		"none":            {caps: &plan.Capabilities{}, user: nobody},
		"the bound alone": {caps: &plan.Capabilities{Bounding: 1 << 21, BoundingOnly: true}, user: 0},
	} {
		for _, nnp := range []bool{false, true} {
			p := &plan.Plan{Capabilities: c.caps, NoNewPrivileges: nnp}
			if err := prepare(t, Settings{Dir: profiles(t), Profile: "strict.json"}, nil, p); err != nil {
				t.Fatal(err)
			}
			r := isolatortest.Shell(t, p, c.user, "mkdir /tmp/x 2>&1; chown 0 "+file)
			if (r.Code == 0) != c.may || !strings.Contains(r.Stdout, "No space left") {
				t.Errorf("%s, no_new_privs %v: %+v", name, nnp, r)
			}
		}
	}
}

// int80 is a program of amd64 that calls getpid as programs of 386 do, and exits
// with 7.
func int80(t *testing.T) string {
	t.Helper()
	code := []byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}
	const base, size = 0x400000, 64 + 56
	file := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	le := binary.LittleEndian
	file = le.AppendUint16(le.AppendUint16(file, 2), 62)
	file = le.AppendUint32(file, 1)
	file = le.AppendUint64(le.AppendUint64(le.AppendUint64(file, base+size), 64), 0)
	file = le.AppendUint32(file, 0)
	for _, n := range []uint16{64, 56, 1, 0, 0, 0} {
		file = le.AppendUint16(file, n)
	}
	file = le.AppendUint32(le.AppendUint32(file, 1), 5)
	for _, n := range []uint64{0, base, base, size + uint64(len(code)), size + uint64(len(code)), 0x1000} {
		file = le.AppendUint64(file, n)
	}
	path := filepath.Join(t.TempDir(), "int80")
	if err := os.WriteFile(path, append(file, code...), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Calls of 386 are no way around a filter.
func TestCallsOf386(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		return // arm64 has no such call
	}
	program := int80(t)
	if r := isolatortest.Run(t, &plan.Plan{}, 0, program); r.Code != 7 {
		t.Fatalf("without a filter: %+v", r)
	}
	for text, want := range map[string]int{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`:                                     -1,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"]}`: 7,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "syscalls": [{"names": ["getpid"], "action": "SCMP_ACT_KILL_PROCESS"}]}`: -1,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "syscalls": [{"names": ["writev"], "action": "SCMP_ACT_KILL_PROCESS"}]}`: 7,
	} {
		p := &plan.Plan{Seccomp: compiled(t, text, machine{goarch: "amd64"})}
		if r := isolatortest.Run(t, p, 0, program); r.Code != want {
			t.Errorf("%s: %+v, want %d", text, r, want)
		}
	}
}

func TestChoice(t *testing.T) {
	dir := profiles(t)
	byDefault := Settings{Dir: dir, Profile: "strict.json"}
	for name, c := range map[string]struct {
		s        Settings
		info     *mesos.SeccompInfo
		filtered bool
		fails    []string
	}{
		"nobody says":       {s: Settings{Dir: dir}},
		"the operator's":    {s: byDefault, filtered: true},
		"its own":           {s: Settings{Dir: dir}, info: &mesos.SeccompInfo{ProfileName: proto.String("strict.json")}, filtered: true},
		"unconfined":        {s: byDefault, info: &mesos.SeccompInfo{Unconfined: proto.Bool(true)}},
		"both":              {s: byDefault, info: &mesos.SeccompInfo{Unconfined: proto.Bool(true), ProfileName: proto.String("strict.json")}, fails: []string{"profile_name", "strict.json", "unconfined"}},
		"neither":           {s: byDefault, info: &mesos.SeccompInfo{}, fails: []string{"profile_name"}},
		"confined, unnamed": {s: byDefault, info: &mesos.SeccompInfo{Unconfined: proto.Bool(false)}, fails: []string{"profile_name"}},
		"missing":           {s: byDefault, info: &mesos.SeccompInfo{ProfileName: proto.String("none.json")}, fails: []string{"profile_name", "none.json", "no such file"}},
		"elsewhere":         {s: byDefault, info: &mesos.SeccompInfo{ProfileName: proto.String("../seccomp.go")}, fails: []string{"profile_name", "../seccomp.go", "escapes"}},
		"a folder":          {s: byDefault, info: &mesos.SeccompInfo{ProfileName: proto.String(".")}, fails: []string{"profile_name"}},
		"no name":           {s: byDefault, info: &mesos.SeccompInfo{ProfileName: proto.String("")}, fails: []string{"profile_name"}},
	} {
		p := &plan.Plan{}
		err := prepare(t, c.s, c.info, p)
		if (err != nil) != (c.fails != nil) || (len(p.Seccomp) > 0) != c.filtered {
			t.Errorf("%s: %d instructions, %v", name, len(p.Seccomp), err)
		}
		for _, word := range c.fails {
			if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "container.linux_info.seccomp") {
				t.Errorf("%s: %v does not say %q", name, err, word)
			}
		}
	}
}

func TestSettingsAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"bad.json": `{"defaultAction": "?"}`, "unknown.json": `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["what"], "action": "SCMP_ACT_KILL"}]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	for words, s := range map[string]Settings{
		"needs --seccomp_config_dir":                      {},
		"--seccomp_config_dir: \"/none\"":                 {Dir: "/none"},
		"--seccomp_config_dir: \"testdata\"":              {Dir: "testdata"},
		"--seccomp_profile_name: \"none\"":                {Dir: dir, Profile: "none"},
		"--seccomp_profile_name: \"bad.json\": default":   {Dir: dir, Profile: "bad.json"},
		"--seccomp_profile_name: \"unknown.json\": sysca": {Dir: dir, Profile: "unknown.json"},
		"--seccomp_profile_name: \"pipe\": is not a file": {Dir: dir, Profile: "pipe"},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: error %v, want %q", s, err, words)
		}
	}
}
