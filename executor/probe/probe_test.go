package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

const patience = 3 * time.Minute

func ask(t *testing.T, q check.Probe) check.Result {
	t.Helper()
	return New(nil, program.Spec{}).Probe(t.Context(), q)
}

func httpProbe(at string) check.Probe {
	return check.Probe{Type: mesos.CheckInfo_HTTP, URL: at, Timeout: patience}
}

// server answers the paths that the tests ask for.
func server(t testing.TB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/up", func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodGet || !q.Close {
			t.Errorf("%s, close %t", q.Method, q.Close)
		}
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/down?x=1", http.StatusFound) })
	mux.HandleFunc("/nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/round", http.StatusFound) })
	mux.HandleFunc("/far/{n}", func(w http.ResponseWriter, q *http.Request) {
		n := len(q.PathValue("n"))
		if n == maxRedirects {
			return
		}
		http.Redirect(w, q, "/far/"+strings.Repeat("x", n+1), http.StatusFound)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Write([]byte("five!"))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, q *http.Request) {
		for q.Context().Err() == nil {
			w.Write(make([]byte, 64<<10))
		}
	})
	mux.HandleFunc("/wide", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*maxHeader)) })
	return mux
}

func TestHTTP(t *testing.T) {
	s := httptest.NewServer(server(t))
	defer s.Close()
	for path, want := range map[string]check.Result{
		"/up": {Code: 200}, "/up?q=a%20b": {Code: 200}, "/down": {Code: 503}, "/nowhere": {Code: 302}, "/moved": {Code: 503}, "/missing": {Code: 404},
		"/far/x": {Code: 200}, "/endless": {Code: 200},
	} {
		if got := ask(t, httpProbe(s.URL+path)); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	for path, want := range map[string]string{
		"/round":  "more than 50 redirects",
		"/broken": "broke off: unexpected EOF",
		"/wide":   "server response headers exceeded",
		"/\x00":   "invalid control character in URL",
		"/%zz":    "invalid URL escape",
	} {
		if got := ask(t, httpProbe(s.URL+path)); got.Err == nil || !strings.Contains(got.Err.Error(), want) {
			t.Errorf("%s: %+v, want error with %q", path, got, want)
		}
	}
}

func TestHTTPSIsNotVerified(t *testing.T) {
	s := httptest.NewTLSServer(server(t))
	defer s.Close()
	s.Config.ErrorLog = nil
	if got := ask(t, httpProbe(s.URL+"/up")); got != (check.Result{Code: 200}) {
		t.Errorf("%+v", got)
	}
}

func TestHTTPOfNobody(t *testing.T) {
	s := httptest.NewServer(server(t))
	s.Close()
	if got := ask(t, httpProbe(s.URL+"/up")); got.Err == nil || !strings.Contains(got.Err.Error(), "connection refused") {
		t.Errorf("%+v", got)
	}
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Logf("no IPv6 loopback on this machine: %v", err)
		return
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: server(t)}}
	s.Start()
	defer s.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, httpProbe("http://[::1]:"+port+"/up")); got.Code != 200 {
		t.Errorf("%+v", got)
	}
	if got := ask(t, check.Probe{Type: mesos.CheckInfo_TCP, Address: "[::1]:" + port}); !got.Connected {
		t.Errorf("%+v", got)
	}
	if got := ask(t, check.Probe{Type: mesos.CheckInfo_TCP, Address: "127.0.0.1:" + port}); got.Connected || got.Err != nil {
		t.Errorf("IPv4: %+v", got)
	}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := check.Probe{Type: mesos.CheckInfo_TCP, Address: l.Addr().String(), Timeout: patience}
	if got := ask(t, q); got != (check.Result{Connected: true}) {
		t.Errorf("%+v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, q); got != (check.Result{}) {
		t.Errorf("refused: %+v", got)
	}
	if got := ask(t, check.Probe{}); got.Err == nil || !strings.Contains(got.Err.Error(), "UNKNOWN") {
		t.Errorf("unknown type: %+v", got)
	}
}

// silent takes connections and says nothing until the test ends.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestSilenceEndsWithTheTimeout(t *testing.T) {
	at := (&url.URL{Scheme: "http", Host: silent(t)}).String()
	got := ask(t, check.Probe{Type: mesos.CheckInfo_HTTP, URL: at, Timeout: 20 * time.Millisecond})
	if got.Err == nil || got.Err.Error() != "no answer within 20ms" {
		t.Errorf("%+v", got)
	}
}

func TestAQuestionCanBeTakenBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	at := silent(t)
	for _, q := range []check.Probe{
		{Type: mesos.CheckInfo_HTTP, URL: "http://" + at},
		{Type: mesos.CheckInfo_TCP, Address: at},
	} {
		if got := New(nil, program.Spec{}).Probe(ctx, q); got.Err == nil || got.Connected {
			t.Errorf("%s: %+v", q.Type, got)
		}
	}
}

func TestEndsOfCommands(t *testing.T) {
	for status, want := range map[int]string{
		0: "{0 false <nil>}", 7 << 8: "{7 false <nil>}", 9: "{0 false the command was killed by signal 9}",
		-1: "{0 false the command ended with unknown status}",
	} {
		if got := fmt.Sprint(exited(status)); got != want {
			t.Errorf("%#x: %s, want %s", status, got, want)
		}
	}
}

var errLaunch = errors.New("no memory")
