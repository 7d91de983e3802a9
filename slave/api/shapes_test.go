package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shape adds a line for every member of a document: its path and what it is.
// All elements of a list have one path.
func shape(value any, path string, lines map[string]bool) {
	kind := "null"
	switch v := value.(type) {
	case map[string]any:
		kind = "object"
		for key, member := range v {
			shape(member, strings.TrimPrefix(path+"."+key, "."), lines)
		}
	case []any:
		kind = "array"
		for _, element := range v {
			shape(element, path+"[]", lines)
		}
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "bool"
	}
	if path == "" {
		path = "."
	}
	lines[path+" "+kind] = true
}

// golden are the lines of testdata/shapes/NAME.txt: the members that Mesos's
// own answers have, of an agent that runs one task.
func golden(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "shapes", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// compare holds an answer against the golden shape. Members of its own are
// allowed to ours; those that clients read must be there, and be of their kind.
func compare(t *testing.T, name string, value any) {
	t.Helper()
	lines := map[string]bool{}
	shape(value, "", lines)
	ours := slices.Sorted(maps.Keys(lines))
	for _, line := range golden(t, name) {
		if !lines[line] {
			t.Errorf("%s lacks %q", name, line)
		}
		path, kind, _ := strings.Cut(line, " ")
		for _, other := range ours {
			if p, k, _ := strings.Cut(other, " "); p == path && k != kind {
				t.Errorf("%s: %s is a %s as well as a %s", name, path, k, kind)
			}
		}
	}
}

func TestShapesOfEndpoints(t *testing.T) {
	_, server := shown(t)
	for _, name := range []string{"state", "containers", "monitor-statistics", "version", "flags", "metrics-snapshot"} {
		path := "/" + strings.Replace(strings.Replace(name, "monitor-", "monitor/", 1), "metrics-", "metrics/", 1)
		for _, prefix := range []string{"", "/slave(1)"} {
			for _, suffix := range []string{"", ".json"} {
				compare(t, name, get(t, server, prefix+path+suffix))
			}
		}
	}
}

func TestShapesOfCalls(t *testing.T) {
	_, server := shown(t)
	files, err := filepath.Glob(filepath.Join("testdata", "shapes", "GET_*.txt"))
	if err != nil || len(files) != 13 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		body := fmt.Sprintf(`{"type":%q}`, name)
		if name == "GET_METRICS" { // which must have its part
			body = `{"type":"GET_METRICS","get_metrics":{}}`
		}
		r, err := http.Post(server.URL+"/api/v1", "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		var value any
		if err != nil || r.StatusCode != http.StatusOK || json.Unmarshal(text, &value) != nil {
			t.Fatalf("%s: %d %s, %v", name, r.StatusCode, text, err)
		}
		compare(t, name, value)
	}
}
