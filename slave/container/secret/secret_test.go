package secret

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func given(data string) *mesos.Secret {
	return &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(data)}}
}

// at is a reference; a key of "-" is none.
func at(name, key string) *mesos.Secret {
	s := &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{Name: &name}}
	if key != "-" {
		s.Reference.Key = &key
	}
	return s
}

const hidden = "correct horse battery staple"

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{"plain": hidden, "my/db/password": hidden + "\n", "empty": "", "big": strings.Repeat("x", MaxBytes+1), "full": strings.Repeat("x", MaxBytes)} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"inside": "my/db", "outside": "/etc/hostname", "up": "../../../../../../etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolder(t *testing.T) {
	f, err := OpenFolder(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		secret *mesos.Secret
		want   string
		fails  []string
	}{
		"value":              {secret: given("v"), want: "v"},
		"without a key":      {secret: at("plain", "-"), want: hidden},
		"slash before":       {secret: at("/my/db", "password"), want: hidden + "\n"},
		"name with slashes":  {secret: at("my/db/password", "-"), want: hidden + "\n"},
		"by a link within":   {secret: at("inside", "password"), want: hidden + "\n"},
		"empty":              {secret: at("empty", "-")},
		"as long as can be":  {secret: at("full", "-"), want: strings.Repeat("x", MaxBytes)},
		"missing":            {secret: at("nowhere", "-"), fails: []string{"reference", `"nowhere"`, "does not exist", "--secret_resolver"}},
		"missing key":        {secret: at("my/db", "user"), fails: []string{`"my/db/user"`, "does not exist"}},
		"key of a file":      {secret: at("plain", "key"), fails: []string{`"plain/key"`}},
		"a folder":           {secret: at("my", "db"), fails: []string{`"my/db"`, "not a file"}},
		"a pipe":             {secret: at("pipe", "-"), fails: []string{`"pipe"`, "not a file"}},
		"too big":            {secret: at("big", "-"), fails: []string{`"big"`, "more than 1048576 bytes"}},
		"too big by value":   {secret: given(strings.Repeat("x", MaxBytes+1)), fails: []string{"value.data", "1048577 bytes"}},
		"out by name":        {secret: at("../../etc/passwd", "-"), fails: []string{"reference.name", "../../etc/passwd"}},
		"out by key":         {secret: at("my", "../plain"), fails: []string{"reference.key", "../plain", `"my"`}},
		"out by link":        {secret: at("outside", "-"), fails: []string{`"outside"`}},
		"out by link upward": {secret: at("up", "-"), fails: []string{`"up"`}},
		"the folder":         {secret: at("/", "-"), fails: []string{"reference.name"}},
		"no name":            {secret: at("", "x"), fails: []string{"reference.name"}},
		"no key":             {secret: at("plain", ""), fails: []string{"reference.key", `"plain"`}},
		"key of dots":        {secret: at("my", ".."), fails: []string{"reference.key"}},
		"zero byte":          {secret: at("a\x00b", "-"), fails: []string{"reference.name"}},
		"nothing":            {fails: []string{"type", "UNKNOWN"}},
		"reference missing":  {secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum()}, fails: []string{"REFERENCE", "reference alone"}},
		"both":               {secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: at("plain", "-").Reference, Value: given(hidden).Value}, fails: []string{"reference alone"}},
		"value missing":      {secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum()}, fails: []string{"VALUE", "value alone"}},
	} {
		t.Run(name, func(t *testing.T) { expect(t, f, c.secret, c.want, c.fails) })
	}
}

func expect(t *testing.T, r Resolver, s *mesos.Secret, want string, fails []string) {
	t.Helper()
	got, err := r.Resolve(context.Background(), s)
	if (err != nil) != (fails != nil) {
		t.Fatalf("error %v, want one with %q", err, fails)
	}
	for _, word := range fails {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if err != nil && strings.Contains(err.Error(), hidden) {
		t.Errorf("%q shows the secret", err)
	}
	if string(got) != want {
		t.Errorf("resolved %q, want %q", got, want)
	}
}

func TestWithoutAResolverOnlyValuesAreHad(t *testing.T) {
	r, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, given("v"), "v", nil)
	expect(t, r, at("name", "key"), "", []string{"reference", `"name/key"`, "--secret_resolver"})
	s := given("v")
	data, err := r.Resolve(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if data[0] = 'x'; string(s.GetValue().GetData()) != "v" {
		t.Error("what was resolved is the message's own")
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("file://" + dir); err != nil {
		t.Error(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	for setting, words := range map[string]string{
		"com_example_Vault": "must be file:///PATH", "file://relative/path": "must be", "https://vault": "must be", "file:": "must be",
		"file://" + dir + "?x": "must be", "file://" + dir + "/none": "no such file", "file://" + file: "must be a folder", "file://" + open: "go-w", "%": "must be",
	} {
		if _, err := Open(setting); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "--secret_resolver") {
			t.Errorf("%s: error %v, want one that says %q", setting, err, words)
		}
	}
}

// Whatever a reference says, nothing outside of the folder is read.
func FuzzFolder(f *testing.F) {
	for _, s := range []string{"plain", "/my/db", "../x", "a//b", "./plain", "outside", "inside/../../x", "\x00", ""} {
		f.Add(s, "password", true)
		f.Add(s, s, false)
	}
	above := f.TempDir()
	dir := filepath.Join(above, "secrets")
	if err := os.MkdirAll(filepath.Join(dir, "in"), 0o755); err != nil {
		f.Fatal(err)
	}
	for path, text := range map[string]string{filepath.Join(above, "x"): "outside", filepath.Join(dir, "x"): "inside", filepath.Join(dir, "in", "x"): "inside"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	resolver, err := OpenFolder(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, key string, keyed bool) {
		s := at(name, "-")
		if keyed {
			s.Reference.Key = proto.String(key)
		}
		if got, err := resolver.Resolve(context.Background(), s); err == nil && string(got) != "inside" {
			t.Errorf("%q, %q: read %q", name, key, got)
		}
	})
}
