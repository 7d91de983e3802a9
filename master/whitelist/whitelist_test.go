package whitelist

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestHostsAreReadFromLines(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"\n \n":                        nil,
		"a":                            {"a"},
		"b.example\n\tA.Example \r\nb": {"a.example", "b", "b.example"},
		"10.0.0.1\n::1\n":              {"10.0.0.1", "::1"},
	} {
		path := filepath.Join(t.TempDir(), "hosts")
		write(t, path, text)
		f, err := Open(path)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := slices.Sorted(maps.Keys(f.Hosts())); f.Hosts() == nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestABadFileLeavesTheHostsFromBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "a\nb\n")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	reads := func(changed bool, says string, hosts ...string) {
		t.Helper()
		got, err := f.Read()
		if got != changed || (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("changed %v, %v; want %v, %q", got, err, changed, says)
		}
		if got := slices.Sorted(maps.Keys(f.Hosts())); !slices.Equal(got, hosts) {
			t.Errorf("the hosts are %q, want %q", got, hosts)
		}
	}
	reads(false, "", "a", "b")
	write(t, path, "a\nb c\n")
	reads(false, path+`: line 2.hostname: "b c"`, "a", "b")
	write(t, path, "a/b\n")
	reads(false, "line 1", "a", "b")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	reads(false, path, "a", "b")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	reads(false, "is not a regular file", "a", "b")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Repeat("\n", maxSize+1))
	reads(false, "is larger than", "a", "b")
	write(t, path, "c\n")
	reads(true, "", "c")
	write(t, path, "")
	reads(true, "")
}

func TestABadFileCannotBeOpened(t *testing.T) {
	if f, err := Open(filepath.Join(t.TempDir(), "absent")); err == nil || f != nil {
		t.Errorf("an absent file: %v, %v", f, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a\nb\n")
	f.Add("a b")
	f.Add("\x00")
	f.Add(" A\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		hosts, err := parse(text)
		if (err == nil) != (hosts != nil) {
			t.Fatalf("%v and %v", hosts, err)
		}
		for host := range hosts {
			if host == "" || host != strings.ToLower(strings.TrimSpace(host)) || strings.Contains(host, "\n") {
				t.Fatalf("host %q of %q", host, text)
			}
		}
	})
}
