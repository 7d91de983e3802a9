package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	root      = "../.."
	committed = root + "/slave/container/isolator/linux/seccomp/numbers.txt"
)

func TestTheCommittedTableIsWhatTheModuleHas(t *testing.T) {
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "numbers.txt")
	if err := run([]string{root, out}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("numbers.txt is stale: run go generate ./slave/container/isolator/linux/seccomp")
	}
}

func TestTable(t *testing.T) {
	got, err := table(fstest.MapFS{
		"zsysnum_linux_amd64.go": {Data: []byte("const (\n\tSYS_READ  = 0\n\tSYS__SYSCTL = 156\n)\n")},
		"zsysnum_linux_arm.go":   {Data: []byte("const (\n\tSYS_SYSCALL_MASK = 0\n\tSYS_READ = 3\n)\n")},
		"zsysnum_linux_s390x.go": {Data: []byte("const (\n\tSYS_S390_RUNTIME_INSTR = 342\n)\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"read 0 - - 3", "_sysctl 156 - - -", "s390_runtime_instr - - - -", "set_tls - - - 983045"} {
		if !strings.Contains(string(got), "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if err := run(nil); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("without arguments: %v", err)
	}
	if _, err := table(fstest.MapFS{"zsysnum_linux_arm.go": {Data: []byte("\tSYS_X = 99999999999\n")}}); err == nil {
		t.Error("a number beyond 32 bits is accepted")
	}
}
