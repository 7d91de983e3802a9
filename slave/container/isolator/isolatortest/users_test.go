package isolatortest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// both are a launch without an init and one with it.
var both = map[string]*plan.Plan{"without an init": {}, "with an init": {Rlimits: []plan.Rlimit{{Resource: unix.RLIMIT_CORE}}}}

// A program has the groups of its user, and none of those that the agent has.
func TestPrograms(t *testing.T) {
	before, err := syscall.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setgroups([]int{0, 4242}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setgroups(before); err != nil {
			t.Error(err)
		}
	})
	want, err := exec.Command("/usr/bin/id", "-G", "daemon").Output()
	if err != nil {
		t.Fatal(err)
	}
	for how, p := range both {
		if r := Shell(t, p, 1, "id -G"); r.Stdout != string(want) {
			t.Errorf("%s: groups %+v, want %q", how, r, want)
		}
		status := "grep -E '^(Uid|Gid|CapEff|CapPrm|CapInh|CapAmb):' /proc/self/status | tr -d '\\t'"
		if r := Shell(t, p, 1, status); r.Stdout != "Uid:1111\nGid:1111\nCapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\nCapAmb:0000000000000000\n" {
			t.Errorf("%s: %+v", how, r)
		}
		if r := Shell(t, p, 1, "cat /etc/shadow; echo x > /root/x; kill -0 1"); r.Code == 0 || r.Stdout != "" || strings.Count(strings.ToLower(r.Stderr), "permi") != 3 {
			t.Errorf("%s: another user may do what root may: %+v", how, r)
		}
	}
}

func TestUsersThatAreMissing(t *testing.T) {
	for how, p := range both {
		if err := Refused(t, p, 4242, "/bin/true"); !strings.Contains(err.Error(), `user "4242" does not exist`) {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// A program that somebody else has made set-uid runs as that one; what is kept from
// programs is kept from it too.
func TestSetUIDProgramsStayInTheirContainer(t *testing.T) {
	tool := filepath.Join(Folder(t), "bash")
	text, err := os.ReadFile("/usr/bin/bash")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tool, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	const script = "id -u; ulimit -c; ulimit -Hc; chown 1 /proc/self/fd/1 && echo may"
	hidden := Folder(t)
	if err := os.WriteFile(filepath.Join(hidden, "machine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{
		New: plan.NewMount, Rlimits: []plan.Rlimit{{Resource: unix.RLIMIT_CORE}}, Capabilities: &plan.Capabilities{Bounding: 1 << unix.CAP_SETUID, BoundingOnly: true},
		Mounts: []plan.Mount{{Source: "tmpfs", Target: hidden, Type: "tmpfs"}},
	}
	r := Run(t, p, 1, tool, "-p", "-c", script+"; ls "+hidden+"; umount "+hidden+" 2>/dev/null || echo stays")
	if r.Stdout != "0\n0\n0\nstays\n" {
		t.Errorf("a set-uid program has %+v", r)
	}
	p = &plan.Plan{NoNewPrivileges: true}
	if r := Run(t, p, 1, tool, "-p", "-c", "id -u"); r.Stdout != "1\n" {
		t.Errorf("with no_new_privs it has %+v", r)
	}
	if r := Run(t, &plan.Plan{}, 1, tool, "-p", "-c", "id -u"); r.Stdout != "0\n" {
		t.Errorf("without, it has %+v", r)
	}
}
