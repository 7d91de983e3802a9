package seccomp

import (
	"os"
	"strings"
	"testing"
)

func TestRefusedProfiles(t *testing.T) {
	rule := func(text string) string {
		return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG"}, {` + text + `}]}`
	}
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"nothing":              {``, []string{"EOF"}},
		"no object":            {`[]`, []string{"array"}},
		"two":                  {`{"defaultAction": "SCMP_ACT_ALLOW"} {}`, []string{"more follows"}},
		"no default":           {`{}`, []string{"defaultAction", `""`}},
		"unknown default":      {`{"defaultAction": "allow"}`, []string{"defaultAction", `"allow"`}},
		"a listener's":         {`{"defaultAction": "SCMP_ACT_NOTIFY"}`, []string{"defaultAction", "SCMP_ACT_NOTIFY", "cannot be had"}},
		"default errno":        {`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}`, []string{"defaultErrnoRet", "4096", "4095"}},
		"errnos that differ":   {`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "defaultErrno": "ENOSYS"}`, []string{"defaultErrno", "ENOSYS"}},
		"errno without errors": {`{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrno": "EPERM"}`, []string{"defaultErrno", "only for"}},
		"unknown field":        {`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}`, []string{"listenerPath"}},
		"flag":                 {`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]}`, []string{"flags[0]", "SPEC_ALLOW"}},
		"two lists of archs":   {`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}`, []string{"architectures", "archMap"}},
		"unknown arch":         {`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["X86"]}`, []string{"architectures[0]", `"X86"`}},
		"unknown sub arch":     {`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_VAX"]}]}`, []string{"archMap[0]", "SCMP_ARCH_VAX"}},
		"no names":             {rule(`"names": [], "action": "SCMP_ACT_LOG"`), []string{"syscalls[1].names"}},
		"name and names":       {rule(`"name": "read", "names": ["write"], "action": "SCMP_ACT_LOG"`), []string{"syscalls[1].name", "read"}},
		"no action":            {rule(`"names": ["write"]`), []string{"syscalls[1].action"}},
		"unknown errno":        {rule(`"names": ["write"], "action": "SCMP_ACT_ERRNO", "errno": "EWHAT"`), []string{"syscalls[1].errno", "EWHAT"}},
		"unknown capability":   {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_WHAT"]}`), []string{"syscalls[1].includes", "caps[0]", "CAP_WHAT"}},
		"unknown machine":      {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "excludes": {"arches": ["vax"]}`), []string{"syscalls[1].excludes.arches[0]", "vax"}},
		"unknown kernel":       {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "excludes": {"minKernel": "new"}`), []string{"syscalls[1].excludes", "minKernel", "new"}},
		"seventh argument":     {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]`), []string{"syscalls[1].args[0].index", "6"}},
		"unknown comparison":   {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 5, "value": 1, "op": "EQ"}]`), []string{"syscalls[1].args[0].op", "EQ"}},
		"negative value":       {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 5, "value": -1, "op": "SCMP_CMP_EQ"}]`), []string{"-1"}},
		"beside the mask":      {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 5, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]`), []string{"syscalls[1].args[0].valueTwo", "mask"}},
		"one argument twice":   {rule(`"names": ["write"], "action": "SCMP_ACT_LOG", "args": [{"index": 5, "value": 1, "op": "SCMP_CMP_NE"}, {"index": 5, "value": 2, "op": "SCMP_CMP_NE"}]`), []string{"syscalls[1].args[1].index", "more than once"}},
		"too long":             {strings.Repeat(" ", maxProfile+1), []string{"bytes"}},
	} {
		_, err := parse([]byte(c.text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", name, err, word)
			}
		}
	}
}

func TestUnknownCallsAreRefusedWhereTheRuleCounts(t *testing.T) {
	text := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write", "not_a_call"], "action": "SCMP_ACT_ERRNO", "includes": {"arches": ["amd64"]}}]}`
	p, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compile(p, machine{goarch: "amd64"}); err == nil || !strings.Contains(err.Error(), "syscalls[0].names[1]") || !strings.Contains(err.Error(), "not_a_call") {
		t.Errorf("error %v", err)
	}
	if _, err := compile(p, machine{goarch: "arm64"}); err != nil {
		t.Error(err)
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]version{"4.8": {4, 8}, "6.18.44-fc-v657": {6, 18}, "5.10-rc1": {5, 10}, "5.4.0": {5, 4}} {
		if got, err := toVersion(text); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	if (version{5, 10}).atLeast(version{6, 0}) || !(version{5, 10}).atLeast(version{5, 4}) || !(version{6, 0}).atLeast(version{5, 10}) || !(version{5, 4}).atLeast(version{5, 4}) {
		t.Error("versions are compared wrong")
	}
}

// Whatever the file has, it is refused or makes a program that ends everywhere.
func FuzzProfile(f *testing.F) {
	text, err := os.ReadFile("testdata/strict.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, uint32(83), uint64(1))
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X32"], "syscalls": [{"name": "read", "action": "SCMP_ACT_TRACE", "errnoRet": 7}]}`), uint32(0), uint64(0))
	f.Fuzz(func(t *testing.T, text []byte, number uint32, arg uint64) {
		p, err := parse(text)
		if err != nil {
			return
		}
		for _, m := range []machine{here, {goarch: "arm64"}} {
			code, err := compile(p, m)
			if err != nil {
				continue
			}
			for _, a := range native[m.goarch] {
				interpret(t, code, call{number: number, arch: a.audit, args: [6]uint64{arg, arg, arg, arg, arg, arg}})
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	text, err := os.ReadFile("testdata/strict.json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := compile(p, here); err != nil {
			b.Fatal(err)
		}
	}
}
