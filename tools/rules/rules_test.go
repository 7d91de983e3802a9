package rules

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

const root = "../.."

// The tree keeps its own rules.
func TestTree(t *testing.T) {
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Go) < 50 || len(tree.Pages) == 0 {
		t.Fatalf("read %d Go files and %d pages: this is not the repository", len(tree.Go), len(tree.Pages))
	}
	for _, f := range tree.Check() {
		t.Error(f)
	}
}

// The rings that are checked are those of docs/architecture.md.
func TestRingsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| ([a-z]+) \| (.+?) \| .+? \|$`)
	quoted := regexp.MustCompile("`([^`]+)`")
	documented := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		for _, folder := range quoted.FindAllStringSubmatch(m[2], -1) {
			documented[m[1]] = append(documented[m[1]], folder[1])
		}
	}
	for _, r := range Rings {
		got := documented[r.Name]
		slices.Sort(got)
		want := slices.Sorted(slices.Values(r.Folders))
		if !slices.Equal(got, want) {
			t.Errorf("ring %s: docs/architecture.md lists %v, the rule has %v", r.Name, got, want)
		}
	}
}
