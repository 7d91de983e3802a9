package lead_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/store"
	"troupe/frameworks/store/lead"
	"troupe/master/election/ensemble"
	"troupe/master/election/zookeepertest"
	"troupe/messages/masters"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// process is one of a framework: its server answers with its name and what it
// has read of the state.
type process struct {
	name   string
	e      *lead.Election
	server *httptest.Server
	state  chan *store.ZooKeeper // one, once it leads
	term   chan *ensemble.Term
}

func start(t *testing.T, e *zookeepertest.Ensemble, name string) *process {
	t.Helper()
	place, err := masters.ParseZooKeeper(e.URL("/" + t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, server: httptest.NewUnstartedServer(nil), state: make(chan *store.ZooKeeper, 1), term: make(chan *ensemble.Term, 1)}
	p.e, err = lead.NewElection(lead.Options{
		Place: place, SessionTimeout: 10 * time.Second, URL: "http://" + p.server.Listener.Addr().String(), Via: "X-Test-Via", Wait: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.server.Config.Handler = p.e.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s via %q", name, r.Header.Get("X-Test-Via"))
	}))
	p.server.Start()
	t.Cleanup(func() {
		p.e.Close()
		p.server.Close()
	})
	return p
}

// lead makes the process lead as the daemon of a framework does.
func (p *process) lead(t *testing.T) error {
	term, err := p.e.Lead(t.Context())
	if err != nil {
		return err
	}
	if _, self := p.e.Leader(); self {
		t.Errorf("%s leads before it is ready", p.name)
	}
	s, err := store.OpenZooKeeper(t.Context(), term, "f")
	if err != nil {
		return err
	}
	p.e.Ready()
	p.state <- s
	p.term <- term
	return nil
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Of three processes one leads, and all answer for it; when it ends the next one
// follows, with the state, and the one before can write nothing.
func TestProcesses(t *testing.T) {
	z := zookeepertest.Start(t, 1)
	first := start(t, z, "first")
	if err := first.lead(t); err != nil {
		t.Fatal(err)
	}
	second, third := start(t, z, "second"), start(t, z, "third")
	ended := make(chan error, 2)
	go func() { ended <- second.lead(t) }()
	for _, p := range []*process{second, third} {
		if got, want := get(t, p.server.URL), fmt.Sprintf("first via %q", p.server.URL); got != want {
			t.Errorf("%s answers %s, want %s", p.name, got, want)
		}
	}
	if got := get(t, first.server.URL); got != `first via ""` {
		t.Errorf("the leader answers %s", got)
	}
	state := <-first.state
	if err := state.Apply(t.Context(), map[string][]byte{"key": []byte("value")}); err != nil {
		t.Fatal(err)
	}
	first.e.Close()
	if _, self := first.e.Leader(); self {
		t.Error("the first leads on")
	}
	<-(<-first.term).Lost()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	next := <-second.state
	if got, err := next.Load(t.Context()); err != nil || string(got["key"]) != "value" {
		t.Errorf("holds %q, %v", got, err)
	}
	if err := state.Apply(t.Context(), map[string][]byte{"key": []byte("late")}); !errors.Is(err, store.ErrDeposed) {
		t.Errorf("the first wrote: %v", err)
	}
	until(t, "the third knows the second", func() bool {
		url, _ := third.e.Leader()
		return url == second.server.URL
	})
	if got := get(t, third.server.URL); !strings.HasPrefix(got, "second via") {
		t.Errorf("the third answers %s", got)
	}
	for _, s := range []*store.ZooKeeper{state, next} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A closed process is elected no more.
func TestClosed(t *testing.T) {
	z := zookeepertest.Start(t, 1)
	p := start(t, z, "closed")
	p.e.Close()
	if err := p.lead(t); !errors.Is(err, ensemble.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
