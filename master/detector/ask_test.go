package detector

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/master/api"
	"troupe/messages/mesos"
)

// mux is a master's routes.
type mux struct{ http.ServeMux }

func (m *mux) Route(pattern, _ string, h http.Handler) { m.Handle(pattern, h) }

func master(t *testing.T, leader func() (*mesos.MasterInfo, bool)) string {
	t.Helper()
	m := new(mux)
	api.MountLeader(m, leader)
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// patient are options by which a busy machine is waited for.
func patient(o Options) Options {
	o.AnswerTimeout = 3 * time.Minute
	return o.withDefaults()
}

func open(t *testing.T, text string, o Options) Detector {
	t.Helper()
	d, err := Open(text, patient(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// The masters' answers are those of their API.
func TestMastersAreAskedOverHTTP(t *testing.T) {
	leading := ""
	a := master(t, func() (*mesos.MasterInfo, bool) { return leaderAt(leading, "A"), true })
	b := master(t, func() (*mesos.MasterInfo, bool) { return leaderAt(leading, "A"), false })
	nobody := master(t, func() (*mesos.MasterInfo, bool) { return nil, false })
	leading = a
	file := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(file, []byte(b+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{a, b, nobody + "," + a, b + "," + nobody, "file://" + file} {
		m, err := open(t, where, Options{}).Leader(t.Context(), nil)
		if err != nil || m.GetId() != "A" || addressOf(m) != a {
			t.Errorf("at %s: %v, %v", where, m, err)
		}
	}
	standings, err := open(t, a+","+nobody, Options{}).Masters(t.Context())
	if err != nil || len(standings) != 2 {
		t.Fatalf("%v, %v", standings, err)
	}
	for _, s := range standings {
		if s.Err != nil || s.Leading != (s.Address == a) {
			t.Errorf("standing %+v", s)
		}
	}
}

func TestAnswers(t *testing.T) {
	for body, want := range map[string]string{
		`{"leading":true,"leader":{"id":"A","ip":1,"port":5050,"pid":"master@h:5050"}}`: "h:5050 leads",
		`{"leading":true}`:               "x:1 leads",
		`{"leading":true,"leader":null}`: "x:1 leads",
		`{"leading":false}`:              "none",
		`{"leading":false,"leader":{"id":"A","ip":0,"port":1,"hostname":"h"}}`: "h:1",
		`{"leading":1}`:                      "error: answers what is no JSON of a leader",
		`{"leading":true,"leader":3}`:        "error: answers a malformed leader",
		`{"leading":true,"leader":{"id":3}}`: "error: answers a malformed leader: id",
		``:                                   "error: answers what is no JSON",
	} {
		a, err := parseAnswer([]byte(body), "x:1")
		got := ""
		switch {
		case err != nil:
			got = "error: " + err.Error()
		case a.leader == nil:
			got = "none"
		case a.leading:
			got = addressOf(a.leader) + " leads"
		default:
			got = addressOf(a.leader)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// Whatever a master answers, nothing but an answer or an error comes of it.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"leading":true,"leader":{"id":"A","ip":1,"port":5050,"pid":"master@h:5050"}}`))
	f.Add([]byte(`{"leading":false}`))
	f.Add([]byte(`{"leader":{"address":{"ip":"::1","port":-1}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parseAnswer(body, "x:1")
		if err == nil && a.leading && addressOf(a.leader) == "" {
			t.Errorf("%q: a leader without an address", body)
		}
		if m := parseMembers(body); len(m) > maxMembers {
			t.Errorf("%d members", len(m))
		}
	})
}

func TestOddAnswers(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) }))
	defer s.Close()
	ask := newQuestions(patient(Options{})).leader
	at := strings.TrimPrefix(s.URL, "http://")
	for code, want := range map[int]string{
		http.StatusNotFound: "", http.StatusServiceUnavailable: "answers 503", http.StatusTemporaryRedirect: "answers 307", http.StatusOK: "no JSON",
	} {
		status = code
		a, err := ask(t.Context(), at)
		if want == "" && (err != nil || !a.leading || addressOf(a.leader) != at) {
			t.Errorf("%d: %+v, %v", code, a, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d: %v, want %q", code, err, want)
		}
	}
}

func TestSilentMasterIsNotWaitedFor(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	ask := newQuestions(Options{AnswerTimeout: time.Millisecond}.withDefaults()).leader
	if _, err := ask(t.Context(), strings.TrimPrefix(s.URL, "http://")); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("error %v", err)
	}
}

func TestMastersOverTLS(t *testing.T) {
	m := new(mux)
	at := ""
	api.MountLeader(m, func() (*mesos.MasterInfo, bool) { return leaderAt(at, "A"), true })
	s := httptest.NewTLSServer(m)
	defer s.Close()
	at = strings.TrimPrefix(s.URL, "https://")
	trusting := s.Client().Transport.(*http.Transport).TLSClientConfig
	if l, err := open(t, at, Options{TLS: trusting}).Leader(t.Context(), nil); err != nil || l.GetId() != "A" {
		t.Errorf("%v, %v", l, err)
	}
	a, err := newQuestions(patient(Options{TLS: &tls.Config{}})).leader(t.Context(), at)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a stranger's certificate: %+v, %v", a, err)
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	for text, want := range map[string]string{
		"nowhere":                                 `masters[0]: "nowhere"`,
		"file://" + dir + "/none":                 "read where the masters are: open",
		"file://" + dir:                           "is a directory",
		write("bad", "zk://z"):                    "bad: path: is missing",
		write("again", "file:///x"):               `again: "/x": is a file again`,
		write("empty", "\n"):                      "empty: the location is empty",
		write("huge", strings.Repeat("x", 1<<17)): "limit 16384",
	} {
		if _, err := Open(text, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want %q", text, err, want)
		}
	}
}

func TestMembers(t *testing.T) {
	m := new(mux)
	api.MountMembership(m, api.Membership{List: func() ([]api.Member, error) {
		return []api.Member{{ID: "A", Address: "a:1", Leads: true}, {ID: "B", Address: "no address"}, {ID: "C", Address: "c:1"}}, nil
	}})
	s := httptest.NewServer(m)
	defer s.Close()
	q := newQuestions(patient(Options{}))
	if got := q.members(t.Context(), strings.TrimPrefix(s.URL, "http://")); !slices.Equal(got, []string{"a:1", "c:1"}) {
		t.Errorf("members %v", got)
	}
	alone := master(t, func() (*mesos.MasterInfo, bool) { return nil, false })
	for _, at := range []string{alone, "127.0.0.1:1"} {
		if got := q.members(t.Context(), at); got != nil {
			t.Errorf("members of %s: %v", at, got)
		}
	}
	if got := parseMembers([]byte("[")); got != nil {
		t.Errorf("members %v", got)
	}
}
