package fetcher

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	long := strings.Repeat("0A", 64)
	for _, test := range []struct {
		value             string
		name, where, kind string
	}{
		{"http://host/a/b.tgz", "b.tgz", "http://host/a/b.tgz", ""},
		{"HTTP://host/b", "b", "http://host/b", ""},
		{"https://host:1/a%20b?x=/y/z", "a b", "https://host:1/a%20b?x=/y/z", ""},
		{"https://host/b#part", "b", "https://host/b", ""},
		{"https://host/b#sha256=" + sum, "b", "https://host/b", "sha256"},
		{"https://host/b?q#sha512=" + long, "b", "https://host/b?q", "sha512"},
		{"/a/b", "b", "/a/b", ""},
		{"/a/b#c", "b#c", "/a/b#c", ""},
		{"/a/b#c=d#sha256=" + sum, "b#c=d", "/a/b#c=d", "sha256"},
		{"a/b", "b", "/home/a/b", ""},
		{"../b", "b", "/b", ""},
		{"file:///a/b", "b", "/a/b", ""},
		{"file:///a%20b", "a%20b", "/a%20b", ""},
		{"file://localhost/a/b#sha256=" + sum, "b", "/a/b", "sha256"},
	} {
		s, err := parse(URI{Value: test.value}, Settings{Home: "/home"})
		where := s.path
		if s.address != nil {
			where = s.address.String()
		}
		kind := ""
		if s.sum != nil {
			kind = s.sum.kind
			if s.sum.want != strings.ToLower(s.sum.want) {
				t.Errorf("%s: checksum %s", test.value, s.sum.want)
			}
		}
		if err != nil || s.name != test.name || where != test.where || kind != test.kind {
			t.Errorf("%s: %v; name %q, from %q, checksum %q", test.value, err, s.name, where, kind)
		}
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	for uri, want := range map[string]string{
		"http://user:pass@host/x":       "http://xxxxx@host/x",
		"http://:pass@host/x":           "http://xxxxx@host/x",
		"http://token@host/x":           "http://xxxxx@host/x",
		"http://user:p@ss@host/x":       "http://xxxxx@host/x",
		"http://user:pa/ss@host/x":      "http://xxxxx@host/x",
		"http://h/x?sig=s=1&k=v&n#f":    "http://h/x?sig=xxxxx&k=xxxxx&n#f",
		"http://h/x?a=1&a=?b=2":         "http://h/x?a=xxxxx&a=xxxxx",
		"/d/x?y=z@a":                    "/d/x?y=z@a",
		"http://host:80/x@y:z":          "http://host:80/x@y:z",
		"a\nb":                          `"a\nb"`,
		strings.Repeat("x", 2*maxShown): strings.Repeat("x", maxShown) + "…",
	} {
		if got := shown(uri); got != want {
			t.Errorf("%.50q: %.50q, want %.50q", uri, got, want)
		}
	}
}

// FuzzParse: whatever a URI is, what it becomes is a file in the sandbox.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"http://user:pass@host/a/b?c#d", "file:///a", "/a/..", "..", "http://host/%2e%2e", "http://host/a%2fb", "http://host/%00",
		"x#sha256=" + strings.Repeat("00", 32), "://", "http://[::1]:1/x", "file://", "\xff", "hdfs://x",
	} {
		f.Add(s, "")
		f.Add("http://host/x", s)
	}
	f.Fuzz(func(t *testing.T, value, output string) {
		s, err := parse(URI{Value: value, OutputFile: output, Extract: true}, Settings{Home: "/home"})
		if err != nil {
			return
		}
		if !filepath.IsLocal(s.name) || path.Clean(s.name) != s.name || strings.ContainsRune(s.name, 0) {
			t.Errorf("%q, %q: becomes %q", value, output, s.name)
		}
		if (s.address == nil) == (s.path == "") || s.address == nil && !path.IsAbs(s.path) {
			t.Errorf("%q: comes from %v and %q", value, s.address, s.path)
		}
		if strings.ContainsAny(s.shown, "\n\r\x1b") {
			t.Errorf("%q: shown as %q", value, s.shown)
		}
	})
}
