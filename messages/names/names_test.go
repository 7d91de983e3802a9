package names

import (
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckID(t *testing.T) {
	for _, good := range []string{"a", "68efc341-25d3-4305-8cde-0d13ba972218-S0", "ct:1:0:job:", "...", "-", "Ünïcode 任務", strings.Repeat("x", MaxID)} {
		if err := CheckID("task_id", good); err != nil {
			t.Error(err)
		}
	}
	for bad, reason := range map[string]string{
		"":                              "empty",
		".":                             `"."`,
		"..":                            `".."`,
		"a/b":                           `'/'`,
		`a\b`:                           `'\\'`,
		"a\nb":                          `'\n'`,
		"a\x00":                         `'\x00'`,
		"a\u0085":                       `'\u0085'`,
		"a\xff":                         "'�'",
		strings.Repeat("x", MaxID+1):    "256 bytes",
		strings.Repeat("x", 1<<16) + "": "65536 bytes",
	} {
		err := CheckID("task_id", bad)
		if err == nil || !strings.Contains(err.Error(), reason) || !strings.HasPrefix(err.Error(), "task_id: ") {
			t.Errorf("%.20q: got %v, want a reason with %s", bad, err, reason)
		}
	}
}

func TestGoodIDsAreFileNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		if CheckID("id", id) == nil && (filepath.Base(id) != id || !filepath.IsLocal(id)) {
			t.Errorf("%q is no file name", id)
		}
	})
}

func TestCheckRole(t *testing.T) {
	for _, good := range []string{"*", "eng", "eng/web", "a.b", "a*", "x-y", "ä", "eng/..."} {
		if err := CheckRole("role", good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "/", "/eng", "eng/", "a//b", ".", "..", "a/..", "a/./b", "a/*", "*/a", "-a", "a/-b", "a b", "a\tb", "a\bb", "a\u00a0b", "a\x7f", "\xff"} {
		if err := CheckRole("role", bad); err == nil || !strings.HasPrefix(err.Error(), "role: ") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		role, ancestor string
		want           bool
	}{
		{"eng", "eng", true},
		{"eng/web", "eng", true},
		{"eng/web/a", "eng", true},
		{"engine", "eng", false},
		{"eng", "eng/web", false},
		{"*", "*", true},
		{"eng", "*", false},
	} {
		if got := Within(c.role, c.ancestor); got != c.want {
			t.Errorf("Within(%q, %q) = %v", c.role, c.ancestor, got)
		}
	}
}

func TestCheckResource(t *testing.T) {
	for _, good := range []string{"cpus", "network_bandwidth", "a b", "gpu-a100"} {
		if err := CheckResource("name", good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", " a", "a:b", "a;b", "a(b)", "a{", "a\n", "a\x00", "\xff", strings.Repeat("n", 256)} {
		if err := CheckResource("name", bad); err == nil || !strings.HasPrefix(err.Error(), "name: ") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestCheckMachine(t *testing.T) {
	for _, good := range [][2]string{{"h", ""}, {"Node-1.example.org", ""}, {"", "10.0.0.1"}, {"h", "::1"}} {
		if err := CheckMachine("id", good[0], good[1]); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for text, bad := range map[string][2]string{
		`id: has neither hostname nor ip`:        {"", ""},
		`id.hostname: "a b": holds white space`:  {"a b", ""},
		`id.hostname: "a/b": holds white space`:  {"a/b", "10.0.0.1"},
		`id.hostname: "a@b": holds white space`:  {"a@b", ""},
		`id.ip: "10.0.0.256": is not an address`: {"a", "10.0.0.256"},
		`id.ip: "ten": is not an address`:        {"", "ten"},
		`is longer than`:                         {strings.Repeat("h", MaxID+1), ""},
	} {
		if err := CheckMachine("id", bad[0], bad[1]); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want %q", bad, err, text)
		}
	}
}

func TestMachinesAreComparedWithoutCase(t *testing.T) {
	if a, b := Machine("Node-1", "FE80::1"), Machine("node-1", "fe80::1"); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if Machine("a", "") == Machine("", "a") || Machine("", "") != NoMachine {
		t.Error("a host name is taken for an address")
	}
}

func TestCheckSandboxPath(t *testing.T) {
	for value, want := range map[string]string{
		"data":    "",
		"a/..b/c": "",
		"./a":     "",
		"":        `p: must be set`,
		"/data":   `p: "/data": must be relative`,
		"..":      `p: "..": must not lead out of the sandbox`,
		"a/../b":  `p: "a/../b": must not lead out of the sandbox`,
		"a\x00b":  `p: "a\x00b": must not contain a zero byte`,
	} {
		got := ""
		if err := CheckSandboxPath("p", value); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

func TestCheckContainerPath(t *testing.T) {
	for value, want := range map[string]string{
		"data":     "",
		"/srv/a":   "",
		"":         `p: must be set`,
		"/":        `p: "/": must be relative`,
		"/srv/..":  `p: "srv/..": must not lead out of the sandbox`,
		"/a\x00b":  `p: "a\x00b": must not contain a zero byte`,
		"../x":     `p: "../x": must not lead out of the sandbox`,
		"/../etc/": `p: "../etc/": must not lead out of the sandbox`,
	} {
		got := ""
		if err := CheckContainerPath("p", value); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}
