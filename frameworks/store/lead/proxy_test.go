package lead

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// process is one that stands by, with a server before its handler.
type process struct {
	*Election
	server *httptest.Server
	came   chan struct{} // has something when a request came
}

// standby starts one whose requests may wait as told.
func standby(t *testing.T, o Options) *process {
	t.Helper()
	p := &process{server: httptest.NewUnstartedServer(nil), came: make(chan struct{}, 100)}
	o.URL, o.Via = "http://"+p.server.Listener.Addr().String(), "X-Test-Via"
	e, err := newElection(o)
	if err != nil {
		t.Fatal(err)
	}
	p.Election = e
	handler := e.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it answers, and does not lead") }))
	p.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.came <- struct{}{}
		handler.ServeHTTP(w, r)
	})
	p.server.Start()
	t.Cleanup(func() {
		e.transport.CloseIdleConnections()
		p.server.Close()
	})
	return p
}

// follows tells a process who leads.
func (p *process) follows(t *testing.T, id, url string) {
	t.Helper()
	content, err := json.Marshal(candidate{ID: id, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	p.hear("/f/candidate_0000000001", content)
}

// ask makes a request and returns its status and body.
func ask(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// What the leader gets is what the client sent, and the client gets what it
// answers; the header says who passed it on.
func TestRequestsArePassedOn(t *testing.T) {
	p := standby(t, Options{})
	large := strings.Repeat("body ", 1<<18)
	leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil || string(data) != large || r.Method != http.MethodPut || r.URL.RequestURI() != "/v2/apps//a%2Fb?force=true&x=1" {
			t.Errorf("%s %s with %d bytes, %v", r.Method, r.URL.RequestURI(), len(data), err)
		}
		if got := r.Header.Values("X-Test-Via"); len(got) != 1 || got[0] != p.o.URL {
			t.Errorf("passed on by %q", got)
		}
		if r.Header.Get("Authorization") != "Basic eDp5" || r.Host != p.server.Listener.Addr().String() {
			t.Errorf("host %q, header %v", r.Host, r.Header)
		}
		w.Header().Set("Location", "/v2/deployments")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, "the leader's answer")
	}))
	defer leader.Close()
	p.follows(t, "other", leader.URL)
	if url, self := p.Leader(); url != leader.URL || self {
		t.Errorf("the leader is %q, %t", url, self)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.server.URL+"/v2/apps//a%2Fb?force=true&x=1", strings.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic eDp5")
	if status, body := do(t, r); status != http.StatusConflict || body != "the leader's answer" {
		t.Errorf("%d %s", status, body)
	}
}

