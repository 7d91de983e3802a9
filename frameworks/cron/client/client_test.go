package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/api/apitest"
	"troupe/frameworks/cron/client"
	"troupe/frameworks/cron/plan"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func serve(t *testing.T) (*client.Client, *apitest.World, *api.Server) {
	w := apitest.New(begin, plan.Options{})
	s := api.New(api.Options{Planner: w, Board: &w.Board, Cluster: w, Now: w.Now})
	server := httptest.NewServer(s.Handler(nil))
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return &client.Client{URL: server.URL + "/"}, w, s
}

func scheduled(name, schedule string) client.Job {
	return client.Job{Name: name, Program: client.Program{Command: "true"}, When: client.When{Schedule: schedule}}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got fails the test on an error, and passes on a value.
func got[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// The life of two jobs, by every method of the client, in both versions.
func TestEveryMethod(t *testing.T) {
	for _, prefix := range []string{"", "/scheduler"} {
		c, w, _ := serve(t)
		c.Prefix = prefix
		ctx := t.Context()
		check(t, c.Ping(ctx))
		if all := got[[]client.Job](t)(c.Jobs(ctx)); len(all) != 0 {
			t.Fatalf("jobs: %v", all)
		}
		first := scheduled("a job", "R/2026-03-02T02:00:00Z/P1D")
		first.Tags = map[string]string{"team": "red"}
		first.Async, first.DataProcessing = true, true
		check(t, c.PutScheduled(ctx, first))
		check(t, c.PutDependent(ctx, client.Job{Name: "then", When: client.When{Parents: []string{"a job"}}}))

		j := got[client.Job](t)(c.Job(ctx, "a job"))
		if j.Command != "true" || *j.Retries != 2 || j.CPUs != 0.1 || j.Schedule != "R/2026-03-02T02:00:00.000Z/P1D" {
			t.Errorf("job: %+v", j)
		}
		check(t, c.PutScheduled(ctx, j)) // what was got may be put again
		if again := got[client.Job](t)(c.Job(ctx, "a job")); !reflect.DeepEqual(again, j) {
			t.Errorf("job: %+v, was %+v", again, j)
		}
		if all := got[[]client.Job](t)(c.Jobs(ctx, "team=red")); len(all) != 1 || all[0].Name != "a job" {
			t.Errorf("tagged: %v", all)
		}
		if all := got[[]client.Job](t)(c.Search(ctx, url.Values{"any": {"THE"}})); len(all) != 1 || all[0].Name != "then" {
			t.Errorf("found: %v", all)
		}

		check(t, c.Run(ctx, "a job", "x y"))
		if r := got[client.Runs](t)(c.Runs(ctx, "a job")); len(r.Active) != 1 || !r.Active[0].Manual || r.Active[0].Arguments != "x y" || r.Active[0].Phase != "launched" {
			t.Errorf("runs: %+v", r)
		}
		w.Hold("a job", "no agent has a GPU")
		if y := got[client.Why](t)(c.Why(ctx, "a job")); y.State != "queued" || !strings.Contains(y.Reasons[0], "no agent has a GPU") {
			t.Errorf("why: %+v", y)
		}
		task := w.Start("a job")[0]
		check(t, c.Progress(ctx, "a job", task, 41))
		check(t, c.Progress(ctx, "a job", task, 1))
		w.Pass(time.Minute)
		w.End("a job", plan.Succeeded, 0, "")
		if y := got[client.Why](t)(c.Why(ctx, "a job")); !strings.Contains(y.Reasons[0], "PUT task/"+task) {
			t.Errorf("why: %+v", y)
		}
		check(t, c.Finish(ctx, task, 0))
		s := got[client.Stat](t)(c.Stat(ctx, "a job"))
		if len(s.Tasks) != 1 || s.Tasks[0].Elements != 42 || s.Tasks[0].Status != "succeeded" || s.Histogram["median"] != 60000 || s.Histogram["count"] != 1 {
			t.Errorf("stat: %+v", s)
		}
		if f := got[[]client.Figure](t)(c.Statistic(ctx, "mean")); len(f) != 1 || f[0] != (client.Figure{Job: "a job", Time: 60000}) {
			t.Errorf("mean: %v", f)
		}
		if all := got[[]client.Summary](t)(c.Summary(ctx)); len(all) != 2 || all[0].Status != "success" || all[1].State != "queued" {
			t.Errorf("summary: %+v", all)
		}
		g := got[client.Graph](t)(c.Graph(ctx))
		if len(g.Nodes) != 2 || len(g.Links) != 1 || g.Links[0].Source != "a job" || g.Links[0].Target != "then" {
			t.Errorf("graph: %+v", g)
		}
		if text := got[string](t)(c.GraphText(ctx, "dot")); !strings.HasPrefix(text, "digraph") {
			t.Errorf("dot: %s", text)
		}
		check(t, c.Kill(ctx, "then"))
		r := got[client.Runs](t)(c.Runs(ctx, "then"))
		if len(r.History) != 1 || r.History[0].Outcome != "killed" || r.History[0].Exit != 143 || !strings.Contains(r.History[0].Logs.Stdout, "s1.example") {
			t.Errorf("runs: %+v", r)
		}
		if text := got[string](t)(c.Log(ctx, "then", r.History[0].Task, "stderr", 10)); text != "ast line</b>\n"[3:] {
			t.Errorf("log: %q", text)
		}
		if text := got[string](t)(c.MarkSuccess(ctx, "a job")); !strings.Contains(text, "a job as successful") {
			t.Errorf("marked: %s", text)
		}
		if len(w.Tasks("then")) != 1 {
			t.Errorf("what depends on a job that was marked has not run")
		}
		n := got[client.Next](t)(c.Next(ctx, "a job", 3))
		if len(n.Next) != 3 || n.Next[2].Time != "2026-03-04T02:00:00.000Z" {
			t.Errorf("next: %+v", n)
		}
		n = got[client.Next](t)(c.Preview(ctx, "30 2 29 3 *", "Europe/Berlin", 1))
		if len(n.Next) != 1 || n.Next[0].Local != "2026-03-29T03:00:00+02:00" || !strings.Contains(n.Next[0].Note, "clocks skip") {
			t.Errorf("preview: %+v", n)
		}
		if l := got[string](t)(c.Leader(ctx)); !strings.Contains(c.URL, l) {
			t.Errorf("leader: %s", l)
		}
		var info struct{ Name string }
		if check(t, c.Get(ctx, "/info", &info)); info.Name != "troupe cron" {
			t.Errorf("info: %+v", info)
		}
		refused(t, c.Delete(ctx, "a job", false), 409, "has dependents")
		check(t, c.Delete(ctx, "a job", true))
		if all := got[[]client.Job](t)(c.Jobs(ctx)); len(all) != 0 {
			t.Errorf("jobs: %v", all)
		}
	}
}

func refused(t *testing.T, err error, code int, text string) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%v; want %d %s", err, code, text)
	}
}

