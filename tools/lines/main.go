// Command lines counts the lines of code of folders: those that are not blank
// and hold more than a comment, without tests and what is in testdata.
//
//	go run ./tools/lines examples/*/
package main

import (
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	for _, folder := range os.Args[1:] {
		n, err := count(os.DirFS(folder))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if n > 0 {
			fmt.Printf("%4d %s\n", n, filepath.Base(folder))
		}
	}
}

// count counts the lines of Go and Python below a folder.
func count(folder fs.FS) (lines int, err error) {
	err = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(folder, path)
		switch filepath.Ext(path) {
		case ".go":
			lines += countGo(text)
		case ".py":
			lines += countPython(text)
		}
		return err
	})
	return lines, err
}

// countGo counts the lines that a token is on.
func countGo(text []byte) int {
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	on := map[int]bool{}
	for {
		at, what, literal := s.Scan()
		switch what {
		case token.EOF:
			return len(on)
		case token.SEMICOLON: // mostly one that nobody has written
			continue
		}
		first := file.Line(at)
		for n := range strings.Count(literal, "\n") + 1 {
			on[first+n] = true
		}
	}
}

// countPython takes what is between three quotes at the begin of a line for a
// comment.
func countPython(text []byte) int {
	lines, comment := 0, false
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		quoted := bytes.HasPrefix(line, []byte(`"""`))
		if !comment && !quoted && len(line) > 0 && line[0] != '#' {
			lines++
		}
		if quoted && bytes.Count(line, []byte(`"""`)) == 1 || comment && bytes.HasSuffix(line, []byte(`"""`)) {
			comment = !comment
		}
	}
	return lines
}