// Events arrive as the leader sends them, while the stream lasts, and its end
// reaches the leader.
func TestEventStreamsFlow(t *testing.T) {
	p := standby(t, Options{})
	next, gone := make(chan string), make(chan struct{})
	leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		w.Header().Set("Content-Type", "text/event-stream")
		flush := func() {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}
		flush()
		for {
			select {
			case e := <-next:
				fmt.Fprintf(w, "data: %s\n\n", e)
				flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	defer leader.Close()
	p.follows(t, "other", leader.URL)
	answer, err := http.Get(p.server.URL + "/v2/events")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(answer.Body)
	for i := range 3 {
		next <- fmt.Sprint(i)
		for _, want := range []string{fmt.Sprintf("data: %d\n", i), "\n"} {
			if line, err := lines.ReadString('\n'); err != nil || line != want {
				t.Fatalf("got %q, %v, want %q", line, err, want)
			}
		}
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the leader streams to nobody")
	}
}

// While nobody leads a request waits; who leads then answers it.
func TestRequestsWaitForALeader(t *testing.T) {
	leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	defer leader.Close()
	for name, test := range map[string]struct {
		before, elect func(p *process)
		want          string
	}{
		"nobody before": {func(*process) {}, func(p *process) { p.follows(t, "other", leader.URL) }, "body"},
		"one before that accepts nothing": {
			func(p *process) { p.follows(t, "dead", "http://"+closedPort(t)) },
			func(p *process) { p.follows(t, "other", leader.URL) }, "body",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := standby(t, Options{Wait: patience})
			test.before(p)
			answered := make(chan string, 1)
			go func() {
				_, body := ask(t, http.MethodPost, p.server.URL, "body")
				answered <- body
			}()
			<-p.came
			test.elect(p)
			select {
			case body := <-answered:
				if body != test.want {
					t.Errorf("answered %q", body)
				}
			case <-time.After(patience):
				t.Error("it is not answered")
			}
		})
	}
}

// closedPort is an address that nobody listens on any more.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What cannot be answered is refused with a status and a message that say why.
func TestRefusals(t *testing.T) {
	over := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer silent.Close()
	defer close(over)
	rude := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil || c.Close() != nil {
			t.Error("no connection to break", err)
		}
	}))
	defer rude.Close()
	loop := standby(t, Options{Wait: time.Millisecond})
	loop.follows(t, "other", loop.server.URL)
	for name, test := range map[string]struct {
		follow  func(p *process)
		status  int
		message string
	}{
		"nobody":                 {func(*process) {}, 503, "no process of the framework leads"},
		"itself, not yet ready":  {func(p *process) { p.follows(t, p.self.ID, p.self.URL) }, 503, "no process of the framework leads"},
		"what is no process":     {func(p *process) { p.hear("/f/candidate_1", []byte("text")) }, 503, "no process of the framework leads"},
		"one that is gone":       {func(p *process) { p.follows(t, "dead", "http://"+closedPort(t)) }, 503, "accepts no connections"},
		"one that does not lead": {func(p *process) { p.follows(t, "loop", loop.server.URL) }, 502, "not passed on again"},
		"one that is silent":     {func(p *process) { p.follows(t, "silent", silent.URL) }, 504, "may have done"},
		"one that breaks off":    {func(p *process) { p.follows(t, "rude", rude.URL) }, 502, "may have done"},
		"what refuses to tell":   {func(p *process) { p.set(func() { p.failed = io.ErrUnexpectedEOF }) }, 503, "cannot be found out"},
	} {
		t.Run(name, func(t *testing.T) {
			p := standby(t, Options{Wait: 20 * time.Millisecond, Read: 200 * time.Millisecond})
			test.follow(p)
			status, body := ask(t, http.MethodPost, p.server.URL, "body")
			var got struct{ Message string }
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != test.status || !strings.Contains(got.Message, test.message) {
				t.Errorf("%d %s, want %d and %q", status, body, test.status, test.message)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{URL: "https://[::1]:8443", Via: "X-Troupe-Via"}
	if _, err := newElection(good); err != nil {
		t.Error(err)
	}
	for _, url := range []string{"", "host:80", "ftp://h", "http://", "http://u:p@h", "http://h/path", "http://h?q", "http://h#f", "http://h:x", "\x00"} {
		if _, err := NewElection(Options{URL: url, Via: "Via"}); err == nil || !strings.Contains(err.Error(), "url") {
			t.Errorf("url %q: %v", url, err)
		}
	}
	for _, via := range []string{"", "X Via", "X:Via", "é", "a\r\nb"} {
		if _, err := NewElection(Options{URL: good.URL, Via: via}); err == nil || !strings.Contains(err.Error(), "via") {
			t.Errorf("via %q: %v", via, err)
		}
	}
}

// FuzzCandidate holds that whatever stands in a znode is a process with a URL
// that can be dialed, or refused.
func FuzzCandidate(f *testing.F) {
	f.Add([]byte(`{"id":"a","url":"http://10.0.0.7:8080"}`))
	f.Add([]byte(`{"id":"a","url":"http://10.0.0.7:8080/"}`))
	f.Add([]byte(`{"id":1}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		l, err := parseCandidate(content)
		if err != nil {
			return
		}
		data, err := json.Marshal(candidate{l.id, l.url.String()})
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseCandidate(data)
		if err != nil || again.id != l.id || again.url.String() != l.url.String() || bytes.ContainsAny([]byte(l.url.Host), " \r\n") {
			t.Errorf("%q is %v, then %v, %v", content, l, again, err)
		}
	})
}