func TestRefusals(t *testing.T) {
	c, _, _ := serve(t)
	ctx := t.Context()
	_, err := c.Job(ctx, "nobody")
	refused(t, err, 404, "Not Found")
	err = c.PutScheduled(ctx, scheduled("a/b", "every day"))
	refused(t, err, 422, "Unprocessable Entity")
	var e *client.Error
	if errors.As(err, &e); len(e.Details) != 2 || e.Details[0].Path != "name" || e.Details[1].Path != "schedule" {
		t.Errorf("details: %+v", e.Details)
	}
	_, err = c.Search(ctx, url.Values{"limit": {"-1"}})
	refused(t, err, 422, "limit")
	_, err = (&client.Client{URL: c.URL, Prefix: "/v9"}).Jobs(ctx)
	refused(t, err, 404, "/v9/jobs")

	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			http.Error(w, "who is it?", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "no JSON")
	}))
	defer other.Close()
	_, err = (&client.Client{URL: other.URL}).Jobs(ctx)
	refused(t, err, 401, "who is it?")
	me := &client.Client{URL: other.URL, User: "me", Password: "secret"}
	if _, err = me.Jobs(ctx); err == nil || !strings.Contains(err.Error(), "answer") {
		t.Errorf("no JSON: %v", err)
	}
	if err = me.Ping(ctx); err == nil || !strings.Contains(err.Error(), "no pong") {
		t.Errorf("no pong: %v", err)
	}
}

// follow sends the events of a stream, from when nothing is missed any more.
func follow(t *testing.T, c *client.Client, after string, by url.Values) (events chan client.Event, ended chan error) {
	events, ended = make(chan client.Event, 100), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	opened := make(chan struct{})
	go func() {
		ended <- c.Follow(ctx, after, by, func() { close(opened) }, func(e client.Event) error {
			events <- e
			return nil
		})
	}()
	select {
	case <-opened:
	case err := <-ended:
		t.Fatal(err)
	}
	return events, ended
}

func next(t *testing.T, events chan client.Event) client.Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(30 * time.Second):
		t.Fatal("no event comes")
		return client.Event{}
	}
}

