// Package rules checks the repository against the rules of its architecture:
// who may import whom, what a core never does, how long a file may grow,
// whether a link leads somewhere. Its tests run the rules over the whole tree
// and over small trees that break them. Only tests use it.
package rules

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Module is the path of the module in go.mod.
const Module = "troupe"

// Finding is one break of a rule.
type Finding struct {
	Rule string
	Path string // relative to the root of the tree, with slashes
	Line int    // 0 when the whole file or folder is meant
	Text string
}

func (f Finding) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s (%s)", f.Path, f.Text, f.Rule)
	}
	return fmt.Sprintf("%s:%d: %s (%s)", f.Path, f.Line, f.Text, f.Rule)
}

// File is one parsed Go file.
type File struct {
	Path      string
	Lines     int
	Test      bool
	Generated bool
	AST       *ast.File
	set       *token.FileSet
}

// Folder is the package's folder; "." at the root.
func (f *File) Folder() string { return path.Dir(f.Path) }

func (f *File) line(p token.Pos) int { return f.set.Position(p).Line }

// Tree is a repository, read once.
type Tree struct {
	Root  fs.FS
	Go    []*File
	Pages []string // every Markdown file
}

// Read parses every Go file of root. Folders that belong to others or to no
// build (vendor, testdata, names that begin with a dot) are left out.
func Read(root fs.FS) (*Tree, error) {
	t := &Tree{Root: root}
	set := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (name == "vendor" || name == "testdata" || strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			t.Pages = append(t.Pages, p)
		case path.Ext(name) == ".go":
			f, err := readFile(root, set, p)
			if err != nil {
				return err
			}
			t.Go = append(t.Go, f)
		}
		return nil
	})
	return t, err
}

func readFile(root fs.FS, set *token.FileSet, p string) (*File, error) {
	source, err := fs.ReadFile(root, p)
	if err != nil {
		return nil, err
	}
	tree, err := parser.ParseFile(set, p, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &File{
		Path:      p,
		Lines:     strings.Count(string(source), "\n"),
		Test:      strings.HasSuffix(p, "_test.go"),
		Generated: ast.IsGenerated(tree),
		AST:       tree,
		set:       set,
	}, nil
}

// Check applies every rule and returns what it found, in order of path and
// line.
func (t *Tree) Check() []Finding {
	var all []Finding
	for _, f := range t.Go {
		all = append(all, imports(f)...)
		if f.Generated {
			continue
		}
		all = append(all, purity(f)...)
		all = append(all, sizes(f)...)
		all = append(all, names(f)...)
		all = append(all, habits(f)...)
	}
	all = append(all, folders(t)...)
	all = append(all, packageComments(t)...)
	all = append(all, links(t)...)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return all
}
