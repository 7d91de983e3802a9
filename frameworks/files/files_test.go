package files

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troupe/messages/mesos"
)

// patience bounds every wait; it decides nothing.
const patience = time.Minute

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// ask is an answer and its body.
func ask(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a, string(body)
}

func must(t *testing.T) func(s Served, err error) Served {
	return func(s Served, err error) Served {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestFilesAndParts(t *testing.T) {
	s := start(t, Options{})
	file := write(t, filepath.Join(t.TempDir(), "data"), "0123456789")
	for _, served := range []Served{must(t)(s.File("my data?", file)), must(t)(s.Bytes("bytes", []byte("0123456789")))} {
		for _, c := range []struct {
			method, want   string
			status, length int
			headers        []string
		}{
			{"GET", "0123456789", 200, 10, nil},
			{"HEAD", "", 200, 10, nil},
			{"GET", "345", 206, 3, []string{"Range", "bytes=3-5"}},
			{"GET", "89", 206, 2, []string{"Range", "bytes=-2"}},
			{"GET", "invalid range: failed to overlap\n", 416, 33, []string{"Range", "bytes=99-"}},
			{"POST", "method POST: expecting GET or HEAD\n", 405, 35, nil},
		} {
			a, body := ask(t, c.method, served.URL, c.headers...)
			if a.StatusCode != c.status || body != c.want || a.ContentLength != int64(c.length) {
				t.Errorf("%s %v of %s: %d, %d bytes, %q", c.method, c.headers, served.Name, a.StatusCode, a.ContentLength, body)
			}
		}
	}
}

// Nobody gets what they were not told of, and nobody gets what is not served any
// more.
func TestOnlyWhatWasTold(t *testing.T) {
	s := start(t, Options{})
	file := write(t, filepath.Join(t.TempDir(), "data"), "x")
	one, two := must(t)(s.File("data", file)), must(t)(s.File("data", file))
	if one.URL == two.URL || len(one.URL) < len("http://127.0.0.1:1/data")+26 {
		t.Errorf("%s can be guessed from %s", two.URL, one.URL)
	}
	token := strings.Split(one.URL, "/")[3]
	for _, path := range []string{"", "/", "/data", "/" + token, "/" + token + "/", "/" + token + "/other", "/x/data", "/" + token + "/data/../../../etc/passwd"} {
		if a, _ := ask(t, "GET", "http://"+s.Address()+path); a.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, a.StatusCode)
		}
	}
	if err := s.Remove(one); err != nil {
		t.Fatal(err)
	}
	if a, _ := ask(t, "GET", one.URL); a.StatusCode != http.StatusNotFound {
		t.Errorf("what was removed: %d", a.StatusCode)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if a, body := ask(t, "GET", two.URL); a.StatusCode != http.StatusGone || body != "data: is not there any more\n" {
		t.Errorf("what is gone: %d %q", a.StatusCode, body)
	}
	if err := os.Mkdir(file, 0o755); err != nil {
		t.Fatal(err)
	}
	if a, body := ask(t, "GET", two.URL); a.StatusCode != http.StatusGone || body != "data: is no file any more\n" {
		t.Errorf("what became a folder: %d %q", a.StatusCode, body)
	}
}

func TestRefusals(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := start(t, Options{})
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "f"), "x")
	for want, err := range map[string]error{
		`serve "": name is none of a file`:             second(s.Bytes("", nil)),
		`serve "..": name is none of a file`:           second(s.File("..", file)),
		`serve "a/b": name has a slash`:                second(s.Bytes("a/b", nil)),
		`serve "a\n": name has a slash`:                second(s.Bytes("a\n", nil)),
		`name is longer than 255 bytes, 256`:           second(s.Bytes(strings.Repeat("x", 256), nil)),
		`serve "x": stat ` + dir + `/no`:               second(s.File("x", dir+"/no")),
		`serve "x": ` + dir + ` is no file`:            second(s.File("x", dir)),
		`serve "x": ` + file + ` is no folder`:         second(s.Folder("x", file)),
		`serve "x": lstat ` + dir + `/no`:              second(s.Folder("x", dir+"/no")),
		`files: listen: listen tcp: lookup`:            second2(Start(Options{Listen: "no host:1"})),
		`files: host: "a/b": is no name and no`:        second2(Start(Options{Listen: "127.0.0.1:0", Host: "a/b"})),
		`serve "x": http: Server closed`:               closed(t),
		`serve "x": ` + socket(t, dir) + ` is neither`: second(s.Folder("x", dir)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "troupe-files-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func second(_ Served, err error) error   { return err }
func second2(_ *Server, err error) error { return err }

// closed is what a server says that is no more.
func closed(t *testing.T) error {
	t.Helper()
	s, err := Start(Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return second(s.Bytes("x", nil))
}

// socket is something that cannot be packed.
func socket(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "z")
	if err := exec.Command("mkfifo", name).Run(); err != nil {
		t.Fatal(err)
	}
	return name
}

// What the shell fetches is what was served, whatever it is called; a folder with
// all that is in it.
func TestFetch(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := start(t, Options{})
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "deep", "file"), "within")
	if err := os.Symlink("deep/file", filepath.Join(dir, "sub", "link")); err != nil {
		t.Fatal(err)
	}
	program := write(t, filepath.Join(t.TempDir(), "p"), "#!/bin/sh\necho it runs: $(cat sub/link)\n")
	folder := must(t)(s.Folder("folder", dir))
	odd := must(t)(s.File("it's a $(program)", program))
	cmd := exec.Command("sh", "-ec", folder.Fetch()+" && "+odd.Fetch()+` && "./it's a \$(program)"`)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "it runs: within\n" {
		t.Errorf("%q, %v", out, err)
	}
	if err := s.Remove(folder); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "troupe-files-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	cmd = exec.Command("sh", "-ec", Served{URL: folder.URL, Name: "x"}.Fetch())
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("what is not served was fetched: %q", out)
	}
}

