package fetcher

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/fetcher/cache"
)

func TestOrderOf(t *testing.T) {
	c := &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{
		{Value: proto.String("http://host/a.tgz")},
		{Value: proto.String("/b"), Executable: proto.Bool(true), Extract: proto.Bool(false), Cache: proto.Bool(true), OutputFile: proto.String("c")},
	}}
	o, err := OrderOf("/sandbox", "user", c, Settings{CacheSize: 1})
	if err != nil || o.Sandbox != "/sandbox" || o.User != "user" || o.Settings.CacheSize != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	if want := (URI{Value: "http://host/a.tgz", Extract: true}); o.URIs[0] != want {
		t.Errorf("got %+v, want %+v", o.URIs[0], want)
	}
	if want := (URI{Value: "/b", Executable: true, Cache: true, OutputFile: "c"}); o.URIs[1] != want {
		t.Errorf("got %+v, want %+v", o.URIs[1], want)
	}
	c.Uris[1].Value = proto.String("ftp://x/y")
	if _, err := OrderOf("/sandbox", "", c, Settings{}); err == nil || !strings.Contains(err.Error(), "command.uris[1].value") {
		t.Errorf("got %v", err)
	}
}

// TestSupervise: a process fetches, as the user, and everybody hears of it.
func TestSupervise(t *testing.T) {
	s := site(t)
	sandbox := t.TempDir()
	if err := os.Chown(sandbox, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	stash := t.TempDir()
	o := Order{
		Sandbox: sandbox, User: "nobody", Settings: Settings{CacheDir: stash, CacheSize: 1 << 20},
		URIs: []URI{{Value: s.URL + "/app.tgz", Extract: true}, {Value: s.URL + "/file", Cache: true, Executable: true}},
	}
	var log bytes.Buffer
	var told []string
	if err := Supervise(t.Context(), o, process(t, &log), func(doing string) { told = append(told, doing) }); err != nil {
		t.Fatalf("%v; %s", err, &log)
	}
	for _, name := range []string{"app.tgz", "bin", "bin/run", "file"} {
		info, err := os.Stat(filepath.Join(sandbox, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if is := info.Sys().(*syscall.Stat_t); is.Uid != 65534 || is.Gid != 65534 {
			t.Errorf("%s is of user %d, group %d", name, is.Uid, is.Gid)
		}
	}
	if got := read(t, filepath.Join(sandbox, "file")); got != content {
		t.Errorf("got %q", got)
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "Fetching "+s.URL+"/file into the agent's cache") || !strings.Contains(all, "Extracted app.tgz in ") {
		t.Errorf("told %s", all)
	}
	c := cache.Cache{Dir: stash}
	if used, err := c.Used(); used != int64(len(content)) || err != nil {
		t.Errorf("the cache uses %d, %v", used, err)
	}
	if got, err := c.Counts(); got != (cache.Tally{Succeeded: 1}) || err != nil {
		t.Errorf("counted %+v, %v", got, err)
	}
}

// TestUsersReadWhatTheyMay: a file of the agent's disk is read as the task's user.
func TestUsersReadWhatTheyMay(t *testing.T) {
	sandbox, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.Chown(sandbox, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	write(t, secret, content, 0o600)
	o := Order{Sandbox: sandbox, User: "nobody", URIs: []URI{{Value: secret, Cache: true}}, Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 20}}
	err := Supervise(t.Context(), o, process(t, io.Discard), nil)
	if err == nil || !strings.Contains(err.Error(), "user may not read") {
		t.Errorf("got %v", err)
	}
	o.User = ""
	if err := Supervise(t.Context(), o, process(t, io.Discard), nil); err != nil {
		t.Errorf("as root: %v", err)
	}
	o.User = "nobody-of-this-name"
	if err := Supervise(t.Context(), o, process(t, io.Discard), nil); err == nil || !strings.Contains(err.Error(), o.User) {
		t.Errorf("got %v", err)
	}
	if got, err := (cache.Cache{Dir: o.Settings.CacheDir}).Counts(); got != (cache.Tally{Succeeded: 1, Failed: 2}) || err != nil {
		t.Errorf("counted %+v, %v", got, err)
	}
}

// TestTLS: servers are believed that the machine, or SSL_CERT_FILE, trusts.
func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, content) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told of bad certificates
	s.StartTLS()
	defer s.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	write(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), 0o644)
	sandbox := t.TempDir()
	o := Order{Sandbox: sandbox, URIs: []URI{{Value: s.URL + "/file"}}}
	if err := Supervise(t.Context(), o, process(t, io.Discard, "SSL_CERT_FILE="+authority), nil); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(sandbox, "file")); got != content {
		t.Errorf("got %q", got)
	}
	o.URIs[0].Value = strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/file" // not in the certificate
	if err := Supervise(t.Context(), o, process(t, io.Discard, "SSL_CERT_FILE="+authority), nil); err == nil || !strings.Contains(err.Error(), "certificate is not good for it") {
		t.Errorf("got %v", err)
	}
}

