package api

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/service-api.md has every method of every resource, and no others.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/service-api.md")
	if err != nil {
		t.Fatal(err)
	}
	none := http.NotFoundHandler()
	s := New(Options{Board: newTown(t).board, Page: none, Logging: none})
	served := map[string]bool{}
	for to, methods := range s.routes {
		for method := range methods {
			served[fmt.Sprint(method, " ", to)] = true
		}
	}
	example := strings.NewReplacer("{id}", "a/b", "{version}", "2015-01-01T00:00:00.000Z", "{task}", "a_b.1", "{deployment}", "d")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		method := strings.TrimPrefix(cells[0], "| ")
		if len(cells) < 4 || !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) {
			continue
		}
		r := parseRoute(example.Replace(cells[1]), s.existing())
		if key := fmt.Sprint(method, " ", r.to); !served[key] || r.wrong != nil {
			t.Errorf("%s %s is not served, or is there twice", method, cells[1])
		} else {
			delete(served, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(served)) {
		t.Errorf("%s (of the resources in route.go) is not documented", key)
	}
}
