package rules

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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

// What is committed is what the generator writes.
func TestGeneratedCode(t *testing.T) {
	fresh := t.TempDir()
	generate := exec.Command("go", "run", "./tools/protogen", "-out", fresh)
	generate.Dir = root
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("protogen: %v\n%s", err, out)
	}
	want := generatedFiles(t, fresh)
	got := generatedFiles(t, root)
	for path, text := range want {
		if !bytes.Equal(got[path], text) {
			t.Errorf("%s is not what its .proto says; run: go run ./tools/protogen", path)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s belongs to no .proto", path)
		}
	}
}

func generatedFiles(t *testing.T, root string) map[string][]byte {
	files := map[string][]byte{}
	messages := filepath.Join(root, "messages")
	err := filepath.WalkDir(messages, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".pb.go") {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[rel], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