func TestSuperviseFails(t *testing.T) {
	o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: "/nowhere"}}}
	for _, test := range []struct {
		name  string
		start func(stdin, stdout *os.File) error
		want  string
	}{
		{"not started", func(_, _ *os.File) error { return syscall.EAGAIN }, "start the fetching process: resource temporarily unavailable"},
		{"dies", func(_, _ *os.File) error { return nil }, "ended before it was done"},
		{"babbles", func(_, out *os.File) error { _, err := io.WriteString(out, "what?\n"); return err }, "news of the fetching process"},
	} {
		if err := Supervise(t.Context(), o, test.start, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	o.URIs = nil
	if err := Supervise(t.Context(), o, nil, nil); err != nil {
		t.Errorf("nothing to fetch: %v", err)
	}
}

func TestBadOrders(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "read the order",
		"{":                             "read the order",
		`{"sandbox":"a"}`:               "not an absolute path",
		`{"sandbox":"/no/such/place"}`:  "open the sandbox",
		strings.Repeat(" ", maxOrder+1): "more than",
	} {
		var news bytes.Buffer
		err := Serve(t.Context(), strings.NewReader(text), &news, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
		if told := listen(&news, nil); told == nil || told.Error() != err.Error() {
			t.Errorf("%.40q: told %v", text, told)
		}
	}
}

// TestOneDownload: many processes that fetch the same at once make one download of
// it; those of another user make another.
func TestOneDownload(t *testing.T) {
	const processes = 20
	var asked atomic.Int64
	everybody := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-everybody // waits, or is about to
		_, _ = io.WriteString(w, content)
	}))
	defer s.Close()
	stash := t.TempDir()
	var waiting, done sync.WaitGroup
	waiting.Add(processes - 1)
	for range processes {
		sandbox := t.TempDir()
		o := Order{Sandbox: sandbox, URIs: []URI{{Value: s.URL + "/file", Cache: true}}, Settings: Settings{CacheDir: stash, CacheSize: 1 << 20}}
		start := process(t, io.Discard)
		done.Go(func() {
			err := Supervise(t.Context(), o, start, func(doing string) {
				if strings.HasPrefix(doing, "Waiting for ") {
					waiting.Done()
				}
			})
			if got, rerr := os.ReadFile(filepath.Join(sandbox, "file")); err != nil || rerr != nil || string(got) != content {
				t.Errorf("%v; got %q, %v", err, got, rerr)
			}
		})
	}
	waiting.Wait()
	close(everybody)
	done.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("%d downloads", n)
	}
	o := Order{Sandbox: t.TempDir(), User: "0", URIs: []URI{{Value: s.URL + "/file", Cache: true}}, Settings: Settings{CacheDir: stash, CacheSize: 1 << 20}}
	for range 2 {
		if log, err := try(t, o); err != nil {
			t.Errorf("%v; %s", err, log)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d downloads with another user's", n)
	}
}

// TestCacheIsNoReasonToFail: whatever is wrong with the cache, a task gets its file.
func TestCacheIsNoReasonToFail(t *testing.T) {
	s := site(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "", 0o600)
	for name, settings := range map[string]Settings{
		"too small":       {CacheDir: t.TempDir(), CacheSize: 10},
		"off":             {CacheDir: t.TempDir()},
		"cannot be made":  {CacheDir: filepath.Join(file, "cache"), CacheSize: 1 << 20},
		"nothing of this": {CacheSize: 1 << 20},
	} {
		sandbox := t.TempDir()
		o := Order{Sandbox: sandbox, URIs: []URI{{Value: s.URL + "/file", Cache: true}}, Settings: settings}
		log, err := try(t, o)
		if err != nil || read(t, filepath.Join(sandbox, "file")) != content {
			t.Errorf("%s: %v; %s", name, err, log)
		}
		if !strings.Contains(log, "Fetched "+s.URL+"/file in ") {
			t.Errorf("%s: %s", name, log)
		}
	}
	o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: s.URL + "/nothing", Cache: true}}, Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 20}}
	if _, err := try(t, o); err == nil || strings.Count(err.Error(), "404") != 1 {
		t.Errorf("got %v", err)
	}
}

// TestReportsProgress: a long download is told of now and then, and logged twice.
func TestReportsProgress(t *testing.T) {
	var news, log bytes.Buffer
	r := newReport(&log, &news)
	now := time.Unix(0, 0)
	r.now = func() time.Time { return now }
	task := r.begin("Fetching %s", "x")
	task.total = 300_000_000
	for n := range int64(300) {
		task.progress(n * 1_000_000)
		now = now.Add(tellEvery / 100)
	}
	task.end("Fetched %s", "x", 300_000_000)
	var told []string
	if err := listen(&news, func(doing string) { told = append(told, doing) }); !errors.Is(err, errSilent) {
		t.Error(err)
	}
	want := "Fetching x\nFetching x (100.0 MB of 300.0 MB)\nFetching x (200.0 MB of 300.0 MB)\nFetched x in 6.0 s (300.0 MB)"
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
	if got := log.String(); got != "Fetching x\nFetched x in 6.0 s (300.0 MB)\n" {
		t.Errorf("logged %q", got)
	}
}
