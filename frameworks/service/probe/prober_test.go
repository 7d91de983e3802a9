package probe_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"troupe/frameworks/service/probe"
)

// patience bounds waits; it decides nothing.
const patience = 2 * time.Minute

// result is of which task and check.
type result struct {
	probe.Result
	task  string
	check int
}

// recording has the results of its prober's checks in a channel.
type recording struct {
	*probe.Prober
	results chan result
}

func (r recording) Start(task string, checks []probe.Check) {
	for n := range checks {
		checks[n].Report = func(x probe.Result) { r.results <- result{x, task, n} }
	}
	r.Prober.Start(task, checks)
}

// prober makes one whose results come to a channel.
func prober(t *testing.T, atOnce int) (recording, <-chan result) {
	t.Helper()
	p := recording{probe.New(probe.Options{AtOnce: atOnce}), make(chan result, 100_000)}
	t.Cleanup(p.Close)
	return p, p.results
}

func next(t *testing.T, results <-chan result) result {
	t.Helper()
	select {
	case r := <-results:
		return r
	case <-time.After(patience):
		t.Fatal("no result")
		return result{}
	}
}

// at is where a server listens.
func at(t *testing.T, address string) (host string, port int) {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// instance answers with the status that its path names.
func instance(t *testing.T, start func(*httptest.Server)) (host string, port int) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hangs":
			<-r.Context().Done()
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			<-r.Context().Done()
		case "/breaks":
			hijack(t, w, "HTTP/1.1 103 Early Hints\r\n\r\n")
		case "/switches":
			hijack(t, w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		case "/garbage":
			hijack(t, w, "SSH-2.0-OpenSSH\r\n")
		case "/a b":
			fmt.Fprintf(w, "%s %s", r.URL.EscapedPath(), r.URL.RawQuery)
		case "/long":
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, strings.Repeat("x", 100_000)+"\xff")
		case "/moved":
			http.Redirect(w, r, "/500", http.StatusFound)
		default:
			code, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
			if err != nil {
				code = http.StatusOK
			}
			w.WriteHeader(code)
		}
	}))
	start(s)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return at(t, u.Host)
}

