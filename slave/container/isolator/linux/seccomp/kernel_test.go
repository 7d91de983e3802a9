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

// narrow are ways to call the kernel as programs of 32 bits do.
var narrow = map[string]struct {
	// program calls getpid, whose number is 20 for those, and exits with 7.
	program []byte
	// arch is what profiles call it, and other the call of the machine's own with that
	// number.
	arch, other string
}{
	"amd64": {
		elf(2, 62, 0, 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05),
		"SCMP_ARCH_X86", "writev",
	},
	"arm64": {
		elf(1, 40, 0x05000000, 20, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef, 7, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef),
		"SCMP_ARCH_ARM", "epoll_create1",
	},
}

// elf is a program file of a class (1 has 32 bits, 2 has 64).
func elf(class byte, machine uint16, flags uint32, code ...byte) []byte {
	const base = 0x400000
	le := binary.LittleEndian
	header, segment := 52, 32
	word := func(b []byte, n int) []byte { return le.AppendUint32(b, uint32(n)) }
	if class == 2 {
		header, segment = 64, 56
		word = func(b []byte, n int) []byte { return le.AppendUint64(b, uint64(n)) }
	}
	size := header + segment
	file := []byte{0x7f, 'E', 'L', 'F', class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	file = le.AppendUint16(le.AppendUint16(file, 2), machine)
	file = le.AppendUint32(file, 1)
	file = word(word(word(file, base+size), header), 0)
	file = le.AppendUint32(file, flags)
	for _, n := range []int{header, segment, 1, 0, 0, 0} {
		file = le.AppendUint16(file, uint16(n))
	}
	file = le.AppendUint32(file, 1) // loaded, readable and executable
	if class == 2 {
		file = le.AppendUint32(file, 5)
	}
	for _, n := range []int{0, base, base, size + len(code), size + len(code)} {
		file = word(file, n)
	}
	if class == 1 {
		file = le.AppendUint32(file, 5)
	}
	return append(word(file, 0x1000), code...)
}

// Calls of another architecture are no way around a filter.
func TestCallsOf32Bits(t *testing.T) {
	c := narrow[runtime.GOARCH]
	program := filepath.Join(t.TempDir(), "narrow")
	if err := os.WriteFile(program, c.program, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := isolatortest.Run(t, &plan.Plan{}, 0, program); r.Code != 7 {
		t.Fatalf("without a filter: %+v", r)
	}
	const named = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["%"], "syscalls": [{"names": ["@"], "action": "SCMP_ACT_KILL_PROCESS"}]}`
	for text, want := range map[string]int{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`:                         -1,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["%"]}`: 7,
		strings.Replace(named, "@", "getpid", 1):                      -1,
		strings.Replace(named, "@", c.other, 1):                       7,
	} {
		text = strings.Replace(text, "%", c.arch, 1)
		p := &plan.Plan{Seccomp: compiled(t, text, machine{goarch: runtime.GOARCH})}
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
