package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

const patience = time.Minute

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// catalog is a directory that a test writes.
type catalog struct {
	mu       sync.Mutex
	services map[app.Path]*endpoints.Service
	changed  func(app.Path, bool)
}

func (c *catalog) Services() []*endpoints.Service {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*endpoints.Service
	for _, s := range c.services {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *endpoints.Service) int { return strings.Compare(string(a.App), string(b.App)) })
	return list
}

func (c *catalog) Watch(changed func(app.Path, bool)) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = changed
	return func() {}
}

func (c *catalog) set(s *endpoints.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.services == nil {
		c.services = map[app.Path]*endpoints.Service{}
	}
	c.services[s.App] = s
	if c.changed != nil {
		c.changed(s.App, true)
	}
}

// house is an address of this machine that no other test uses, so that ports on it
// are free.
var house atomic.Uint32

func freeAddress(t *testing.T) (address string, port int) {
	t.Helper()
	address = fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()>>8%64, os.Getpid()%256, house.Add(1)%250+1)
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address, port
}

// instance is a server of an app that ends as bad programs do: at once, and with
// whatever it was about to say.
type instance struct {
	name   string
	server *http.Server
	port   int
	hits   atomic.Int64
	hold   chan struct{} // if not nil, answers wait for it
}

func launch(t *testing.T, name string) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{name: name, port: l.Addr().(*net.TCPAddr).Port}
	i.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.hits.Add(1)
		if i.hold != nil && r.URL.Path == "/slow" {
			<-i.hold
		}
		_, _ = io.WriteString(w, name)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = i.server.Serve(l)
	}()
	t.Cleanup(func() {
		i.kill(t)
		<-ended
	})
	return i
}

func (i *instance) kill(t *testing.T) {
	t.Helper()
	if err := i.server.Close(); err != nil {
		t.Error(err)
	}
}

// serving is an app of instances, each with a status.
func serving(id app.Path, labels map[string]string, port int, of map[*instance]endpoints.Status) *endpoints.Service {
	s := &endpoints.Service{App: id, Labels: labels, Ports: []endpoints.Port{{ServicePort: port, Protocols: []string{"tcp"}}}}
	for i, status := range of {
		s.Endpoints = append(s.Endpoints, endpoints.Endpoint{
			Task: i.name, Status: status, Targets: []endpoints.Target{{Address: "127.0.0.1", Port: i.port}},
		})
	}
	slices.SortFunc(s.Endpoints, func(a, b endpoints.Endpoint) int { return strings.Compare(a.Task, b.Task) })
	return s
}

// keep runs a keeper for as long as the test lasts, or until stop.
func keep(t *testing.T, c *catalog, o Options) (k *Keeper, stop func()) {
	t.Helper()
	if o.Config == "" {
		o.Config = filepath.Join(t.TempDir(), "haproxy.cfg")
	}
	k, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return k, stop
}

// ask is what the proxy answers, "" for an error.
func ask(c *http.Client, url string) string {
	r, err := c.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 {
		return ""
	}
	return string(body)
}

var labelled = map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_MODE": "http"}

