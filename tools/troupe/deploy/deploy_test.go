package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/dsl"
	"troupe/tools/troupe/deploy"
	"troupe/tools/troupe/show"
)

// framework answers by path; what was asked is kept.
func framework(t *testing.T, answers map[string]http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := answers[r.Method+" "+r.URL.Path]
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return client.New(server.URL)
}

func TestRequests(t *testing.T) {
	var asked string
	record := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = r.URL.RawQuery + " " + string(body)
		fmt.Fprint(w, `{"deploymentId": "D"}`)
	}
	versions := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `["2", "1"]`) }
	appVersions := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions": ["4", "3"]}`) }
	c := framework(t, map[string]http.HandlerFunc{
		"PUT /v2/apps": record, "PUT /v2/groups/g": record, "PUT /v2/groups": record,
		"GET /v2/groups/g/versions": versions, "GET /v2/apps/a/versions": appVersions,
		"GET /v2/apps/new/versions": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions": ["1"]}`) },
	})
	apps := &dsl.Jobs{Apps: []dsl.Job{{ID: "/a", JSON: []byte(`{"id":"/a"}`)}}}
	group := &dsl.Jobs{Group: &dsl.Job{ID: "/g", JSON: []byte(`{"id":"/g"}`)}}
	root := &dsl.Jobs{Group: &dsl.Job{ID: "/", JSON: []byte(`{"id":"/"}`)}}
	for _, row := range []struct {
		do   func() (deploy.Request, error)
		want string
	}{
		{func() (deploy.Request, error) { return deploy.Of(apps), nil }, `force=true&partialUpdate=false [{"id":"/a"}]`},
		{func() (deploy.Request, error) { return deploy.Of(group), nil }, `force=true {"id":"/g"}`},
		{func() (deploy.Request, error) { return deploy.Of(root), nil }, `force=true {"id":"/"}`},
		{func() (deploy.Request, error) { return deploy.Back(t.Context(), c, apps) }, `force=true [{"id":"/a","version":"3"}]`},
		{func() (deploy.Request, error) { return deploy.Back(t.Context(), c, group) }, `force=true {"version":"1"}`},
	} {
		r, err := row.do()
		if err != nil {
			t.Fatal(err)
		}
		id, err := r.Make(t.Context(), c, true)
		if err != nil || id != "D" || strings.TrimSpace(asked) != row.want {
			t.Errorf("%s, %v: asked %s, want %s", id, err, asked, row.want)
		}
	}
	if _, err := deploy.Back(t.Context(), c, &dsl.Jobs{Apps: []dsl.Job{{ID: "/new"}}}); err == nil || err.Error() != "/new: has no version before the one of now" {
		t.Error(err)
	}
	if _, err := deploy.Back(t.Context(), c, &dsl.Jobs{Apps: []dsl.Job{{ID: "/none"}}}); !client.Is(err, http.StatusNotFound) {
		t.Error(err)
	}
}

func TestPrint(t *testing.T) {
	p := client.Plan{
		Steps: []client.Step{{Actions: []client.Action{{Action: "StopApplication", App: "/old"}, {Action: "Odd", App: "/x"}}}},
		Changes: []client.AppChange{
			{App: "/a", Change: "edited", Fields: []client.FieldChange{{Path: "/labels/x", Old: []byte(`"1"`), New: []byte("null")}, {Path: "/cpus", New: []byte("2")}}},
			{App: "/same", Change: "same"},
		},
	}
	var out strings.Builder
	if err := errors.Join(deploy.PrintChanges(&out, show.Style{}, p), deploy.PrintSteps(&out, p)); err != nil {
		t.Fatal(err)
	}
	want := "/a: is changed in place: nothing restarts\n  - /labels/x: \"1\"\n  + /cpus: 2\nstep 1: end /old, Odd /x\n"
	if out.String() != want || deploy.Empty(p) || !deploy.Empty(client.Plan{}) {
		t.Errorf("%s", out.String())
	}
}

// follow plays a deployment that is asked for twice and then is gone.
func follow(t *testing.T, tell string) (string, error) {
	t.Helper()
	var asked atomic.Int32
	gone := make(chan struct{})
	c := framework(t, map[string]http.HandlerFunc{
		"GET /v2/events": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(http.StatusOK)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			select {
			case <-gone:
			case <-r.Context().Done():
			}
			fmt.Fprint(w, tell)
		},
		"GET /v2/deployments/D": func(w http.ResponseWriter, _ *http.Request) {
			switch asked.Add(1) {
			case 1:
				fmt.Fprint(w, `{"currentStep": 1, "totalSteps": 2, "progress": [{"app": "/a", "waits": "1 instance is not ready yet"}]}`)
			case 2:
				http.Error(w, "a new leader is coming", http.StatusServiceUnavailable)
			case 3:
				fmt.Fprint(w, `{"currentStep": 2, "totalSteps": 2, "paused": true, "progress": [{"app": "/a", "done": true}]}`)
			case 4:
				close(gone)
				http.Error(w, "{}", http.StatusNotFound)
			default:
				http.Error(w, "{}", http.StatusNotFound)
			}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ends, err := deploy.Listen(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer ends.Close()
	var out strings.Builder
	err = ends.Follow(ctx, c, "D", &out)
	return out.String(), err
}

func TestFollow(t *testing.T) {
	const want = "step 1 of 2; /a: 1 instance is not ready yet\nstep 2 of 2, paused\n"
	for tell, failed := range map[string]string{
		"event: deployment_success\ndata: {\"id\": \"other\"}\n\nevent: deployment_success\ndata: {\"id\": \"D\"}\n\n": "",
		"event: deployment_failed\ndata: {\"id\": \"D\", \"reason\": \"(stopped)\"}\n\n":                               "deployment D ended before it was done (stopped)",
		"event: deployment_failed\ndata: [7]\n\n":                                                                      "", // and then the stream ends: it is gone, that is all that is known
	} {
		out, err := follow(t, tell)
		if out != want || (err == nil) != (failed == "") || err != nil && err.Error() != failed {
			t.Errorf("%q: %v, %q", tell, err, out)
		}
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	c := framework(t, map[string]http.HandlerFunc{"GET /v2/events": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := deploy.Listen(ctx, c); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
