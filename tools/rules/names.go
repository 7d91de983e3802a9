package rules

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// vague are package names that say nothing of what is inside.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "base", "misc", "shared"}

// names checks the package's name and every name that the file declares.
func names(f *File) []Finding {
	var found []Finding
	if slices.Contains(vague, strings.TrimSuffix(f.AST.Name.Name, "_test")) || slices.Contains(vague, path.Base(f.Folder())) {
		found = append(found, Finding{"names", f.Path, f.line(f.AST.Name.Pos()), "a package called " + f.AST.Name.Name + " says nothing"})
	}
	for _, name := range declared(f.AST) {
		if strings.Contains(strings.ToLower(name.Name), "slave") {
			found = append(found, Finding{"names", f.Path, f.line(name.Pos()), name.Name + ": say agent"})
		}
	}
	return found
}

func declared(file *ast.File) []*ast.Ident {
	var all []*ast.Ident
	add := func(e ast.Expr) {
		if name, ok := e.(*ast.Ident); ok {
			all = append(all, name)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			all = append(all, n.Name)
		case *ast.TypeSpec:
			all = append(all, n.Name)
		case *ast.ValueSpec:
			all = append(all, n.Names...)
		case *ast.Field:
			all = append(all, n.Names...)
		case *ast.AssignStmt:
			if n.Tok.String() == ":=" {
				for _, left := range n.Lhs {
					add(left)
				}
			}
		case *ast.RangeStmt:
			if n.Tok.String() == ":=" {
				add(n.Key)
				add(n.Value)
			}
		}
		return true
	})
	return all
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

// habits finds calls and declarations that have no place in any package.
func habits(f *File) []Finding {
	var found []Finding
	hit := func(n ast.Node, format string, a ...any) {
		found = append(found, Finding{"habits", f.Path, f.line(n.Pos()), fmt.Sprintf(format, a...)})
	}
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			hit(fn, "an init function")
		}
		if g, ok := d.(*ast.GenDecl); ok && !f.Test {
			packageFlags(g, hit)
		}
	}
	for _, group := range f.AST.Comments {
		if word := unfinished.FindString(group.Text()); word != "" {
			hit(group, "unfinished: %s", word)
		}
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if s, ok := call.Fun.(*ast.SelectorExpr); ok {
				callHabits(f, s, hit)
			}
		}
		return true
	})
	return found
}

func packageFlags(g *ast.GenDecl, hit func(ast.Node, string, ...any)) {
	ast.Inspect(g, func(n ast.Node) bool {
		if _, inside := n.(*ast.FuncLit); inside {
			return false
		}
		if call, ok := n.(*ast.CallExpr); ok {
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && (of(s, "flag") || of(s, "pflag")) {
				hit(s, "a flag of the whole package: %s", s.Sel.Name)
			}
		}
		return true
	})
}

func callHabits(f *File, s *ast.SelectorExpr, hit func(ast.Node, string, ...any)) {
	name := s.Sel.Name
	switch {
	case f.Test && of(s, "time") && name == "Sleep":
		hit(s, "a test that sleeps")
	case f.Test && (of(s, "t") || of(s, "b") || of(s, "tb")) && (name == "Skip" || name == "Skipf" || name == "SkipNow"):
		hit(s, "a test that skips")
	case !f.Test && f.AST.Name.Name != "main" && of(s, "os") && name == "Exit":
		hit(s, "os.Exit below main")
	case of(s, "log") && strings.HasPrefix(name, "Fatal") && f.AST.Name.Name != "main":
		hit(s, "log.%s below main", name)
	}
}
