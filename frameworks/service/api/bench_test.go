package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
)

// large is a server with 2,000 apps of 25 instances each.
func large() *Server {
	shown := board.New()
	root := app.NewRoot()
	for n := range 2000 {
		v := fullView()
		a := v.App.Clone()
		a.ID = app.Path(fmt.Sprintf("/g%d/a%d", n%50, n))
		root = root.With(a)
		one := v.Instances[1]
		v.App, v.Instances = a, nil
		for k := range 25 {
			i := *one
			i.Task = fmt.Sprintf("%s.%d", a.ID.Flat(), k)
			v.Instances = append(v.Instances, &i)
		}
		shown.PublishApp(state.PublishApp{ID: a.ID, View: v})
	}
	shown.PublishRoot(state.PublishRoot{Root: root, History: []*app.Group{root}})
	return New(Options{Board: shown})
}

// BenchmarkAnswer is what answers cost in a large cluster.
func BenchmarkAnswer(b *testing.B) {
	s := large()
	for _, path := range []string{
		"/ping", "/v2/apps/g1/a1", "/v2/apps", "/v2/apps?embed=apps.tasks", "/v2/apps?label=none", "/v2/tasks", "/v2/groups", "/v2/deployments", "/v2/queue", "/metrics",
	} {
		b.Run(path[1:], func(b *testing.B) {
			for b.Loop() {
				rec := httptest.NewRecorder()
				s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
				if rec.Code != http.StatusOK {
					b.Fatalf("status %d", rec.Code)
				}
				b.SetBytes(int64(rec.Body.Len()))
			}
		})
	}
}
