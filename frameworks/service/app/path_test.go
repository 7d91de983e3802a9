package app

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A.1: what a path may be, and what relative ones mean.
func TestPath(t *testing.T) {
	for _, c := range []struct{ text, base, want string }{
		{"/prod/web", "/", "/prod/web"},
		{"web", "/", "/web"},
		{"web", "/prod", "/prod/web"},
		{"../db", "/prod/web", "/prod/db"},
		{"../../../x", "/prod", "/x"},
		{"./a/./b", "/", "/a/b"},
		{"//a///b//", "/", "/a/b"},
		{"/", "/prod", "/"},
		{"..", "/prod", "/"},
		{"/a.b-c.d9/0", "/", "/a.b-c.d9/0"},
		{"/tasks/restart", "/", "/tasks/restart"},
	} {
		got, err := ParsePath(c.text, Path(c.base))
		if err != nil || string(got) != c.want {
			t.Errorf("ParsePath(%q, %q) = %q, %v; want %q", c.text, c.base, got, err, c.want)
		}
	}
	for _, text := range []string{"", "/Web", "/a_b", "/-a", "/a-", "/a..b", "/.a", "/a.", "/a b", "/ä", "/a\x00", "/...", "/" + strings.Repeat("a", longest)} {
		if got, err := ParsePath(text, Root); err == nil {
			t.Errorf("ParsePath(%q) = %q without an error", text, got)
		}
	}
}

// A.1: the last segment must not be taken for a part of the API.
func TestLastSegmentIsReserved(t *testing.T) {
	for path, bad := range map[Path]bool{
		"/": true, "": true, "/a/restart": true, "/tasks": true, "/a/versions": true, "/tasks/a": false, "/a": false,
	} {
		if got := path.checkLast(); (got != "") != bad {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// A.1: the two derived forms.
func TestDerivedForms(t *testing.T) {
	p := Path("/prod/eu/web")
	if p.Flat() != "prod_eu_web" || p.Host() != "web.eu.prod" || p.Last() != "web" || p.Parent() != "/prod/eu" || p.Top() != "/prod" {
		t.Error(p.Flat(), p.Host(), p.Last(), p.Parent(), p.Top())
	}
	if Root.Parent() != Root || Root.Last() != "" || Root.Top() != Root || Path("/a").Parent() != Root {
		t.Error("the root has relatives")
	}
	for _, c := range []struct {
		p, g  Path
		below bool
	}{{"/a", "/", true}, {"/", "/", false}, {"/a", "/a", false}, {"/ab", "/a", false}, {"/a/b", "/a", true}, {"/a", "/a/b", false}} {
		if c.p.Below(c.g) != c.below {
			t.Errorf("%s below %s: %v", c.p, c.g, !c.below)
		}
	}
}

func segment() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-c0-9]{1,2}(-[a-c]|\.[a-c])?`)
}

func paths(depth int) *rapid.Generator[Path] {
	return rapid.Custom(func(t *rapid.T) Path {
		return Path("/" + strings.Join(rapid.SliceOfN(segment(), 1, depth).Draw(t, "segments"), "/"))
	})
}

// A clean path reads as itself, from any base, and comes back from its flat form.
func TestPathIsFixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, base := paths(5).Draw(t, "path"), paths(3).Draw(t, "base")
		if got, err := ParsePath(string(p), base); got != p || err != nil {
			t.Fatalf("%s became %s, %v", p, got, err)
		}
		if got, err := FromFlat(p.Flat()); got != p || err != nil {
			t.Fatalf("%s became %s, %v", p, got, err)
		}
		if got, _ := ParsePath(p.Last(), p.Parent()); got != p {
			t.Fatalf("%s in %s is %s", p.Last(), p.Parent(), got)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"/a/b", "../x", "a..b", "//", "/A", ""} {
		f.Add(s, "/base")
	}
	f.Fuzz(func(t *testing.T, text, base string) {
		b, err := ParsePath(base, Root)
		if err != nil {
			b = Root
		}
		p, err := ParsePath(text, b)
		if err != nil {
			return
		}
		if again, err := ParsePath(string(p), Root); again != p || err != nil {
			t.Fatalf("%q became %q, which became %q, %v", text, p, again, err)
		}
	})
}

// A.17: timestamps have three digits, and no two updates one version.
func TestVersion(t *testing.T) {
	for text, want := range map[string]string{
		"2015-09-01T11:22:33.444Z":      "2015-09-01T11:22:33.444Z",
		"2015-09-01T11:22:33Z":          "2015-09-01T11:22:33.000Z",
		"2015-09-01T13:22:33.4+02:00":   "2015-09-01T11:22:33.400Z",
		"2015-09-01T11:22:33.444999Z":   "2015-09-01T11:22:33.444Z",
		"1970-01-01T00:00:00.000Z":      "1970-01-01T00:00:00.000Z",
		"9999-12-31T23:59:59.999+00:00": "9999-12-31T23:59:59.999Z",
	} {
		v, err := ParseVersion(text)
		if err != nil || v.String() != want {
			t.Errorf("%s is %s, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "yesterday", "2015-09-01", "1969-12-31T23:59:59.000Z", "9999-12-31T23:59:59.999-01:00"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("%q is %s", text, v)
		}
	}
	now := time.UnixMilli(1000)
	first := Next(now, 0)
	if second := Next(now, first); first != 1000 || second != 1001 || Next(time.UnixMilli(5000), second) != 5000 {
		t.Error(first, second)
	}
}
