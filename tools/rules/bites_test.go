package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// Every rule bites: each file of testdata is a small tree that breaks rules,
// below the findings it must give. In a tree, "@N text" is N lines of text.
func TestRulesBite(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, files := unpack(t, string(text))
			tree, err := Read(files)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range tree.Check() {
				fmt.Fprintln(&got, f)
			}
			if got.String() != want {
				t.Errorf("found:\n%s\nwant:\n%s", got.String(), want)
			}
		})
	}
}

// unpack splits a case at its "-- path --" lines.
func unpack(t *testing.T, text string) (want string, files fstest.MapFS) {
	files = fstest.MapFS{}
	current := ""
	for line := range strings.Lines(text) {
		name, isName := strings.CutPrefix(line, "-- ")
		switch name, closed := strings.CutSuffix(strings.TrimSpace(name), " --"); {
		case isName && closed:
			current = name
			files[current] = &fstest.MapFile{}
		case current == "":
			want += line
		default:
			files[current].Data = append(files[current].Data, expand(t, line)...)
		}
	}
	return want, files
}

func expand(t *testing.T, line string) string {
	rest, ok := strings.CutPrefix(line, "@")
	if !ok {
		return line
	}
	count, what, _ := strings.Cut(rest, " ")
	var n int
	if _, err := fmt.Sscan(count, &n); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return strings.Repeat(what, n)
}