// Clients load the proxy while instance after instance is replaced by a new one,
// and not one request fails, although instances end without any courtesy.
func TestRollingReplacementUnderLoad(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	of := map[*instance]endpoints.Status{}
	for n := range 4 {
		of[launch(t, fmt.Sprintf("web.old-%d", n))] = endpoints.Live
	}
	c.set(serving("/web", labelled, port, of))
	k, _ := keep(t, c, Options{Settings: Settings{Bind: address}})
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) != "" })

	load := startLoad(t, http.MethodPost, url, 8) // which nobody sends again
	old := slices.SortedFunc(keys(of), func(a, b *instance) int { return strings.Compare(a.name, b.name) })
	for n, gone := range old {
		fresh := launch(t, fmt.Sprintf("web.new-%d", n))
		of[fresh] = endpoints.Live
		c.set(serving("/web", labelled, port, of))
		eventually(t, "requests for "+fresh.name, func() bool { return fresh.hits.Load() > 20 })
		of[gone] = endpoints.Draining
		c.set(serving("/web", labelled, port, of))
		if err := k.Quiet(t.Context(), gone.name); err != nil {
			t.Fatal(err)
		}
		gone.kill(t)
		delete(of, gone)
		c.set(serving("/web", labelled, port, of))
	}
	if got := k.Status().Reloads; got != 1 {
		t.Errorf("%d reloads for servers alone", got)
	}
	// A new app is a reload, which nobody notices either.
	other, otherPort := freeAddress(t)
	extra := launch(t, "other.1")
	c.set(serving("/other", map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_BIND_ADDR": other}, otherPort, map[*instance]endpoints.Status{extra: endpoints.Live}))
	eventually(t, "the other app", func() bool {
		return ask(http.DefaultClient, fmt.Sprintf("http://%s:%d/", other, otherPort)) == "other.1"
	})
	eventually(t, "a second reload", func() bool {
		st := k.Status()
		return st.Reloads == 2 && st.Failure == nil && len(st.Problems) == 0
	})
	t.Logf("%d requests", load())
}

func keys(m map[*instance]endpoints.Status) func(func(*instance) bool) {
	return func(yield func(*instance) bool) {
		for i := range m {
			if !yield(i) {
				return
			}
		}
	}
}

// startLoad has clients ask until stop, which fails the test if a request failed.
func startLoad(t *testing.T, method, url string, clients int) (stop func() int64) {
	t.Helper()
	var total atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	failures := make(chan string, 1)
	for range clients {
		all.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: patience}
			for ctx.Err() == nil {
				if err := once(client, method, url); err != nil {
					select {
					case failures <- err.Error():
					default:
					}
				}
				total.Add(1)
			}
		})
	}
	return func() int64 {
		t.Helper()
		cancel()
		all.Wait()
		select {
		case what := <-failures:
			t.Errorf("of %d requests at least one failed: %s", total.Load(), what)
		default:
		}
		return total.Load()
	}
}

func once(c *http.Client, method, url string) error {
	q, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	r, err := c.Do(q)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil || r.StatusCode != 200 {
		return fmt.Errorf("%s: %w", r.Status, err)
	}
	return nil
}

// An instance that ends without a word to anybody costs those who only read nothing.
func TestReadersDoNotNoticeASuddenEnd(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	one, two, three := launch(t, "web.1"), launch(t, "web.2"), launch(t, "web.3")
	of := map[*instance]endpoints.Status{one: endpoints.Live, two: endpoints.Live, three: endpoints.Live}
	c.set(serving("/web", labelled, port, of))
	keep(t, c, Options{Settings: Settings{Bind: address}})
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) != "" })
	load := startLoad(t, http.MethodGet, url, 4)
	eventually(t, "requests for it", func() bool { return one.hits.Load() > 20 })
	one.kill(t)
	before := two.hits.Load()
	eventually(t, "requests for others", func() bool { return two.hits.Load() > before+200 })
	load()
}

// What is on its way to an instance is waited for, also when the proxy was reloaded
// meanwhile.
func TestQuietWaitsForWhatIsOnItsWay(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	slow := launch(t, "web.slow")
	slow.hold = make(chan struct{})
	c.set(serving("/web", labelled, port, map[*instance]endpoints.Status{slow: endpoints.Live}))
	k, _ := keep(t, c, Options{Settings: Settings{Bind: address}, Pause: time.Millisecond})
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) == slow.name })
	before := slow.hits.Load()
	answer := make(chan string, 1)
	go func() { answer <- ask(http.DefaultClient, url+"slow") }()
	eventually(t, "the slow request", func() bool { return slow.hits.Load() > before })

	c.set(serving("/web", labelled, port, map[*instance]endpoints.Status{slow: endpoints.Draining}))
	never, cancel := context.WithCancel(t.Context())
	quiet := make(chan error, 1)
	go func() { quiet <- k.Quiet(never, slow.name) }()
	eventually(t, "draining", func() bool { return ask(http.DefaultClient, url) == "" })
	other, otherPort := freeAddress(t)
	c.set(serving("/other", map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_BIND_ADDR": other}, otherPort, nil))
	eventually(t, "a reload", func() bool { return k.Status().Reloads == 2 })
	select {
	case err := <-quiet:
		t.Fatalf("quiet (%v), though an answer is missing", err)
	default:
	}
	cancel()
	if err := <-quiet; err == nil {
		t.Error("it did not give up with its context")
	}
	close(slow.hold)
	if got := <-answer; got != slow.name {
		t.Errorf("the slow answer is %q", got)
	}
	if err := k.Quiet(t.Context(), slow.name); err != nil {
		t.Error(err)
	}
}

// The process runs on when its keeper is gone, and the next one finds it.
func TestNextKeeperFindsTheProcess(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	one, two := launch(t, "web.1"), launch(t, "web.2")
	c.set(serving("/web", labelled, port, map[*instance]endpoints.Status{one: endpoints.Live}))
	o := Options{Config: filepath.Join(t.TempDir(), "haproxy.cfg"), Settings: Settings{Bind: address}, Leave: true}
	k, stop := keep(t, c, o)
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) == one.name })
	was, err := k.socket.processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if got := ask(http.DefaultClient, url); got != one.name {
		t.Errorf("without a keeper: %q", got)
	}
	c.set(serving("/web", labelled, port, map[*instance]endpoints.Status{two: endpoints.Live}))
	o.Leave = false
	k, stop = keep(t, c, o)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) == two.name })
	if now, err := k.socket.processes(t.Context()); err != nil || now.master != was.master {
		t.Errorf("%+v, before %+v: %v", now, was, err)
	}
	stop()
	if got := ask(http.DefaultClient, url); got != "" {
		t.Errorf("after its end: %q", got)
	}
}

