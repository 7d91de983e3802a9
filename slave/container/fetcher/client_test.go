package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/posix"
)

// TestClient: a container's URIs are fetched by a process that a launcher starts.
func TestClient(t *testing.T) {
	s := site(t)
	launcher := newLauncher(t)
	f := Client{Path: fmt.Sprintf("/proc/%d/exe", os.Getpid()), Args: []string{"fetch"}, Env: []string{"FETCHER_TEST_SERVE=1"}}
	sandbox := t.TempDir()
	if err := os.Chown(sandbox, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{ID: []string{"a"}, Sandbox: sandbox, User: "nobody", Command: command(s.URL+"/app.tgz", s.URL+"/file")}
	told := 0
	if err := f.Fetch(t.Context(), c, launcher.Launch, func(string) { told++ }); err != nil {
		t.Fatalf("%v; %s", err, read(t, filepath.Join(sandbox, "stderr")))
	}
	for _, name := range []string{"bin/run", "app.tgz", "file"} {
		if _, err := os.Stat(filepath.Join(sandbox, name)); err != nil {
			t.Error(err)
		}
	}
	if log := read(t, filepath.Join(sandbox, "stderr")); told == 0 || !strings.Contains(log, "Fetched "+s.URL+"/file in ") {
		t.Errorf("told %d times, and logged %s", told, log)
	}
	c.Command = command("gopher://x/y")
	if err := f.Fetch(t.Context(), c, nil, nil); err == nil || !strings.Contains(err.Error(), "command.uris[0]") {
		t.Errorf("got %v", err)
	}
	c.Command = nil
	if err := f.Fetch(t.Context(), c, nil, nil); err != nil {
		t.Errorf("nothing to fetch: %v", err)
	}
}

// TestClientGivesUp: a fetch that is not wanted any more leaves no process, and
// nothing in the cache that would count as complete.
func TestClientGivesUp(t *testing.T) {
	errEnough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Error(err)
		}
		cancel(errEnough)
		<-r.Context().Done()
	}))
	defer s.Close()
	f := Client{
		Path: "/proc/self/exe", Args: []string{"fetch"}, Env: []string{"FETCHER_TEST_SERVE=1"},
		Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 30},
	}
	c := &isolator.Container{ID: []string{"a"}, Sandbox: t.TempDir(), Command: command(s.URL + "/file")}
	c.Command.Uris[0].Cache = proto.Bool(true)
	var p container.Process
	launcher := newLauncher(t)
	err := f.Fetch(ctx, c, func(s container.Spec) (_ container.Process, err error) {
		p, err = launcher.Launch(s)
		return p, err
	}, nil)
	if !errors.Is(err, errEnough) {
		t.Errorf("got %v", err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("the process lives on")
	}
	left, err := os.ReadDir(f.Settings.CacheDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if len(e.Name()) == 64 {
			t.Errorf("%s counts as complete", e.Name())
		}
	}
}

func TestEnvironment(t *testing.T) {
	has := map[string]string{"HTTP_PROXY": "http://p:1", "PATH": "/bin", "no_proxy": ""}
	got := Environment(func(name string) (string, bool) { v, ok := has[name]; return v, ok })
	if fmt.Sprint(got) != "[HTTP_PROXY=http://p:1 no_proxy=]" {
		t.Errorf("got %v", got)
	}
}

func command(uris ...string) *mesos.CommandInfo {
	c := &mesos.CommandInfo{}
	for _, u := range uris {
		c.Uris = append(c.Uris, &mesos.CommandInfo_URI{Value: proto.String(u)})
	}
	return c
}

func newLauncher(t *testing.T) *posix.Launcher {
	t.Helper()
	l, err := posix.New(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
