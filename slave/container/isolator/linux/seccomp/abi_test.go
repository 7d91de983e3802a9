package seccomp

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

func compiled(t *testing.T, text string, m machine) []plan.Instruction {
	t.Helper()
	p, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	code, err := compile(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

const (
	allow  = verdict(unix.SECCOMP_RET_ALLOW)
	eperm  = verdict(unix.SECCOMP_RET_ERRNO | 1)
	killed = verdict(unix.SECCOMP_RET_KILL_PROCESS)
)

func TestOtherWaysToCall(t *testing.T) {
	const denies = `{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [%], "syscalls": [{"names": ["mkdir", "execve", "ioctl"], "action": "SCMP_ACT_ERRNO"}]}`
	with := func(archs string) string { return strings.Replace(denies, "%", archs, 1) }
	only := with(``)
	both := with(`{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}`)
	all := with(`{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}, {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}`)
	foreignOnly := with(`{"architecture": "SCMP_ARCH_S390X", "subArchitectures": ["SCMP_ARCH_X86"]}`)
	mips := uint32(unix.AUDIT_ARCH_MIPS)
	for name, c := range map[string]struct {
		profile, goarch string
		arch, number    uint32
		want            verdict
	}{
		"amd64 denied":                 {only, "amd64", unix.AUDIT_ARCH_X86_64, 83, eperm},
		"amd64 allowed":                {only, "amd64", unix.AUDIT_ARCH_X86_64, 0, allow},
		"386 not named":                {only, "amd64", unix.AUDIT_ARCH_I386, 0, killed},
		"386 named for another":        {foreignOnly, "amd64", unix.AUDIT_ARCH_I386, 0, killed},
		"386 denied by its number":     {both, "amd64", unix.AUDIT_ARCH_I386, 39, eperm},
		"386 allowed at amd64's":       {both, "amd64", unix.AUDIT_ARCH_I386, 83, allow},
		"x32 not named":                {both, "amd64", unix.AUDIT_ARCH_X86_64, x32Bit, killed},
		"x32 named":                    {all, "amd64", unix.AUDIT_ARCH_X86_64, x32Bit, allow},
		"x32 denied":                   {all, "amd64", unix.AUDIT_ARCH_X86_64, x32Bit | 83, eperm},
		"x32 denied by its number":     {all, "amd64", unix.AUDIT_ARCH_X86_64, x32Bit | 520, eperm},
		"x32 denied by amd64's":        {all, "amd64", unix.AUDIT_ARCH_X86_64, x32Bit | 59, eperm},
		"x32 without its mark":         {all, "amd64", unix.AUDIT_ARCH_X86_64, 514, killed},
		"the last of these":            {all, "amd64", unix.AUDIT_ARCH_X86_64, 547, killed},
		"behind them":                  {all, "amd64", unix.AUDIT_ARCH_X86_64, 548, allow},
		"before them":                  {all, "amd64", unix.AUDIT_ARCH_X86_64, 511, allow},
		"a tracer's":                   {only, "amd64", unix.AUDIT_ARCH_X86_64, 0xffffffff, allow},
		"of another machine":           {all, "amd64", mips, 0, killed},
		"arm64 allowed":                {all, "arm64", unix.AUDIT_ARCH_AARCH64, 83, allow},
		"arm64 denied":                 {all, "arm64", unix.AUDIT_ARCH_AARCH64, 221, eperm},
		"arm denied":                   {all, "arm64", unix.AUDIT_ARCH_ARM, 39, eperm},
		"arm not named":                {only, "arm64", unix.AUDIT_ARCH_ARM, 0, killed},
		"amd64's numbers on arm64":     {only, "arm64", unix.AUDIT_ARCH_X86_64, 0, killed},
		"arm's mark is not x32's":      {all, "arm64", unix.AUDIT_ARCH_AARCH64, x32Bit, allow},
		"beyond all calls, by default": {all, "arm64", unix.AUDIT_ARCH_ARM, 0xffffffff, allow},
	} {
		m := machine{goarch: c.goarch}
		if got := interpret(t, compiled(t, c.profile, m), call{number: c.number, arch: c.arch}); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
	if _, err := compile(&profile{DefaultAction: "SCMP_ACT_ALLOW"}, machine{goarch: "riscv64"}); err == nil {
		t.Error("compiled for a machine whose numbers are not known")
	}
}

// On 386 socketcall and ipc do what other calls do.
func TestMultiplexedCalls(t *testing.T) {
	const head = `{"architectures": ["SCMP_ARCH_X86"], "defaultAction": `
	for name, c := range map[string]struct {
		profile string
		number  uint32
		arg     uint64
		want    verdict
	}{
		"denied, so by socketcall":     {head + `"SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO"}]}`, 102, 1, eperm},
		"another by socketcall":        {head + `"SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO"}]}`, 102, 2, allow},
		"socketcall allowed, one not":  {head + `"SCMP_ACT_ERRNO", "syscalls": [{"names": ["bind"], "action": "SCMP_ACT_KILL_PROCESS"}, {"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"}]}`, 102, 2, killed},
		"allowed, so by socketcall":    {head + `"SCMP_ACT_ERRNO", "syscalls": [{"names": ["sendmmsg"], "action": "SCMP_ACT_ALLOW"}]}`, 102, 20, allow},
		"denied by what is hidden":     {head + `"SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}]}`, 102, 1, eperm},
		"allowed by what is hidden":    {head + `"SCMP_ACT_ERRNO", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]}]}`, 102, 1, eperm},
		"by ipc, with a version above": {head + `"SCMP_ACT_ALLOW", "syscalls": [{"names": ["shmat"], "action": "SCMP_ACT_ERRNO"}]}`, 117, 21 | 1<<16, eperm},
	} {
		c386 := call{number: c.number, arch: unix.AUDIT_ARCH_I386, args: [6]uint64{c.arg}}
		if got := interpret(t, compiled(t, c.profile, here), c386); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
}

// Minus one has 64 bits in a profile and 32 in a call of 386.
func TestNegativeArgumentsOf386(t *testing.T) {
	text := `{"architectures": ["SCMP_ARCH_X86"], "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]},
		{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551600, "valueTwo": 18446744073709551600, "op": "SCMP_CMP_MASKED_EQ"}]}]}`
	code := compiled(t, text, here)
	for arg, want := range map[uint64]verdict{0xffffffff: eperm, 1: allow} {
		if got := interpret(t, code, call{number: 37, arch: unix.AUDIT_ARCH_I386, args: [6]uint64{arg}}); got != want {
			t.Errorf("kill(%#x) of 386: %#x, want %#x", arg, got, want)
		}
		if got := interpret(t, code, call{number: 136, arch: unix.AUDIT_ARCH_I386, args: [6]uint64{arg}}); got != want {
			t.Errorf("personality(%#x) of 386: %#x, want %#x", arg, got, want)
		}
	}
	if got := interpret(t, code, call{number: 62, arch: unix.AUDIT_ARCH_X86_64, args: [6]uint64{0xffffffff}}); got != allow {
		t.Errorf("kill of amd64, whose arguments have 64 bits: %#x", got)
	}
}

func TestNumbers(t *testing.T) {
	if len(x32Own) != x32Last-x32First+1 {
		t.Errorf("%d calls of x32's own", len(x32Own))
	}
	for _, name := range x32Own {
		if n, _ := amd64.numbers(name); len(n) != 1 {
			t.Errorf("%s is unknown", name)
		}
	}
	for _, name := range socketcalls[:8] {
		if _, known := i386.numbers(name); !known {
			t.Errorf("%s is unknown", name)
		}
	}
	for name, row := range map[string][4]int64{"read": {0, 3, 63, 3}, "mmap2": {-1, 192, -1, 192}, "s390_pci_mmio_read": {-1, -1, -1, -1}} {
		if table()[name] != row {
			t.Errorf("%s: %v, want %v", name, table()[name], row)
		}
	}
	// As this machine's kernel has them.
	for name, want := range map[string]uint32{"read": unix.SYS_READ, "seccomp": unix.SYS_SECCOMP, "clone3": unix.SYS_CLONE3, "prlimit64": unix.SYS_PRLIMIT64} {
		if n, _ := native[runtime.GOARCH][0].numbers(name); len(n) != 1 || n[0] != want {
			t.Errorf("%s is %v, want %d", name, n, want)
		}
	}
}
