package rules

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// packageComments checks that every package says what it is for, once.
func packageComments(t *Tree) []Finding {
	comments := map[string][]string{}
	for _, f := range t.Go {
		if f.Test {
			continue
		}
		in := comments[f.Folder()]
		if describes(f.AST) {
			in = append(in, path.Base(f.Path))
		}
		comments[f.Folder()] = in
	}
	var found []Finding
	for _, folder := range slices.Sorted(maps.Keys(comments)) {
		switch in := comments[folder]; {
		case len(in) == 0:
			found = append(found, Finding{"comments", folder, 0, "no file says what the package is for"})
		case len(in) > 1:
			found = append(found, Finding{"comments", folder, 0, "more than one package comment: " + strings.Join(in, ", ")})
		}
	}
	return found
}

func describes(f *ast.File) bool {
	return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != ""
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	code    = regexp.MustCompile("`[^`]*`")
)

// links checks that what a page links to inside the repository exists: the
// file, and the heading behind the #.
func links(t *Tree) []Finding {
	var found []Finding
	anchors := map[string][]string{}
	for _, page := range t.Pages {
		text, err := fs.ReadFile(t.Root, page)
		if err != nil {
			found = append(found, Finding{"links", page, 0, err.Error()})
			continue
		}
		anchors[page] = headings(string(text))
		for n, line := range prose(string(text)) {
			for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				if why := broken(t.Root, page, m[1], anchors); why != "" {
					found = append(found, Finding{"links", page, n + 1, why})
				}
			}
		}
	}
	return found
}

func broken(root fs.FS, page, target string, anchors map[string][]string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := page
	if file != "" {
		to = path.Join(path.Dir(page), file)
	}
	if _, err := fs.Stat(root, to); err != nil {
		return fmt.Sprintf("a link to %s, which does not exist", target)
	}
	if anchor == "" {
		return ""
	}
	if _, read := anchors[to]; !read {
		text, err := fs.ReadFile(root, to)
		if err != nil {
			return fmt.Sprintf("a link to %s, which is no page", target)
		}
		anchors[to] = headings(string(text))
	}
	if !slices.Contains(anchors[to], anchor) {
		return fmt.Sprintf("a link to %s: no such heading", target)
	}
	return ""
}

// prose returns a page's lines with fenced code blanked.
func prose(text string) []string {
	lines := strings.Split(text, "\n")
	fenced := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence || fenced {
			lines[i] = ""
		}
		fenced = fenced != fence
	}
	return lines
}

// headings returns the anchors that renderers give a page's headings.
func headings(text string) []string {
	var all []string
	seen := map[string]int{}
	for _, line := range prose(text) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name := anchorOf(m[1])
		if n := seen[name]; n > 0 {
			all = append(all, fmt.Sprintf("%s-%d", name, n))
		} else {
			all = append(all, name)
		}
		seen[name]++
	}
	return all
}

func anchorOf(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}
