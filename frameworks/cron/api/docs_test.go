package api_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/plan"
)

// rows are the endpoints as the documentation has them.
func rows(routes []api.Route) string {
	var b strings.Builder
	for _, r := range routes {
		codes := strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Codes), " ", ", "), "[]")
		mark := ""
		if r.Added {
			mark = "+"
		}
		where := r.Path
		if r.Root {
			where = r.Path + " †"
		}
		fmt.Fprintf(&b, "| %s `%s`%s | %s | %s | %s |\n", r.Method, r.Path, strings.TrimPrefix(where, r.Path), codes, mark, r.Summary)
	}
	return b.String()
}

// The documentation has every endpoint with its status codes.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/cron-api.md")
	if err != nil {
		t.Fatal(err)
	}
	s := api.New(api.Options{Planner: nil, Board: &newSite(t, plan.Options{}).world.Board, Logging: http.NotFoundHandler()})
	defer s.Close()
	for row := range strings.Lines(rows(s.Routes())) {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/cron-api.md lacks\n%s", row)
		}
	}
	if got, want := strings.Count(string(page), "\n| GET `")+strings.Count(string(page), "\n| PUT `")+strings.Count(string(page), "\n| POST `")+strings.Count(string(page), "\n| DELETE `"), len(s.Routes()); got != want {
		t.Errorf("docs/cron-api.md has %d endpoints, there are %d", got, want)
	}
}