// A process that has nothing to do at first runs, and is replaced when it is killed.
func TestKilledProcessIsReplaced(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	k, _ := keep(t, c, Options{Settings: Settings{Bind: address}, Pause: time.Millisecond})
	eventually(t, "a process", func() bool { return k.Status().Reloads == 1 })
	one := launch(t, "web.1")
	c.set(serving("/web", labelled, port, map[*instance]endpoints.Status{one: endpoints.Live}))
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) == one.name })
	was, err := k.socket.processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(was.master, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process", func() bool {
		now, err := k.socket.processes(t.Context())
		return err == nil && now.master != was.master && ask(http.DefaultClient, url) == one.name
	})
}

// Of two apps that want one port the first has it, and the other one is told why. A
// port that some other program has keeps nothing else from working.
func TestPortsInUse(t *testing.T) {
	address, port := freeAddress(t)
	blocked, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer blocked.Close()
	c := &catalog{}
	one, two := launch(t, "a.1"), launch(t, "b.1")
	c.set(serving("/a", labelled, port, map[*instance]endpoints.Status{one: endpoints.Live}))
	c.set(serving("/b", labelled, port, map[*instance]endpoints.Status{two: endpoints.Live}))
	c.set(serving("/c", labelled, blocked.Addr().(*net.TCPAddr).Port, nil)) // from the start
	k, _ := keep(t, c, Options{Settings: Settings{Bind: address}, Pause: time.Millisecond})
	url := fmt.Sprintf("http://%s:%d/", address, port)
	eventually(t, "an answer", func() bool { return ask(http.DefaultClient, url) == one.name })
	eventually(t, "the problems", func() bool {
		p := k.Status().Problems
		return len(p) == 2 && p[0].App == "/b" && strings.Contains(p[0].Text, "is served for a_") &&
			strings.HasPrefix(p[1].App, "c_") && strings.Contains(p[1].Text, "address already in use")
	})
	if err := blocked.Close(); err != nil {
		t.Fatal(err)
	}
	c.set(serving("/c", labelled, blocked.Addr().(*net.TCPAddr).Port, map[*instance]endpoints.Status{two: endpoints.Live}))
	eventually(t, "both", func() bool {
		return len(k.Status().Problems) == 1 && ask(http.DefaultClient, url) == one.name && ask(http.DefaultClient, fmt.Sprintf("http://%s", blocked.Addr())) == two.name
	})
	// What others take later does not matter to what runs, nor to what comes.
	again, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	c.set(serving("/d", labelled, again.Addr().(*net.TCPAddr).Port, nil))
	eventually(t, "another problem", func() bool { return len(k.Status().Problems) == 2 })
	if got := ask(http.DefaultClient, url); got != one.name || k.Status().Failure != nil {
		t.Errorf("%q, %v", got, k.Status().Failure)
	}
}

