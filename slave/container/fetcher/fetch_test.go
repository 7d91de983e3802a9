package fetcher

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const content = "the content of a file\n"

func sum256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// archiveOf is a .tar.gz with files of these names.
func archiveOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range names {
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(name))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// site is a server that has what tests fetch.
func site(t testing.TB) *httptest.Server {
	t.Helper()
	packed := archiveOf(t, "bin/run", "README")
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) })
	mux.HandleFunc("/app.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed) })
	mux.HandleFunc("/bad.tgz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) })
	mux.HandleFunc("/torn.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed[:len(packed)/2]) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/file", http.StatusFound) })
	mux.HandleFunc("/gone-away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/nothing", http.StatusFound) })
	mux.HandleFunc("/to-file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/to-ftp", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "ftp://user:pass@host/x?k=secret", http.StatusFound)
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 300 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 8<<10))
		}
	})
	mux.HandleFunc("/circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/circle", http.StatusFound) })
	mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "pass" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, content)
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, content)
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4000000000000000")
		fmt.Fprint(w, content)
	})
	mux.HandleFunc("/stall", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, content)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})
	mux.HandleFunc("/mute", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestFetch(t *testing.T) {
	s := site(t)
	disk := t.TempDir()
	write(t, filepath.Join(disk, "local"), content, 0o644)
	write(t, filepath.Join(disk, "program"), content, 0o755)
	if err := os.WriteFile(filepath.Join(disk, "app.tar.gz"), archiveOf(t, "bin/run", "README"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		uri  URI
		want map[string]os.FileMode // files and their modes; all others are too many
	}{
		{"a file", URI{Value: s.URL + "/file", Extract: true}, map[string]os.FileMode{"file": 0o644}},
		{"what a query and a fragment do not change", URI{Value: s.URL + "/file?a=b/c#d"}, map[string]os.FileMode{"file": 0o644}},
		{"redirected", URI{Value: s.URL + "/away"}, map[string]os.FileMode{"away": 0o644}},
		{"credentials", URI{Value: strings.Replace(s.URL, "://", "://user:pass@", 1) + "/secret"}, map[string]os.FileMode{"secret": 0o644}},
		{"executable", URI{Value: s.URL + "/file", Executable: true}, map[string]os.FileMode{"file": 0o755}},
		{"output_file", URI{Value: s.URL + "/file", OutputFile: "a/b/c"}, map[string]os.FileMode{"a/b/c": 0o644}},
		{"checksum", URI{Value: s.URL + "/file#sha256=" + sum256(content)}, map[string]os.FileMode{"file": 0o644}},
		{"checksum in capitals", URI{Value: s.URL + "/file#SHA256=" + strings.ToUpper(sum256(content))}, map[string]os.FileMode{"file": 0o644}},
		{"an archive", URI{Value: s.URL + "/app.tgz", Extract: true}, map[string]os.FileMode{"app.tgz": 0o644, "bin/run": 0o755, "README": 0o755}},
		{"an archive as it is", URI{Value: s.URL + "/app.tgz"}, map[string]os.FileMode{"app.tgz": 0o644}},
		{"an archive that is executable", URI{Value: s.URL + "/app.tgz", Extract: true, Executable: true}, map[string]os.FileMode{"app.tgz": 0o755}},
		{"an archive of another name", URI{Value: s.URL + "/app.tgz", Extract: true, OutputFile: "app"}, map[string]os.FileMode{"app": 0o644}},
		{"named an archive", URI{Value: "file://" + disk + "/app.tar.gz", Extract: true, OutputFile: "d/x.tgz"}, map[string]os.FileMode{"d/x.tgz": 0o600, "bin/run": 0o755, "README": 0o755}},
		{"a path", URI{Value: disk + "/local"}, map[string]os.FileMode{"local": 0o644}},
		{"a relative path", URI{Value: "local"}, map[string]os.FileMode{"local": 0o644}},
		{"a program", URI{Value: "file://localhost" + disk + "/program", Extract: true}, map[string]os.FileMode{"program": 0o755}},
		{"a path that ends in a checksum", URI{Value: disk + "/local#sha256=" + sum256(content)}, map[string]os.FileMode{"local": 0o644}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sandbox := t.TempDir()
			lines, err := try(t, Order{Sandbox: sandbox, URIs: []URI{test.uri}, Settings: Settings{Home: disk}})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(lines, "pass@") {
				t.Errorf("the log has a password: %s", lines)
			}
			if got := modes(t, sandbox); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// modes are the files below a folder.
func modes(t *testing.T, folder string) map[string]os.FileMode {
	t.Helper()
	all := map[string]os.FileMode{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		all[name] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFetchFails(t *testing.T) {
	s := site(t)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told of bad certificates
	secure.StartTLS()
	t.Cleanup(secure.Close)
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	for _, test := range []struct {
		uri  URI
		want []string // in the error
	}{
		{URI{Value: s.URL + "/nothing"}, []string{"/nothing", "404", "there is nothing at this address"}},
		{URI{Value: s.URL + "/gone-away"}, []string{"/gone-away", "redirected to", "/nothing", "404"}},
		{URI{Value: s.URL + "/to-file"}, []string{"redirects to file:///etc/passwd", "only http and https are followed"}},
		{URI{Value: s.URL + "/to-ftp"}, []string{"redirects to ftp://xxxxx@host/x?k=xxxxx", "only http and https are followed"}},
		{URI{Value: s.URL + "/headers"}, []string{"headers", "exceeded"}},
		{URI{Value: s.URL + "/circle"}, []string{"stopped after 10 redirects"}},
		{URI{Value: s.URL + "/secret"}, []string{"401", "credentials"}},
		{URI{Value: s.URL + "/short"}, []string{"connection ended after 22 bytes"}},
		{URI{Value: s.URL + "/stall"}, []string{"nothing for 200ms after 22 bytes", "--fetcher_stall_timeout"}},
		{URI{Value: s.URL + "/mute"}, []string{"does not answer"}},
		{URI{Value: s.URL + "/huge"}, []string{"4000000000000000 bytes", "room for"}},
		{URI{Value: s.URL + "/file#sha256=" + sum256("other")}, []string{sum256(content), sum256("other"), "not the file that was meant"}},
		{URI{Value: s.URL + "/bad.tgz", Extract: true}, []string{"/bad.tgz", "damaged, or not what its name says"}},
		{URI{Value: s.URL + "/torn.tgz", Extract: true}, []string{"/torn.tgz", "ends too early"}},
		{URI{Value: nobody.URL + "/x"}, []string{"nobody listens there"}},
		{URI{Value: "http://nowhere.invalid/x"}, []string{`"nowhere.invalid" is not known`}},
		{URI{Value: strings.Replace(s.URL, "http:", "https:", 1) + "/file"}, []string{"does not speak TLS"}},
		{URI{Value: secure.URL + "/file"}, []string{"authority", "does not trust"}},
		{URI{Value: "/nowhere/file"}, []string{`no file "/nowhere/file" on the agent's machine`}},
		{URI{Value: "/tmp"}, []string{`"/tmp" is no file: make an archive`}},
		{URI{Value: "/dev/null"}, []string{"is no file"}},
		{URI{Value: "relative"}, []string{"--frameworks_home"}},
		{URI{Value: "file://host/path"}, []string{"another machine"}},
		{URI{Value: "hdfs://name/file"}, []string{`"hdfs"`, "use http, https, file"}},
		{URI{Value: "ftp://name/file"}, []string{`"ftp"`}},
		{URI{Value: "S3://name/file"}, []string{`"s3"`}},
		{URI{Value: "http:///file"}, []string{"names no host"}},
		{URI{Value: "http://host"}, []string{"set output_file"}},
		{URI{Value: "http://host/.."}, []string{"set output_file"}},
		{URI{Value: "http://user:pass@ho st/x"}, []string{"//xxxxx@", "is no URL"}},
		{URI{Value: "http://host/x#sha256=1234"}, []string{"must be 64 hexadecimal digits"}},
		{URI{Value: "http://host/x#md5=1234"}, []string{"only sha256 and sha512"}},
		{URI{Value: "http://host/" + strings.Repeat("x", 256)}, []string{"too long"}},
		{URI{Value: "http://host/x", OutputFile: "../x"}, []string{"output_file", "within the sandbox"}},
		{URI{Value: "http://host/x", OutputFile: "/x"}, []string{"output_file", "within the sandbox"}},
		{URI{Value: "a\nb"}, []string{`a\nb`}},
		{URI{}, []string{"command.uris[0].value", "nothing that can be fetched"}},
	} {
		t.Run(test.uri.Value, func(t *testing.T) {
			sandbox, stall := t.TempDir(), time.Minute
			if strings.HasSuffix(test.uri.Value, "/stall") || strings.HasSuffix(test.uri.Value, "/mute") {
				stall = 200 * time.Millisecond
			}
			lines, err := try(t, Order{Sandbox: sandbox, URIs: []URI{test.uri}, Settings: Settings{StallTimeout: stall}})
			if err == nil {
				t.Fatal("it is fetched")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) || !strings.Contains(lines, want) {
					t.Errorf("got %v, and %s; want %q", err, lines, want)
				}
			}
			if strings.Contains(err.Error(), "pass@") || strings.Count(lines, "\n") > 4 {
				t.Errorf("got %v, and %s", err, lines)
			}
			if got := modes(t, sandbox); len(got) > 0 {
				t.Errorf("it leaves %v", got)
			}
		})
	}
}
