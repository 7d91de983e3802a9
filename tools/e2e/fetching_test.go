package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"troupe/tools/processtest"
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
	cluster := w.local("--agents=1")
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
	cluster.Signal(syscall.SIGINT)
	cluster.wait().check(t, "local after SIGINT", 0, "", "^$")
}

// isolating is a cluster whose agent holds containers to their memory, and keeps
// their output short.
func (w *world) isolating() (c *cluster, group string) {
	w.t.Helper()
	c = &cluster{world: w, masterPort: processtest.FreePort(w.t), agentPort: processtest.FreePort(w.t)}
	w.flags = append(w.flags, fmt.Sprintf("--master=127.0.0.1:%d", c.masterPort))
	group = fmt.Sprintf("troupe-e2e-fetching-%d", os.Getpid())
	w.t.Cleanup(func() { removeGroups(w.t, group) })
	c.startMaster()
	c.startAgent("--isolation=cgroups/cpu,cgroups/mem", "--cgroups_root="+group,
		"--fetcher_max_dictionary_size=0B", // it is the container that is to bound it
		"--container_logger=rotate", "--container_logger_max_stdout_size=4KB", "--container_logger_keep=9")
	return c, group
}

// removeGroups removes what agents leave of their control groups: the one that all
// are in.
func removeGroups(t *testing.T, group string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("/sys/fs/cgroup", "*", group))
	if err != nil {
		t.Error(err)
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			t.Errorf("something is left in a control group: %v", err)
		}
	}
}

// fetching are the processes that fetch, and their control groups.
func (w *world) fetching() map[int]string {
	all := map[int]string{}
	for _, p := range w.Processes() {
		if strings.HasPrefix(p.Command, "troupe fetch ") {
			groups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.PID)) // it may be gone
			all[p.PID] = string(groups)
		}
	}
	return all
}

// TestFetchingIsTheContainers: what fetches runs in the container, and is held to what
// that may use; what the container then writes is kept short.
func TestFetchingIsTheContainers(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	bomb := exec.CommandContext(t.Context(), "zstd", "-q", "--long=27")
	bomb.Stdin = bytes.NewReader(make([]byte, 200<<20))
	packed, err := bomb.Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/bomb.tar.zst", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		_, _ = w.Write([]byte("slow"))
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	w := newWorld(t)
	c, group := w.isolating()
	d := w.start("run", "--uri="+s.URL+"/slow", w.flags[0], "--", "sh", "-c", "cat slow && echo && for i in $(seq 1 30); do for j in $(seq 1 20); do echo line $i $j of what it writes; done; sleep 0.1; done")
	<-asked
	found := w.fetching()
	if len(found) != 1 {
		t.Errorf("%d processes fetch", len(found))
	}
	for pid, groups := range found {
		if strings.Count(groups, group) < 2 {
			t.Errorf("process %d fetches outside its container: %s", pid, groups)
		}
	}
	w.do("run", "--mem=32", "--uri="+s.URL+"/bomb.tar.zst", "--", "true").check(t, "a bomb", 1, "^$", "TASK_FAILED.*[Mm]emory")
	close(release)
	r := d.wait()
	r.check(t, "its neighbour", 0, "^slow\n", "TASK_FINISHED")
	// Who follows its output misses nothing of it.
	if lines := strings.Count(r.out, "\n"); lines != 601 {
		t.Errorf("%d lines of 601 are passed on", lines)
	}
	files, err := filepath.Glob(filepath.Join(c.dir, "agent", "slaves", "*", "frameworks", "*", "executors", "*", "runs", "*", "stdout*"))
	if err != nil {
		t.Fatal(err)
	}
	rotated := false
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil || info.Size() > 4096 {
			t.Errorf("%s has %d bytes, %v", path, info.Size(), err)
		}
		rotated = rotated || strings.HasSuffix(path, ".1")
	}
	if !rotated {
		t.Errorf("nothing is rotated: %v", files)
	}
	c.end()
}
