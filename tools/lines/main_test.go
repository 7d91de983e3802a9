package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"testing/fstest"
)

const root = "../.."

// The table of examples in the README has all of them, and counts them right.
func TestTableOfExamples(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| \[([a-z-]+)\]\(examples/[^)]+\) \|.*\| (\d+) \|$`)
	table := map[string]int{}
	for _, m := range row.FindAllSubmatch(page, -1) {
		if table[string(m[1])], err = strconv.Atoi(string(m[2])); err != nil {
			t.Fatal(err)
		}
	}
	folders, err := os.ReadDir(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		lines, err := count(os.DirFS(filepath.Join(root, "examples", f.Name())))
		if err != nil {
			t.Fatal(err)
		}
		if table[f.Name()] != lines {
			t.Errorf("README.md: %s has %d lines, not %d", f.Name(), lines, table[f.Name()])
		}
		delete(table, f.Name())
	}
	for name := range table {
		t.Errorf("README.md: there is no example %s", name)
	}
}

func TestWhatIsCounted(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  int
	}{
		"nothing":  {fstest.MapFS{"README.md": file("# Text\n")}, 0},
		"comments": {fstest.MapFS{"a.go": file("// Package a.\npackage a\n\n/* x\n\ny */\nvar x = 1 // one\n")}, 2},
		"strings":  {fstest.MapFS{"a.go": file("package a\n\nvar x = `\n// text\n\n`\n")}, 5},
		"brackets": {fstest.MapFS{"a.go": file("package a\n\nfunc f() {\n}\n")}, 3},
		"no tests": {fstest.MapFS{"a.go": file("package a\n"), "a_test.go": file("package a\n"), "testdata/b.go": file("package b\n")}, 1},
		"folders":  {fstest.MapFS{"a.go": file("package a\n"), "b/b.go": file("package b\n")}, 2},
		"python":   {fstest.MapFS{"a.py": file("#!/x\n\"\"\"Text\n\nmore.\n\"\"\"\nimport os\n\ndef f():\n    \"\"\"One line.\"\"\"\n    # no\n    return \"\"\n")}, 3},
	} {
		if got, err := count(c.files); err != nil || got != c.want {
			t.Errorf("%s: %d lines and %v, want %d", name, got, err, c.want)
		}
	}
}
