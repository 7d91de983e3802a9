package vm

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What programs say and how they end comes back, each its own; files, modules and
// dynamic programs are there.
func TestRun(t *testing.T) {
	note := t.TempDir() + "/note"
	if err := os.WriteFile(note, []byte("from outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	busybox, err := lookUp("busybox")
	if err != nil {
		t.Fatal(err)
	}
	m := Machine{
		Modules: []string{"loop", "xfs", "sch_netem"}, Files: map[string]string{"/data/note": note}, Binaries: []string{"/bin/bash"},
	}
	r, err := m.Run(t.Context(),
		Program{Path: busybox, Args: []string{"sh", "-c", `cat /data/note; echo " it's $X"; echo profile >/dev/ttyS1; printf unended; exit 3`}, Env: []string{"X=a 'b'"}},
		Program{Path: busybox, Args: []string{"sh", "-c", `cat /proc/filesystems /sys/fs/cgroup/cgroup.subtree_control; test -d /sys/module/sch_netem && /bin/bash -c 'echo bash $((6*7))'`}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Codes) != 2 || r.Codes[0] != 3 || r.Codes[1] != 0 {
		t.Errorf("exit statuses %v\n%s", r.Codes, r.Console)
	}
	for _, want := range []string{"from outside it's a 'b'", "\tcgroup2\n", "\txfs\n", "cpuset cpu io memory hugetlb pids", "bash 42"} {
		if !strings.Contains(r.Console, want) {
			t.Errorf("no %q in:\n%s", want, r.Console)
		}
	}
	if string(r.Out) != "profile\n" {
		t.Errorf("out %q", r.Out)
	}
}

// kernelOf has it fetched.
func kernelOf(t *testing.T, name string) kernel {
	t.Helper()
	a, err := architecture(name)
	if err != nil {
		t.Fatal(err)
	}
	k, err := fetchKernel(t.Context(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A machine of another architecture is as the others.
func TestOtherArchitecture(t *testing.T) {
	name, machine := "arm64", "aarch64"
	if archs[name].native() {
		name, machine = "amd64", "x86_64"
	}
	busybox, err := kernelOf(t, name).busybox()
	if err != nil {
		t.Fatal(err)
	}
	m := Machine{Arch: name, Modules: []string{"loop"}, Binaries: []string{"/usr/bin/id"}, Packages: []string{"coreutils", "libc6", "libselinux1", "libpcre2-8-0"}}
	script := `uname -m; cat /sys/fs/cgroup/cgroup.subtree_control; /usr/bin/id --version; echo profile >/dev/ttyS1; exit 3`
	r, err := m.Run(t.Context(), Program{Path: busybox, Args: []string{"sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Codes[0] != 3 || string(r.Out) != "profile\n" {
		t.Errorf("exit status %d, out %q", r.Codes[0], r.Out)
	}
	for _, want := range []string{machine + "\n", "cpuset cpu io memory hugetlb pids", "id (GNU coreutils)"} {
		if !strings.Contains(r.Console, want) {
			t.Errorf("no %q in:\n%s", want, r.Console)
		}
	}
	m.Binaries = []string{"/no/such/program"}
	if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "architecture "+name+" has /no/such/program") {
		t.Errorf("a binary that is in no package: %v", err)
	}
	if _, err := (Machine{Arch: "vax"}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "architecture vax") {
		t.Errorf("an unknown architecture: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	busybox, err := lookUp("busybox")
	if err != nil {
		t.Fatal(err)
	}
	kernelOf(t, "")
	_, err = Machine{Timeout: 2 * time.Second}.Run(t.Context(), Program{Path: busybox, Args: []string{"sleep", "1000"}})
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded after 0 of 1 programs") {
		t.Errorf("%v", err)
	}
}

// The kernel's death is told with its last words.
func TestPanic(t *testing.T) {
	busybox, err := lookUp("busybox")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Machine{}.Run(t.Context(), Program{Path: busybox, Args: []string{"sh", "-c", "echo c >/proc/sysrq-trigger; sleep 1000"}})
	if err == nil || !strings.Contains(err.Error(), "after 0 of 1 programs") || !strings.Contains(err.Error(), "sysrq triggered crash") {
		t.Errorf("%v", err)
	}
}

func TestUnknownModule(t *testing.T) {
	if _, err := (Machine{Modules: []string{"nonsense"}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no module nonsense") {
		t.Errorf("%v", err)
	}
}

func TestModuleOrder(t *testing.T) {
	dir := t.TempDir()
	k := kernel{dir: dir, version: "1"}
	if err := os.MkdirAll(k.modules(), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"modules.dep": "a/b-c.ko: a/d.ko a/e.ko\na/d.ko: a/e.ko\na/e.ko:\n", "modules.builtin": "kernel/loop.ko\n",
	} {
		if err := os.WriteFile(k.modules()+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := moduleFiles(k, []string{"b_c", "loop", "d"})
	if got := strings.Join(files, " "); err != nil || got != "a/e.ko a/d.ko a/b-c.ko" {
		t.Errorf("%s, %v", got, err)
	}
}
