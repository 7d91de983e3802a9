package rules

import (
	"go/ast"
	"go/token"
)

// clock is what package time offers beyond values.
var clock = map[string]bool{
	"Now": true, "Since": true, "Until": true, "After": true, "AfterFunc": true,
	"Sleep": true, "Tick": true, "NewTimer": true, "NewTicker": true,
}

// purity finds in a core what is not a computation. What needs an import (a
// lock, chance, I/O, a logger) is found by its import.
func purity(f *File) []Finding {
	if ring, _ := ringOf(f.Folder()); ring.Name != "cores" || f.Test {
		return nil
	}
	var found []Finding
	hit := func(n ast.Node, text string) {
		found = append(found, Finding{"purity", f.Path, f.line(n.Pos()), "a core " + text})
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			hit(n, "starts a goroutine")
		case *ast.ChanType:
			hit(n, "has a channel")
		case *ast.SelectStmt, *ast.SendStmt:
			hit(n, "waits on channels")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				hit(n, "waits on channels")
			}
		case *ast.SelectorExpr:
			if of(n, "time") && clock[n.Sel.Name] {
				hit(n, "reads the clock: time."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "print" || name.Name == "println") {
				hit(n, "prints")
			}
		}
		return true
	})
	return found
}

// of tells whether a selector is a package's name: pkg.Something.
func of(s *ast.SelectorExpr, pkg string) bool {
	name, ok := s.X.(*ast.Ident)
	return ok && name.Name == pkg
}
