package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// served is what a small cluster says of its routes.
func served() tables {
	get := []string{"GET"}
	return tables{
		"master": {
			"/state": {"all of it", get}, "/state.json": {"all of it", get}, "/master/state": {"all of it", get},
			"/quota": {"quotas", []string{"GET", "POST"}}, "/quota/": {"of a role", []string{"DELETE"}},
			"/health": {"200 when all is well", nil}, "/master/health": {"200 when all is well", nil},
		},
		"agent":          {"/health": {"200 when all is well", nil}, "/state": {"what runs here", get}},
		"standby master": {"/": {"leads to the leader", nil}},
	}
}

func daemon(name string) *process {
	state := ""
	if rest, stands := strings.CutPrefix(name, standingBy); stands {
		state, name = standingBy, rest
	}
	return &process{state: state, cmd: &exec.Cmd{Args: []string{"troupe", name}}}
}

// shows is a page of one chapter, whose answers have a status.
func shows(status string, asked ...request) *page {
	p := &page{served: served()}
	c := p.chapter("", "")
	for _, r := range asked {
		c.entries = append(c.entries, entry{ask: &r, answer: &answer{status: "HTTP/1.1 " + status}})
	}
	return p
}

func TestWhatARequestIsAnExampleOf(t *testing.T) {
	for _, test := range []struct {
		daemon, method, path, body string
		want                       string
	}{
		{"master", "GET", "/state?x=y", "", "master /state, master /state GET"},
		{"master", "GET", "/master/state", "", "master /state, master /state GET, master second names /master/…"},
		{"master", "GET", "/state.json", "", "master /state, master /state GET, master second names ….json"},
		{"master", "GET", "/health", "", "any /health, any /health GET"},
		{"agent", "GET", "/state", "", "agent /state, agent /state GET"},
		{"agent", "GET", "/nowhere", "", ""},
		{"standby master", "GET", "/state", "", "standby master /, standby master / GET"},
		{"master", "DELETE", "/quota/batch", "", "master /quota/, master /quota/ DELETE"},
		{"agent", "POST", "/api/v1", `{"type": "GET_STATE"}`, "agent /api/v1 call GET_STATE"},
		{"agent", "POST", "/api/v1", `{}`, ""},
		{"agent", "POST", "/api/v1", "7\n{\"a\":1}20\n{\"type\": \"ATTACHED\"}", "agent /api/v1 call ATTACHED"},
		{
			"agent", "POST", "/api/v1", `{"type": "A", "attach_container_input": {"process_io": {"type": "DATA"}}}`,
			"agent /api/v1 call A, agent /api/v1 input DATA",
		},
		{
			"master", "POST", schedulerPath, `{"type": "ACCEPT", "accept": {"operations": [{"type": "LAUNCH"}, {"type": "RESERVE"}]}}`,
			"master /api/v1/scheduler call ACCEPT, master /api/v1/scheduler operation LAUNCH, master /api/v1/scheduler operation RESERVE",
		},
	} {
		e := entry{ask: &request{to: daemon(test.daemon), method: test.method, path: test.path, body: test.body}}
		if got := strings.Join(e.examples(served()), ", "); got != test.want {
			t.Errorf("%s %s %s %s is an example of %q, want %q", test.daemon, test.method, test.path, test.body, got, test.want)
		}
	}
}

func TestWhatRecordsAreExamplesOf(t *testing.T) {
	event, err := parse([]byte(`{"type": "OFFERS"}`))
	if err != nil {
		t.Fatal(err)
	}
	e := entry{records: []*tree{event}, of: &request{to: daemon("master"), path: schedulerPath}}
	if got := e.examples(served()); !slices.Equal(got, []string{"master /api/v1/scheduler record OFFERS"}) {
		t.Errorf("%q", got)
	}
}

func TestWhatIsLacking(t *testing.T) {
	state := request{to: daemon("master"), method: "GET", path: "/master/state"}
	for _, test := range []struct {
		name       string
		page       *page
		lacks, has []string
	}{
		{
			"an empty page", shows("200 OK"),
			[]string{
				"agent /state", "agent /state GET", "any /health", "master /quota POST", "master /quota/ DELETE", "master second names ….json",
				"standby master /", "master /api/v1/scheduler record RESCIND", "agent /api/v1 call PRUNE_IMAGES (though refused)",
			},
			[]string{"master /health", "master /state.json", "agent /health", "agent /api/v1 record CONTROL"},
		},
		{
			"what succeeds", shows("200 OK", state, request{to: daemon("agent"), method: "POST", path: operatorPath, body: `{"type": "PRUNE_IMAGES"}`}),
			[]string{"agent /api/v1 call PRUNE_IMAGES (which succeeds: it needs no excuse)"},
			[]string{"master /state", "master /state GET", "agent /api/v1 call PRUNE_IMAGES (though refused)"},
		},
		{
			"what is refused", shows("501 Not Implemented", state, request{to: daemon("agent"), method: "POST", path: operatorPath, body: `{"type": "PRUNE_IMAGES"}`}),
			[]string{"master /state", "master /state GET"},
			[]string{"agent /api/v1 call PRUNE_IMAGES (though refused)"},
		},
		{
			"what is elsewhere", shows("307 Temporary Redirect", request{to: daemon("standby master"), method: "GET", path: "/x"}), nil,
			[]string{"standby master /"},
		},
	} {
		lacking := test.page.lacking()
		for _, what := range test.lacks {
			if !slices.Contains(lacking, what) {
				t.Errorf("%s does not lack %q", test.name, what)
			}
		}
		for _, what := range test.has {
			if slices.Contains(lacking, what) {
				t.Errorf("%s lacks %q", test.name, what)
			}
		}
	}
}

func TestAnchors(t *testing.T) {
	seen := anchors{}
	for _, test := range [][2]string{
		{"Scheduler API: `POST /api/v1/scheduler` of the master", "scheduler-api-post-apiv1scheduler-of-the-master"},
		{"Event `UPDATE`, which answers it", "event-update-which-answers-it"},
		{"`GET_STATE`", "get_state"},
		{"`GET_STATE`", "get_state-1"},
		{"405: not that method", "405-not-that-method"},
	} {
		if got := seen.of(test[0]); got != test[1] {
			t.Errorf("%s is linked by %s", test[0], got)
		}
	}
}

// TestContents holds the links of the page against its headings.
func TestContents(t *testing.T) {
	p := shows("200 OK")
	p.fixed = newStable()
	p.chapters[0].title = "Contents, of another kind"
	p.chapters[0].entries = []entry{{title: "`GET /x`"}, {title: "`GET /x`"}, {title: "The HTTP APIs, by example"}}
	text := p.render()
	headings := anchors{}
	for line := range strings.Lines(text) {
		if title, heading := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); heading && line[0] == '#' {
			link := "(#" + headings.of(strings.TrimSpace(title)) + ")"
			if linked := strings.Contains(text, link); linked != (strings.Contains(link, "get-x") || strings.Contains(link, "kind") || strings.Contains(link, "example-1")) {
				t.Errorf("%s is linked: %t", link, linked)
			}
		}
	}
}
