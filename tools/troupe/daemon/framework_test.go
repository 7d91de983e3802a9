package daemon

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
	"troupe/frameworks/store"
)

// patience bounds waits; it decides nothing.
const patience = time.Minute

// fake is a framework that leads, and ends as it is told.
type fake struct {
	lead   Lead
	end    chan error
	loaded chan struct{}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.URL.Path)
}

func (f *fake) Loaded() <-chan struct{} { return f.loaded }

func (f *fake) Run(ctx context.Context) error {
	select {
	case err := <-f.end:
		return err
	case <-ctx.Done():
		return nil
	}
}

// startFake starts one whose state is at path.
func startFake(t *testing.T, path, owner string) (*Daemon, *fake, error) {
	t.Helper()
	f := &fake{end: make(chan error, 1), loaded: make(chan struct{})}
	d, err := StartFramework(t.Context(), FrameworkOptions{
		Network: Network{Listen: "127.0.0.1:0"}, Logging: Logging{Logger: zap.NewNop(), Level: zap.NewAtomicLevel()},
		Framework: frameworks.Options{Name: "fake", Detector: frameworktest.NewElection()}, Owner: owner, State: path, Via: "X-Via",
	}, func(_ context.Context, l Lead) (Leading, error) {
		f.lead = l
		return f, nil
	})
	return d, f, err
}

func ask(t *testing.T, d *Daemon, path string) (int, string) {
	t.Helper()
	r, err := http.Get(d.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// A framework that is alone leads at once; it answers when it has loaded its state,
// and its end is the daemon's.
func TestAFrameworkAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "state")
	d, f, err := startFake(t, path, "fake")
	if err != nil {
		t.Fatal(err)
	}
	if url, self := f.lead.Leader(); url != d.URL() || !self || f.lead.Abdicate != nil || f.lead.URL != d.URL() || f.lead.Framework.WebUI != d.URL() {
		t.Errorf("it leads with %+v", f.lead)
	}
	if status, text := ask(t, d, "/ping"); status != http.StatusOK || text != "pong" {
		t.Errorf("ping: %d %s", status, text)
	}
	answered := make(chan int, 1)
	go func() {
		status, _ := ask(t, d, "/v2//apps")
		answered <- status
	}()
	select {
	case status := <-answered:
		t.Errorf("answered %d before anything was loaded", status)
	case <-time.After(50 * time.Millisecond):
	}
	close(f.loaded)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("after that: %d", status)
	}
	if _, text := ask(t, d, "/v2//apps"); text != "/v2//apps" {
		t.Errorf("it sees %q", text)
	}
	if err := f.lead.Store.Apply(t.Context(), map[string][]byte{"a": {1}}); err != nil {
		t.Error(err)
	}
	if _, _, err := startFake(t, path, "fake"); err == nil || !strings.Contains(err.Error(), "--store") {
		t.Errorf("a second process: %v", err)
	}
	broken := errors.New("broken")
	f.end <- broken
	if err := d.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("the daemon ended with %v", err)
	}
	if _, _, err := startFake(t, path, "other"); !errors.Is(err, store.ErrForeign) {
		t.Errorf("the state of another framework: %v", err)
	}
}

// The end of the daemon is the framework's, in order; that of the framework, without
// a reason, is an error.
func TestAFrameworkEnds(t *testing.T) {
	for _, byItself := range []bool{false, true} {
		d, f, err := startFake(t, filepath.Join(t.TempDir(), "state"), "fake")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if byItself {
			f.end <- nil
		} else {
			cancel()
		}
		if err := d.Run(ctx); (err != nil) != byItself {
			t.Errorf("by itself %t: %v", byItself, err)
		}
		if err := f.lead.Store.Apply(t.Context(), map[string][]byte{"a": {1}}); err == nil {
			t.Error("the store is open still")
		}
		cancel()
	}
}

func TestWhoseFiles(t *testing.T) {
	shown := board.New()
	shown.PublishApp(state.PublishApp{ID: "/prod/web", View: &state.AppView{
		App: &app.App{ID: "/prod/web"}, Instances: []*state.Instance{
			{ID: "prod_web.1", Task: "prod_web.1", Place: state.Place{Agent: "S1"}}, {ID: "prod_web.2", Task: "prod_web.2"},
		},
		Failure: &state.Failure{Task: "prod_web.0", Agent: "S0"},
	}})
	shown.PublishApp(state.PublishApp{ID: "/own", View: &state.AppView{
		App:       &app.App{ID: "/own", Process: app.Process{Executor: "/bin/executor"}},
		Instances: []*state.Instance{{Task: "own.1", Place: state.Place{Agent: "S1"}}},
	}})
	for path, want := range map[string]string{
		"/v2/tasks/prod_web.1/files":   "S1 prod_web.1 ",
		"/v2/tasks/prod_web.0/files":   "S0 prod_web.0 ", // it failed
		"/v2/tasks/prod_web.2/files":   "",               // it was never launched
		"/v2/tasks/prod_web.3/files":   "",
		"/v2/tasks/prod_gone.1/files":  "",
		"/v2/tasks/own.1/files":        "S1 own.1 marathon-own.1",
		"/v2/tasks/nonsense/files":     "",
		"/v2/tasks//files":             "",
		"/v2/tasks/a/b/files":          "",
		"/v2/tasks/prod_web.1/files/x": "",
		"/v2/tasks":                    "",
	} {
		got := ""
		if id := taskOfFiles(path); id != "" {
			if task, found := taskOf(shown, "F1", id); found {
				got = task.Agent + " " + task.ID + " " + task.Executor
			}
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", path, got, want)
		}
	}
}
