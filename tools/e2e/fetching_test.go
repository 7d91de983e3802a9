package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// packed is an archive of one program, which greets.
func packed(t *testing.T, name string, mode int64) []byte {
	t.Helper()
	const program = "#!/bin/sh\ncat greeting\n"
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(program)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTasksFetch: what tasks name is there before they begin; what cannot be had ends
// them with a message that says why, and nothing else.
func TestTasksFetch(t *testing.T) {
	app, hostile := packed(t, "bin/greet", 0o755), packed(t, "../greet", 0o755)
	sum := sha256.Sum256(app)
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/app.tgz", func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); _, _ = w.Write(app) })
	mux.HandleFunc("/hostile.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(hostile) })
	s := httptest.NewServer(mux)
	defer s.Close()
	w := newWorld(t)
	greeting := filepath.Join(w.dir, "greeting")
	if err := os.WriteFile(greeting, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.local("--agents=1")
	good := "--uri=" + s.URL + "/app.tgz#sha256=" + hex.EncodeToString(sum[:])
	w.do("run", "--instances=3", good, "--uri="+greeting, "--", "./bin/greet").check(t, "three that fetch the same", 0, `^(greet-\d \| hello\n){3}$`, "TASK_FINISHED")
	if n := asked.Load(); n != 1 {
		t.Errorf("%d downloads for one agent", n)
	}
	for uri, want := range map[string]string{
		s.URL + "/nothing":     "404 Not Found",
		s.URL + "/hostile.tgz": "leads out of the sandbox",
		s.URL + "/app.tgz#sha256=" + strings.Repeat("00", 32):  "not the file that was meant",
		"ftp://" + strings.TrimPrefix(s.URL, "http://") + "/x": "the scheme .*ftp.* is not fetched",
		filepath.Join(w.dir, "nothing"):                        "there is no file",
	} {
		w.do("run", "--uri="+uri, "--", "touch", "begun").check(t, uri, 1, "^$", "TASK_FAILED.*"+want)
	}
	if found, err := filepath.Glob(filepath.Join(w.dir, "*", "*", "*", "slaves", "*", "frameworks", "*", "executors", "*", "runs", "*", "begun")); len(found) > 0 || err != nil {
		t.Errorf("these began without what they need: %v, %v", found, err)
	}
}
