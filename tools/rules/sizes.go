package rules

import (
	"fmt"
	"go/ast"
	"strings"
)

const (
	maxFile     = 600 // lines
	maxFunction = 80  // lines
	maxFields   = 20
)

// sizes finds what is too long to read at once. The functions and structs of
// tests, which are mostly tables, may be as long as they like.
func sizes(f *File) []Finding {
	var found []Finding
	if f.Lines > maxFile {
		found = append(found, Finding{"sizes", f.Path, 0, fmt.Sprintf("%d lines; at most %d", f.Lines, maxFile)})
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if lines := f.line(n.End()) - f.line(n.Pos()) + 1; lines > maxFunction && !f.Test {
				found = append(found, Finding{"sizes", f.Path, f.line(n.Pos()), fmt.Sprintf("%s has %d lines; at most %d", n.Name.Name, lines, maxFunction)})
			}
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok && !f.Test {
				found = append(found, structSize(f, n.Name, s)...)
			}
		}
		return true
	})
	return found
}

func structSize(f *File, name *ast.Ident, s *ast.StructType) []Finding {
	var found []Finding
	fields, locks := 0, 0
	for _, field := range s.Fields.List {
		n := max(1, len(field.Names))
		fields += n
		if sel, ok := field.Type.(*ast.SelectorExpr); ok && of(sel, "sync") && strings.HasSuffix(sel.Sel.Name, "Mutex") {
			locks += n
		}
	}
	if fields > maxFields {
		found = append(found, Finding{"sizes", f.Path, f.line(name.Pos()), fmt.Sprintf("%s has %d fields; at most %d", name.Name, fields, maxFields)})
	}
	if locks > 1 {
		found = append(found, Finding{"sizes", f.Path, f.line(name.Pos()), fmt.Sprintf("%s has %d locks; at most one", name.Name, locks)})
	}
	return found
}
