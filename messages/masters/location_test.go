package masters

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Location{
		"10.0.0.1:5050":               {Masters: []string{"10.0.0.1:5050"}},
		" m1:5050 ":                   {Masters: []string{"m1:5050"}},
		"m1:5050,m2:5051, [::1]:5050": {Masters: []string{"m1:5050", "m2:5051", "[::1]:5050"}},
		"zk://z1:2181/troupe":         {ZooKeeper: &ZooKeeper{Servers: []string{"z1:2181"}, Path: "/troupe"}},
		"zk://z1:2181,z2:2181/a/b/":   {ZooKeeper: &ZooKeeper{Servers: []string{"z1:2181", "z2:2181"}, Path: "/a/b"}},
		"zk://me:pass@z1:2181/m":      {ZooKeeper: &ZooKeeper{User: "me", Password: "pass", Servers: []string{"z1:2181"}, Path: "/m"}},
		"zk://me:p@ss:w/rd@z1:2181/m": {ZooKeeper: &ZooKeeper{User: "me", Password: "p@ss:w/rd", Servers: []string{"z1:2181"}, Path: "/m"}},
		"file:///etc/troupe/master":   {File: "/etc/troupe/master"},
	} {
		got, err := Parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is empty",
		"m1":                               `masters[0]: "m1": is not host:port: it has no port`,
		"m1:5050,":                         `masters[1]: "": is not host:port: it has no port`,
		"m1:5050,m2:0":                     `masters[1]: "m2:0": is not host:port: its port`,
		"m1:5050,m1:5050":                  `masters[1]: "m1:5050": is listed twice`,
		"m1:65536":                         "its port is not a number from 1 to 65535",
		"m1:05050":                         "its port is not a number",
		":5050":                            "its host is empty",
		"::1:5050":                         "an IPv6 address stands in brackets",
		"[m1]:5050":                        "no IPv6 address in its brackets",
		"[::1:5050":                        "no IPv6 address in its brackets",
		"m 1:5050":                         `its host holds ' '`,
		"me@m1:5050":                       `its host holds '@'`,
		strings.Repeat("m", 300) + ":5050": "more than 253 bytes",
		strings.Repeat("m", 1<<15):         "limit 16384",
		"http://m1:5050":                   `scheme: "http": is not known`,
		"zk:/z1:2181/m":                    "masters[0]",
		"zk://z1:2181":                     "path: is missing",
		"zk://z1:2181/":                    `path: "/": is ZooKeeper's root`,
		"zk://z1:2181//m":                  `path: "//m": has an empty part`,
		"zk://z1:2181/a/../m":              `has the part ".."`,
		"zk://z1:2181/a\x01":               `holds the character '\x01'`,
		"zk://z1/m":                        `servers[0]: "z1": is not host:port`,
		"zk://z1:2181,/m":                  `servers[1]: ""`,
		"zk:///m":                          `servers[0]: ""`,
		"zk://me@z1:2181/m":                "credentials: have no colon",
		"zk://:pw@z1:2181/m":               "credentials: have an empty user",
		"zk://me:@z1:2181/m":               "credentials: have an empty password",
		"zk://me:p\nw@z1:2181/m":           "credentials: hold a control character",
		"file://etc/master":                `file: "etc/master": is no absolute path`,
		"file://":                          `file: "": is no absolute path`,
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%.40q): %v, want %q", text, err, want)
		}
	}
}

func TestPasswordsStayHidden(t *testing.T) {
	for _, text := range []string{
		"zk://me:secret@z1:2181/m", "zk://me:secret@z1:2181", "zk://me:secret@z1/m", "zk://me:secret@/m",
		"zk://me:secret@z1:2181//m", "zk://secret@z1:2181/m", "zk://me:a@secret@z1:2181/m", "zk://me:secret\n@z1:2181/m",
	} {
		l, err := Parse(text)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q): %v", text, err)
		}
		if strings.Contains(l.String(), "secret") || strings.Contains(Redact(text), "secret") {
			t.Errorf("%q is shown as %q and %q", text, l, Redact(text))
		}
	}
	for text, want := range map[string]string{
		"m1:5050":                  "m1:5050",
		"zk://z1:2181/m":           "zk://z1:2181/m",
		"zk://me:secret@z1:2181/m": "zk://me:***@z1:2181/m",
		"x zk://me:s@z1:2181/m":    "x zk://me:***@z1:2181/m",
		"mail@zk://":               "mail@zk://",
	} {
		if got := Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

// What a location prints is read as the same location.
func TestLocationsPrintAsTheyParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfNDistinct(rapid.StringMatching(`([a-z][a-z0-9.-]{0,8}|\[::[1-9]\]):[1-9][0-9]{0,3}`), 1, 5, rapid.ID[string])
		l := Location{Masters: list.Draw(t, "masters")}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 1:
			l = Location{ZooKeeper: &ZooKeeper{Servers: l.Masters, Path: rapid.StringMatching(`(/[a-z0-9_-]{1,5}){1,3}`).Draw(t, "path")}}
		case 2:
			l = Location{File: rapid.StringMatching(`(/[a-z0-9_-]{1,5}){1,3}`).Draw(t, "path")}
		}
		if got, err := Parse(l.String()); err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("Parse(%q) = %+v, %v", l, got, err)
		}
	})
}

// Whatever is given, Parse accepts it in one form, or names what is wrong and
// repeats no password.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"m1:5050", "m1:5050,m2:5050", "[::1]:5050", "zk://z1:2181/m", "zk://a:b@z1:2181,z2:2181/m/n", "zk://a:b@", "file:///x", "zk://@@/", "://",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		forms := 0
		for _, set := range []bool{len(l.Masters) > 0, l.ZooKeeper != nil, l.File != ""} {
			if set {
				forms++
			}
		}
		if (err == nil) != (forms == 1) {
			t.Fatalf("Parse(%q) = %+v, %v", text, l, err)
		}
		if err != nil {
			return
		}
		if again, err := Parse(l.String()); err != nil || again.String() != l.String() {
			t.Fatalf("Parse(%q) = %+v, %v, from %q", l, again, err, text)
		}
	})
}
