package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be asked for is refused by name, before a daemon starts; no error
// holds a secret.
func TestAccessFlags(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", `{"credentials":[{"principal":"ops","secret":"sesame"}]}`)
	bad := file("bad", `{"credentials":[{"principal":"ops","secret":"sesame"},{"principal":"sesame"}]}`)
	key, empty := file("key", "sesame"), file("empty", "")
	master := []string{"master", "--registry=in_memory", "--port=0"}
	agent := []string{"agent", "--master=127.0.0.1:1", "--work_dir=" + filepath.Join(dir, "agent"), "--port=0"}
	local := []string{"local", "--port=0", "--agents=1"}
	for _, c := range []struct {
		daemon []string
		flags  string
		want   string
	}{
		{master, "--authenticate_http_readonly", "--authenticate_http_readonly needs --credentials"},
		{master, "--authenticate_http_readwrite", "--authenticate_http_readwrite needs --credentials"},
		{master, "--authenticate_http_frameworks", "--authenticate_http_frameworks needs --credentials"},
		{master, "--credentials=/nowhere", "--credentials: open /nowhere"},
		{master, "--credentials=file:///nowhere", "--credentials: open /nowhere"},
		{master, "--credentials=" + dir, "--credentials: read " + dir},
		{master, "--credentials=" + bad, `--credentials="` + bad + `": credentials[1].secret: is absent`},
		{master, "--http_authenticators=basic,kerberos", `--http_authenticators="basic,kerberos" has "kerberos", which is none of ["basic"]`},
		{master, "--http_authenticators=jwt", `has "jwt"`},
		{master, "--http_authenticators=", "names none"},
		{master, "--http_framework_authenticators=org_apache_x", `--http_framework_authenticators="org_apache_x" has`},
		{agent, "--authenticate_http_readonly", "--authenticate_http_readonly needs --http_credentials"},
		{agent, "--authenticate_http_executors", "--authenticate_http_executors needs --jwt_secret_key"},
		{agent, "--authenticate_http_executors --jwt_secret_key=" + empty, `--jwt_secret_key="` + empty + `" is empty`},
		{agent, "--jwt_secret_key=/nowhere", "--jwt_secret_key: open /nowhere"},
		{agent, "--authenticate_http_executors --jwt_secret_key=" + key + " --http_authenticators=basic", "--authenticate_http_executors: nobody could prove anything"},
		{agent, "--authenticate_http_readonly --http_authenticators=jwt --http_credentials=" + good + " --jwt_secret_key=" + key, "--authenticate_http_readonly: nobody could prove anything"},
		{agent, "--http_authenticators=magic", `--http_authenticators="magic" has "magic"`},
		{agent, "--http_credentials=" + bad, `--http_credentials="` + bad + `": credentials[1].secret`},
		{local, "--authenticate_http_readwrite", "--authenticate_http_readwrite needs --credentials"},
		{local, "--authenticate_http_readonly --credentials=" + good, "--authenticate_http_readonly needs --principal and --secret"},
		{local, "--authenticate_http_executors", "--authenticate_http_executors needs --jwt_secret_key"},
		{[]string{"agents"}, "--secret=sesame", "--secret needs --principal"},
		{[]string{"agents"}, "--secret=sesame --principal=a:b", `--principal="a:b" has a colon`},
	} {
		var out, errs strings.Builder
		code := Run(t.Context(), append(append([]string{}, c.daemon...), strings.Fields(c.flags)...), Streams{Out: &out, Err: &errs})
		if text := strings.ReplaceAll(errs.String(), bad, ""); code != usage || !strings.Contains(errs.String(), c.want) || strings.Contains(text, "sesame") {
			t.Errorf("%s %s: exit status %d, want %q:\n%s", c.daemon[0], c.flags, code, c.want, &errs)
		}
	}
}
