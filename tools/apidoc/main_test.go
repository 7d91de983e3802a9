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

// likeMesos holds the answers of a real agent against the shapes that those of
// Mesos have.
func likeMesos(t *testing.T, made *page) {
	bodies := map[string][]byte{}
	for _, c := range made.chapters {
		for _, e := range c.entries {
			if e.ask != nil && e.answer != nil && e.ask.to.name() == "agent" {
				bodies[e.title] = e.answer.body
			}
		}
	}
	for title, file := range map[string]string{
		"`GET /state`": "state", "`GET /containers`": "containers", "`GET /monitor/statistics`": "monitor-statistics",
		"`GET /metrics/snapshot`": "metrics-snapshot", "`GET_TASKS`": "GET_TASKS", "`GET_STATE`": "GET_STATE",
		"`GET_AGENT`": "GET_AGENT", "`GET_FRAMEWORKS`": "GET_FRAMEWORKS", "`GET_CONTAINERS`": "GET_CONTAINERS",
	} {
		document, err := parse(bodies[title])
		if err != nil {
			t.Errorf("%s: %v", title, err)
			continue
		}
		have := map[string]bool{}
		document.shape("", have)
		text, err := os.ReadFile("../../slave/api/testdata/shapes/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if !have[line] && !unlike[line[strings.LastIndexByte(line[:strings.IndexByte(line, ' ')], '.')+1:]] {
				t.Errorf("%s of the agent lacks %q", title, line)
			}
		}
	}
}

// unlike is what is another way here: the executor of a command has no
// command line of its own.
var unlike = map[string]bool{"arguments array": true, "arguments[] string": true}

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