func hijack(t *testing.T, w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// closed is a port on which nobody listens.
func closed(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port := at(t, l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestOneCheck(t *testing.T) {
	host, port := instance(t, (*httptest.Server).Start)
	_, secure := instance(t, (*httptest.Server).StartTLS)
	gone := closed(t)
	for name, test := range map[string]struct {
		check probe.Check
		want  string // part of the cause; "" passes
	}{
		"200":                    {probe.Check{Path: "/"}, ""},
		"no path":                {probe.Check{}, ""},
		"204":                    {probe.Check{Path: "/204"}, ""},
		"399":                    {probe.Check{Path: "/399"}, ""},
		"a redirect is well":     {probe.Check{Path: "/moved"}, ""},
		"400":                    {probe.Check{Path: "/400"}, "answered 400"},
		"404":                    {probe.Check{Path: "404"}, "answered 404"},
		"500":                    {probe.Check{Path: "/500"}, "answered 500"},
		"101":                    {probe.Check{Path: "/switches"}, "answered 101"},
		"no HTTP":                {probe.Check{Path: "/garbage"}, "malformed HTTP"},
		"hangs":                  {probe.Check{Path: "/hangs", Timeout: 50 * time.Millisecond}, "no answer within 50ms"},
		"only a hint":            {probe.Check{Path: "/early", Timeout: 50 * time.Millisecond}, "no answer within 50ms"},
		"HTTPS, its certificate": {probe.Check{Protocol: probe.HTTPS, Port: secure}, ""},
		"HTTPS where HTTP is":    {probe.Check{Protocol: probe.HTTPS}, "HTTPS"},
		"HTTPS, 503":             {probe.Check{Protocol: probe.HTTPS, Port: secure, Path: "/503"}, "answered 503"},
		"TCP":                    {probe.Check{Protocol: probe.TCP}, ""},
		"TCP, nobody there":      {probe.Check{Protocol: probe.TCP, Port: gone}, "refused"},
		"HTTP, nobody there":     {probe.Check{Port: gone}, "refused"},
		"no such host":           {probe.Check{Host: "host.invalid"}, "host.invalid"},
		"protocol":               {probe.Check{Protocol: "GOPHER"}, "none of HTTP"},
		"bad path":               {probe.Check{Path: "/%zz"}, ""},
		"ready":                  {probe.Check{Path: "/503", Codes: []int{200, 503}}, ""},
		"not ready":              {probe.Check{Path: "/204", Codes: []int{200}}, "answered 204"},
	} {
		t.Run(name, func(t *testing.T) {
			p, results := prober(t, 0)
			c := test.check
			c.Interval = time.Hour
			if c.Protocol == "" {
				c.Protocol = probe.HTTP
			}
			if c.Host == "" {
				c.Host = host
			}
			if c.Port == 0 {
				c.Port = port
			}
			if c.Timeout == 0 {
				c.Timeout = patience
			}
			p.Start("a.1", []probe.Check{c})
			r := next(t, results)
			if r.Passed != (test.want == "") || !strings.Contains(r.Cause, test.want) || r.task != "a.1" || r.Response != nil {
				t.Errorf("%+v, want %q", r, test.want)
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port := instance(t, func(s *httptest.Server) {
		if err := s.Listener.Close(); err != nil {
			t.Fatal(err)
		}
		s.Listener = l
		s.Start()
	})
	p, results := prober(t, 0)
	p.Start("a.1", []probe.Check{
		{Protocol: probe.HTTP, Host: host, Port: port, Interval: time.Hour, Timeout: patience},
		{Protocol: probe.TCP, Host: host, Port: port, Interval: time.Hour, Timeout: patience},
	})
	for range 2 {
		if r := next(t, results); !r.Passed {
			t.Errorf("%+v", r)
		}
	}
}

func TestTheAnswerIsKept(t *testing.T) {
	host, port := instance(t, (*httptest.Server).Start)
	p, results := prober(t, 0)
	ask := func(path string) probe.Response {
		p.Start("a.1", []probe.Check{{
			Protocol: probe.HTTP, Host: host, Port: port, Path: path, Interval: time.Hour, Timeout: patience, Keep: true,
		}})
		r := next(t, results)
		if r.Response == nil {
			t.Fatalf("%+v", r)
		}
		return *r.Response
	}
	if r := ask("/a%20b?q=1"); r.Status != 200 || r.Body != "/a%20b q=1" || r.ContentType == "" {
		t.Errorf("%+v", r)
	}
	if r := ask("/long"); len(r.Body) != 64<<10 || r.ContentType != "text/plain" {
		t.Errorf("%d bytes of %s", len(r.Body), r.ContentType)
	}
	if r := ask("/503"); r.Status != 503 || r.Body != "" {
		t.Errorf("%+v", r)
	}
}

// What is ignored is asked again, but not told.
func TestInformationalAnswersAreIgnored(t *testing.T) {
	host, port := instance(t, (*httptest.Server).Start)
	for _, path := range []string{"/switches", "/breaks"} {
		p, results := prober(t, 0)
		p.Start("a.1", []probe.Check{{
			Protocol: probe.HTTP, Host: host, Port: port, Path: path,
			Interval: time.Millisecond, Timeout: patience, IgnoreInformational: true,
		}})
		await(t, func() bool { return p.Figures().Ignored >= 3 })
		p.Stop("a.1")
		if n := len(results); n != 0 {
			t.Errorf("%s: %d results, first %+v", path, n, <-results)
		}
	}
}

// await waits for a condition that nothing announces.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("waited in vain")
		}
	}
}

func TestAgainAndAgainUntilStopped(t *testing.T) {
	host, port := instance(t, (*httptest.Server).Start)
	p, results := prober(t, 0)
	p.Start("a.1", []probe.Check{
		{Protocol: probe.HTTP, Host: host, Port: port, Path: "/500", Interval: time.Millisecond, Timeout: patience},
		{Protocol: probe.HTTP, Host: host, Port: port, Interval: time.Millisecond, Timeout: patience, Once: true},
	})
	passed := 0
	for failed := 0; failed < 20 || passed < 1; {
		switch r := next(t, results); {
		case r.check == 1 && r.Passed:
			passed++
		case r.check == 0 && !r.Passed:
			failed++
		default:
			t.Errorf("%+v", r)
		}
	}
	if passed != 1 {
		t.Errorf("it passed once and was asked again, %d times", passed)
	}
	p.Stop("a.1")
	await(t, func() bool { return p.Figures().Running == 0 })
	for len(results) > 0 {
		<-results
	}
	if f := p.Figures(); f.Checks != 0 || f.Passed != 1 || f.Failed < 20 {
		t.Errorf("%+v", f)
	}
	p.Stop("a.1")
}

// A check that is under way when it is stopped ends at once, untold.
func TestStopWhileUnderWay(t *testing.T) {
	host, port := instance(t, (*httptest.Server).Start)
	p, results := prober(t, 0)
	check := probe.Check{Protocol: probe.HTTP, Host: host, Port: port, Path: "/hangs", Interval: time.Hour, Timeout: patience}
	p.Start("a.1", []probe.Check{check})
	await(t, func() bool { return p.Figures().Running == 1 })
	check.Path = "/"
	p.Start("a.1", []probe.Check{check}) // replaces it
	if r := next(t, results); !r.Passed {
		t.Errorf("%+v", r)
	}
	await(t, func() bool { return p.Figures().Running == 0 })
	if len(results) != 0 {
		t.Errorf("told: %+v", <-results)
	}
}

// So many checks are under way at once, and no more, and each has its turn.
func TestAtOnce(t *testing.T) {
	var now, most atomic.Int64
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		now.Add(-1)
	}))
	defer s.Close()
	host, port := at(t, strings.TrimPrefix(s.URL, "http://"))
	p, results := prober(t, 7)
	for i := range 50 {
		p.Start(strconv.Itoa(i), []probe.Check{{Protocol: probe.HTTP, Host: host, Port: port, Interval: time.Hour, Timeout: patience}})
	}
	await(t, func() bool { return now.Load() == 7 })
	close(release)
	seen := map[string]bool{}
	for range 50 {
		r := next(t, results)
		if !r.Passed {
			t.Errorf("%+v", r)
		}
		seen[r.task] = true
	}
	if len(seen) != 50 || most.Load() != 7 {
		t.Errorf("%d tasks, %d at once", len(seen), most.Load())
	}
}

// Fifty thousand instances cost a heap, not goroutines.
func TestManyChecksFewGoroutines(t *testing.T) {
	const tasks = 50_000
	port := closed(t)
	p, results := prober(t, 64)
	before := runtime.NumGoroutine()
	for i := range tasks {
		p.Start(strconv.Itoa(i), []probe.Check{{Protocol: probe.TCP, Host: "127.0.0.1", Port: port, Interval: time.Hour, Timeout: patience}})
	}
	most := 0
	for i := range tasks {
		if next(t, results); i%100 == 0 {
			most = max(most, runtime.NumGoroutine()-before)
		}
	}
	if most > 200 {
		t.Errorf("%d goroutines", most)
	}
	if f := p.Figures(); f.Checks != tasks {
		t.Errorf("%+v", f)
	}
}

// BenchmarkChecks is a TCP check of a port that refuses, with 50,000 others
// waiting for their time.
func BenchmarkChecks(b *testing.B) {
	const tasks = 50_000
	p := recording{probe.New(probe.Options{}), make(chan result, tasks)}
	defer p.Close()
	check := probe.Check{Protocol: probe.TCP, Host: "127.0.0.1", Port: 1, Interval: time.Hour, Timeout: time.Second}
	for i := range tasks {
		p.Start(strconv.Itoa(i), []probe.Check{check})
	}
	for range tasks {
		<-p.results
	}
	for b.Loop() {
		p.Start("one", []probe.Check{check})
		<-p.results
	}
}