// The addresses of virtual hosts may be in use, too.
func TestTakenAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := Config{Settings: Settings{HTTP: l.Addr().String()}, Backends: []Backend{{Name: "a", Rule: Rule{Hosts: []string{"x"}}}}}
	if got := withoutTaken(c, map[string]bool{}); got.Settings.HTTP != "" || len(got.Problems) != 1 || len(got.Backends) != 1 {
		t.Errorf("%+v", got)
	}
	for _, held := range []map[string]bool{nil, c.addresses()} {
		if got := withoutTaken(c, held); got.Settings.HTTP == "" || len(got.Problems) != 0 {
			t.Errorf("%+v", got)
		}
	}
	for in, want := range map[string]string{"*:80": "0.0.0.0:80", ":80": "0.0.0.0:80", "[::1]:80": "[::1]:80", "": ""} {
		if got := normal(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestVirtualHosts(t *testing.T) {
	address, port := freeAddress(t)
	c := &catalog{}
	for name, labels := range map[string]map[string]string{
		"shop":  {"HAPROXY_0_VHOST": "Shop.example.com, www.example.com"},
		"cart":  {"HAPROXY_0_VHOST": "shop.example.com", "HAPROXY_0_PATH": "/cart"},
		"other": {"HAPROXY_0_VHOST": "*.example.com", "HAPROXY_0_STICKY": "true"},
	} {
		labels["HAPROXY_GROUP"] = "external"
		c.set(serving(app.Path("/"+name), labels, 0, map[*instance]endpoints.Status{launch(t, name+".1"): endpoints.Live}))
	}
	k, _ := keep(t, c, Options{Settings: Settings{HTTP: fmt.Sprintf("%s:%d", address, port)}})
	get := func(host, path string) string {
		r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s:%d%s", address, port, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err.Error()
		}
		if answer.StatusCode != 200 {
			return answer.Status
		}
		return strings.TrimSpace(string(body) + " " + strings.Split(answer.Header.Get("Set-Cookie"), ";")[0])
	}
	eventually(t, "an answer", func() bool { return get("shop.example.com", "/") == "shop.1" })
	for _, c := range [][3]string{
		{"www.example.com", "/cart", "shop.1"},
		{"SHOP.example.com:80", "/", "shop.1"},
		{"shop.example.com", "/cart/1", "cart.1"},
		{"x.example.com", "/", "other.1 TROUPE_SERVER=other.1"},
		{"example.com", "/", "503 Service Unavailable"},
	} {
		if got := get(c[0], c[1]); got != c[2] {
			t.Errorf("%s%s: %s, want %s", c[0], c[1], got, c[2])
		}
	}
	// A server for a backend with cookies needs a reload.
	c.set(serving("/other", map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "*.example.com", "HAPROXY_0_STICKY": "true"}, 0,
		map[*instance]endpoints.Status{launch(t, "other.2"): endpoints.Live}))
	eventually(t, "the other server", func() bool { return get("x.example.com", "/") == "other.2 TROUPE_SERVER=other.2" })
	eventually(t, "a second reload", func() bool { return k.Status().Reloads == 2 && len(k.Status().Problems) == 0 })
}

// Who keeps their HAProxy themselves has a command run after each change.
func TestOtherReload(t *testing.T) {
	dir := t.TempDir()
	c := &catalog{}
	o := Options{Config: filepath.Join(dir, "c"), Reload: "cat " + dir + "/c >>" + dir + "/all; test -e " + dir + "/ok", Pause: time.Millisecond}
	k, _ := keep(t, c, o)
	eventually(t, "a failure", func() bool { return k.Status().Failure != nil })
	if err := os.WriteFile(filepath.Join(dir, "ok"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "success", func() bool { return k.Status().Failure == nil && k.Status().Reloads == 1 })
	c.set(serving("/web", labelled, 10000, nil))
	eventually(t, "another", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "all"))
		return err == nil && strings.Contains(string(text), "backend web_10000") && k.Status().Reloads == 2
	})
	if err := k.Quiet(t.Context(), "web.1"); err != nil {
		t.Error(err)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	k, _ := keep(t, &catalog{}, Options{Program: filepath.Join(t.TempDir(), "none")})
	eventually(t, "a failure", func() bool { return k.Status().Failure != nil })
	if got := k.Status().Failure.Error(); !strings.Contains(got, "no such file") {
		t.Error(got)
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"no path": {}, `address for HTTP "x"`: {Config: "c", Settings: Settings{HTTP: "x"}}, `address for HTTPS "x:1"`: {Config: "c", Settings: Settings{HTTPS: "x:1"}},
		"needs certificates": {Config: "c", Settings: Settings{HTTPS: "*:443"}}, `address to bind "y"`: {Config: "c", Settings: Settings{Bind: "y"}},
		"path of certificates": {Config: "c", Settings: Settings{Certificates: "a b"}}, "-1 connections": {Config: "c", Settings: Settings{MaxConnections: -1}},
	} {
		if _, err := New(&catalog{}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestMain has these tests fail clearly where there is no HAProxy.
func TestMain(m *testing.M) {
	if _, err := exec.LookPath(DefaultProgram); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need haproxy:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