func TestURIs(t *testing.T) {
	x := Served{URL: "http://h:1/t/x", Name: "x"}
	if u := x.URI(); u.GetValue() != x.URL || u.GetOutputFile() != "x" || u.GetExtract() || u.GetExecutable() || u.GetCache() {
		t.Errorf("%v", u)
	}
	if u := x.Program(); !u.GetExecutable() || u.GetExtract() {
		t.Errorf("%v", u)
	}
	if u := x.Unpacked(); !u.GetExtract() || u.OutputFile != nil {
		t.Errorf("%v", u)
	}
}

func TestBring(t *testing.T) {
	x, y := Served{URL: "http://h:1/t/x", Name: "x"}.URI(), Served{URL: "http://h:1/t/y", Name: "y"}.URI()
	shell := &mesos.TaskInfo{Command: &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{x}}}
	custom := &mesos.TaskInfo{Executor: &mesos.ExecutorInfo{Command: &mesos.CommandInfo{}}}
	group := &mesos.TaskInfo{}
	for _, task := range []*mesos.TaskInfo{shell, custom, group} {
		Bring(y)(task)
	}
	if got := shell.GetCommand().GetUris(); len(got) != 2 || got[1] != y {
		t.Errorf("%v", got)
	}
	if got := custom.GetExecutor().GetCommand().GetUris(); len(got) != 1 || group.Command != nil {
		t.Errorf("%v, %v", got, group)
	}
}

func TestWhereAgentsReachIt(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ listen, host, want string }{
		{"127.0.0.1:0", "", "127.0.0.1:"},
		{"127.0.0.1:0", "files.example.org", "files.example.org:"},
		{"127.0.0.1:0", "::1", "[::1]:"},
		{"127.0.0.1:0", "[::1]", "[::1]:"},
		{":0", "", name + ":"},
	} {
		s := start(t, Options{Listen: c.listen, Host: c.host})
		if !strings.HasPrefix(s.Address(), c.want) {
			t.Errorf("listens at %s as %q: %s", c.listen, c.host, s.Address())
		}
	}
}

func TestTLS(t *testing.T) {
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	defer lent.Close()
	s := start(t, Options{TLS: &tls.Config{Certificates: lent.TLS.Certificates}})
	served := must(t)(s.Bytes("x", []byte("secret")))
	if !strings.HasPrefix(served.URL, "https://") {
		t.Error(served.URL)
	}
	roots := x509.NewCertPool()
	roots.AddCert(lent.Certificate())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	a, err := client.Get(served.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if body, err := io.ReadAll(a.Body); err != nil || string(body) != "secret" {
		t.Errorf("%q, %v", body, err)
	}
}

// No name breaks out of its quotes, and no path finds what it should not.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"x", "it's", "$(x)", "a b", "%2e%2e", "?#", "\\", "é"} {
		f.Add(name)
	}
	s, err := Start(Options{Listen: "127.0.0.1:0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, name string) {
		served, err := s.Bytes(name, []byte(name))
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", served.URL, nil)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != name {
			t.Errorf("%q: %d %q", name, w.Code, w.Body)
		}
		out, err := exec.Command("sh", "-c", "printf %s "+quoted(name)).Output()
		if err != nil || string(out) != name {
			t.Errorf("%q became %q, %v", name, out, err)
		}
		if err := s.Remove(served); err != nil {
			t.Error(err)
		}
	})
}