func TestEvents(t *testing.T) {
	c, w, server := serve(t)
	ctx := t.Context()
	events, ended := follow(t, c, "", nil)
	red, _ := follow(t, c, "", url.Values{"tag": {"team=red"}})
	one, _ := follow(t, c, "", url.Values{"job": {"b"}})

	a := scheduled("a", "R1/2026-03-02T02:00:00Z/P1D")
	a.Retries = new(int)
	check(t, c.PutScheduled(ctx, a))
	check(t, c.Run(ctx, "a", ""))
	w.Start("a")
	w.End("a", plan.Failed, 3, "no luck")
	b := scheduled("b", "@daily")
	b.Tags = map[string]string{"team": "red"}
	check(t, c.PutScheduled(ctx, b))
	check(t, c.Delete(ctx, "a", false))

	var resume string
	for _, want := range []string{"job-added a", "run-begun a launched", "run-changed a running", "run-ended a failed 3 no luck", "job-added b", "job-removed a"} {
		e := next(t, events)
		said := e.Kind + " " + e.Job
		if e.Run != nil {
			said += " " + e.Run.Phase
		}
		if e.Attempt != nil {
			said += fmt.Sprintf(" %s %d %s", e.Attempt.Outcome, e.Attempt.Exit, e.Attempt.Message)
		}
		if said != want || e.ID == "" || e.Time == "" || (e.Summary == nil) != (e.Kind == "job-removed") {
			t.Errorf("%+v, want %s", e, want)
		}
		if e.Kind == "run-ended" {
			resume = e.ID
		}
	}
	for _, narrowed := range []chan client.Event{red, one} {
		if e := next(t, narrowed); e.Kind != "job-added" || e.Job != "b" {
			t.Errorf("%+v, want job-added b", e)
		}
	}

	again, _ := follow(t, c, resume, nil)
	if e := next(t, again); e.Kind != "job-added" || e.Job != "b" {
		t.Errorf("after %s: %+v", resume, e)
	}
	for _, after := range []string{"other-5", "5", resume + "000", "x"} {
		lost, _ := follow(t, c, after, nil)
		if e := next(t, lost); e.Kind != "gap" {
			t.Errorf("after %s: %+v, want a gap", after, e)
		}
	}
	server.Close()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
	err := c.Follow(ctx, "", nil, nil, nil)
	refused(t, err, 503, "ending")
}

// Who comes back to more than is kept is told so, and gets what is kept.
func TestEventsThatAreNotKept(t *testing.T) {
	c, w, _ := serve(t)
	events, _ := follow(t, c, "", nil)
	check(t, c.PutScheduled(t.Context(), scheduled("a", "@daily")))
	first := next(t, events)
	for range 5000 {
		w.Board.Publish(plan.Publish{Name: "a", View: w.Board.Job("a")})
	}
	late, _ := follow(t, c, first.ID, nil)
	if e := next(t, late); e.Kind != "gap" {
		t.Fatalf("%+v, want a gap", e)
	}
	if e := next(t, late); e.Kind != "job-changed" {
		t.Fatalf("%+v", e)
	}
}

func TestPut(t *testing.T) {
	c, w, _ := serve(t)
	ctx := t.Context()
	put, err := c.Put(ctx, []byte(`[{"name":"c","parents":["b","a"]},{"name":"b","parents":["a"]},{"name":"a","schedule":"@daily","executorFlags":"-x"}]`))
	if err != nil || fmt.Sprint(put) != "[a b c]" {
		t.Errorf("%v, %v", put, err)
	}
	if flags := w.Board.Job("a").Job.Command.ExecutorFlags; flags != "-x" {
		t.Errorf("what the client does not know is lost: %q", flags)
	}
	if put, err = c.Put(ctx, []byte(` {"name":"one"}`)); err != nil || fmt.Sprint(put) != "[one]" {
		t.Errorf("%v, %v", put, err)
	}
	put, err = c.Put(ctx, []byte(`[{"name":"d","schedule":"@daily"},{"name":"x","parents":["y"]},{"name":"y","parents":["x"]},{"name":"never"}]`))
	if refused(t, err, 422, "job y: "); fmt.Sprint(put) != "[d]" {
		t.Errorf("%v", put)
	}
	for _, text := range []string{"", "{", "[1]", `{"name":1}`, "[{}"} {
		if put, err := c.Put(ctx, []byte(text)); err == nil || len(put) > 0 {
			t.Errorf("%q: %v, %v", text, put, err)
		}
	}
}
