package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	word   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(\s*:)?`)
	number = regexp.MustCompile(`[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?`)
)

// shapeOf leaves out of examples what may differ from machine to machine:
// texts and numbers. What is written around them stays, as do the names of
// members.
func shapeOf(page string) []string {
	var lines []string
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if inside {
			line = word.ReplaceAllStringFunc(line, func(text string) string {
				if strings.HasSuffix(text, ":") {
					return text
				}
				return `"…"`
			})
			line = number.ReplaceAllString(line, "0")
		}
		lines = append(lines, line)
	}
	return lines
}

// TestThePageIsWhatTheProgramMakes plays the script against a master and an
// agent. When it fails after an API was changed: go run ./tools/apidoc.
func TestThePageIsWhatTheProgramMakes(t *testing.T) {
	made, err := play(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("page", func(t *testing.T) {
		text, err := os.ReadFile("../../docs/http-api.md")
		if err != nil {
			t.Fatal(err)
		}
		difference(t, shapeOf(string(text)), shapeOf(made.render()))
	})
	t.Run("complete", func(t *testing.T) {
		for _, what := range made.lacking() {
			t.Errorf("no example of %s", what)
		}
	})
	t.Run("shapes", func(t *testing.T) { likeMesos(t, made) })
}

// difference is an error that shows where two pages begin to differ.
func difference(t *testing.T, is, made []string) {
	t.Helper()
	if slices.Equal(is, made) {
		return
	}
	title := ""
	for i := range min(len(is), len(made)) {
		if strings.HasPrefix(made[i], "#") {
			title = made[i]
		}
		if is[i] != made[i] {
			t.Fatalf("docs/http-api.md is not what go run ./tools/apidoc makes, at line %d of %s:\n%s\nbut is made\n%s", i+1, title, is[i], made[i])
		}
	}
	t.Fatalf("docs/http-api.md has %d lines, and is made with %d", len(is), len(made))
}

func TestDifferencesOfShapeAreFound(t *testing.T) {
	page := "# Title\n\nText 1.\n\n```http\nHTTP/1.1 200 OK\n\n{\"id\": \"a \\\"b\\\"\", \"n\": 1.5}\n```\n"
	same := shapeOf(page)
	for _, other := range []string{
		strings.Replace(page, "1.5", "-2e9", 1), strings.Replace(page, `a \"b\"`, "c: d", 1),
	} {
		if got := shapeOf(other); !slices.Equal(got, same) {
			t.Errorf("another value is another shape: %q", got)
		}
	}
	for _, other := range []string{
		strings.Replace(page, "Text 1", "Text 2", 1), strings.Replace(page, `"n"`, `"m"`, 1),
		strings.Replace(page, "OK", "Accepted", 1), strings.Replace(page, "1.5", `"1.5"`, 1), page + "more\n",
	} {
		if got := shapeOf(other); slices.Equal(got, same) {
			t.Errorf("no difference is seen in %q", other)
		}
	}
}

// likeMesos holds the answers of a real agent and a real master against the
// shapes that those of Mesos have.
func likeMesos(t *testing.T, made *page) {
	bodies := map[string][]byte{}
	for _, c := range made.chapters {
		for _, e := range c.entries {
			if e.ask != nil && e.answer != nil {
				bodies[e.ask.to.name()+" "+strings.Trim(e.title, "`")] = e.answer.body
			}
		}
	}
	for shapes, titles := range map[string]map[string]string{
		"../../slave/api/testdata/shapes/": {
			"agent GET /state": "state", "agent GET /containers": "containers", "agent GET /monitor/statistics": "monitor-statistics",
			"agent GET /metrics/snapshot": "metrics-snapshot", "agent GET_TASKS": "GET_TASKS", "agent GET_STATE": "GET_STATE",
			"agent GET_AGENT": "GET_AGENT", "agent GET_FRAMEWORKS": "GET_FRAMEWORKS", "agent GET_CONTAINERS": "GET_CONTAINERS",
			"agent GET_METRICS": "GET_METRICS", "agent LIST_FILES": "LIST_FILES", "agent READ_FILE": "READ_FILE",
			"master READ_FILE": "READ_FILE", "agent GET /files/browse": "files-browse", "agent GET /files/read": "files-read",
			"agent GET /files/debug": "files-debug",
		},
		"../../master/api/testdata/mesos/": {
			"master GET /state": "state", "master GET /state-summary": "state-summary", "master GET /slaves": "slaves",
			"master GET /frameworks": "frameworks", "master GET /tasks": "tasks", "master GET /roles": "roles",
			"master GET_AGENTS": "GET_AGENTS", "master GET_FRAMEWORKS": "GET_FRAMEWORKS", "master GET_TASKS": "GET_TASKS",
			"master GET_STATE": "GET_STATE", "master GET_MASTER": "GET_MASTER", "master GET_ROLES": "GET_ROLES",
			"master GET_METRICS": "GET_METRICS", "agent GET /system/stats.json": "system_stats",
		},
	} {
		for title, file := range titles {
			for _, line := range lacks(t, bodies[title], shapes+file+".txt") {
				t.Errorf("%s lacks %q", title, line)
			}
		}
	}
	for _, key := range lacksMetrics(t, bodies["master GET /stats"]) {
		t.Errorf("master GET /stats lacks %s", key)
	}
}

// lacksMetrics lists what a leading master does not tell of the figures that
// Mesos's tells; master/api holds those of frameworks against the same list.
// /stats is /metrics/snapshot.
func lacksMetrics(t *testing.T, body []byte) (lacking []string) {
	t.Helper()
	document, err := parse(body)
	if err != nil {
		t.Errorf("/stats: %v", err)
		return nil
	}
	text, err := os.ReadFile("../../master/api/testdata/mesos/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields(string(text)) {
		if strings.HasPrefix(key, "master/frameworks/") {
			continue
		}
		if key = strings.Replace(key, "/roles/*/", "/roles/web/", 1); !slices.Contains(document.keys, key) {
			lacking = append(lacking, key)
		}
	}
	return lacking
}

// lacks lists what a document does not have of the shape in a file.
func lacks(t *testing.T, body []byte, file string) (lacking []string) {
	t.Helper()
	document, err := parse(body)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return nil
	}
	have := map[string]bool{}
	document.shape("", have)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if !have[line] && !slices.ContainsFunc(unlike, func(end string) bool { return strings.HasSuffix(line, end) }) {
			lacking = append(lacking, line)
		}
	}
	return lacking
}

// unlike are ends of what is another way here: the executor of a command has
// no command line of its own, agents do not say that they keep a journal, since
// all do, and the names of flags are not one.
var unlike = []string{".arguments array", ".arguments[] string", ".agent_info.checkpoint bool", "flags.* string"}

// shape adds a line for every member: its path and its kind.
func (t *tree) shape(path string, lines map[string]bool) {
	kind := map[byte]string{'{': "object", '[': "array"}[t.open]
	if t.open == 0 {
		kind = "number"
		switch {
		case strings.HasPrefix(t.text, `"`):
			kind = "string"
		case t.text == "true", t.text == "false":
			kind = "bool"
		}
	}
	name := path
	if name == "" {
		name = "."
	}
	lines[name+" "+kind] = true
	for i, child := range t.children {
		if t.open == '{' {
			child.shape(strings.TrimPrefix(path+"."+t.keys[i], "."), lines)
		} else {
			child.shape(path+"[]", lines)
		}
	}
}
