package conformance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that docs/bad-input.md names is there to be run; where it names a
// folder, there.
func TestBadInputNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/bad-input.md")
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string][]string{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			if err == nil && d.Name() == "vendor" {
				return fs.SkipDir
			}
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			name := string(m[1])
			folders[name] = append(folders[name], filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../../"))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`(?: in `([^`]+)`)?").FindAllStringSubmatch(string(page), -1)
	if len(named) < 100 {
		t.Errorf("the page names %d tests", len(named))
	}
	for _, m := range named {
		where := folders[m[1]]
		if len(where) == 0 || m[2] != "" && !strings.Contains(" "+strings.Join(where, " ")+" ", " "+m[2]+" ") {
			t.Errorf("there is no %s in %q; it is in %v", m[1], m[2], where)
		}
	}
}
