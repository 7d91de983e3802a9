package rules

import (
	"go/ast"
	"io/fs"
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

// The tests that pages name beside their promises exist.
func TestNamedTestsExist(t *testing.T) {
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, f := range tree.Go {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.Test {
				tests[f.Folder()+" "+fn.Name.Name] = true
				tests[fn.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile("`(Test\\w+)` in `([a-z0-9/]+)`")
	alone := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	found := 0
	for _, page := range tree.Pages {
		text, err := fs.ReadFile(tree.Root, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alone.FindAllStringSubmatch(string(text), -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			if !tests[m[2]+" "+m[1]] {
				t.Errorf("%s names %s in %s, which does not exist", page, m[1], m[2])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d tests are named: the README's table is not found", found)
	}
}
