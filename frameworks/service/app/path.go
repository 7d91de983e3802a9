package app

import (
	"fmt"
	"slices"
	"strings"
)

// Path names an app or a group: "/" is the root, "/prod/web" something in the
// group "/prod". A Path is absolute and clean, made by ParsePath; the zero Path is
// no path.
type Path string

// Root is the path of the group that holds everything.
const Root Path = "/"

// longest is how long a path may be, in bytes: its segments end up in task ids,
// which are file names.
const longest = 200

// reserved are what the last segment of a path cannot be: parts of the REST API
// of that name follow a path.
var reserved = []string{"restart", "tasks", "versions", ".", ".."}

// ParsePath reads a path; one that does not begin with a slash is relative to
// base. Repeated and trailing slashes do not count, "." and ".." navigate, and
// do not climb above the root. An error names the path and what is wrong with it.
func ParsePath(text string, base Path) (Path, error) {
	var segments []string
	if !strings.HasPrefix(text, "/") {
		segments = base.Segments()
	}
	if text == "" {
		return "", fmt.Errorf("path %q is empty", text)
	}
	for part := range strings.SplitSeq(text, "/") {
		switch {
		case part == "" || part == ".":
		case part == "..":
			segments = segments[:max(0, len(segments)-1)]
		case !isSegment(part):
			return "", fmt.Errorf("path %q: segment %q must consist of lower-case letters, digits, dots and inner hyphens", text, part)
		default:
			segments = append(segments, part)
		}
	}
	p := Path("/" + strings.Join(segments, "/"))
	if len(p) > longest {
		return "", fmt.Errorf("path of %d bytes: at most %d", len(p), longest)
	}
	return p, nil
}

// isSegment tells whether every piece between dots is of lower-case letters,
// digits and inner hyphens.
func isSegment(s string) bool {
	for piece := range strings.SplitSeq(s, ".") {
		if piece == "" || piece[0] == '-' || piece[len(piece)-1] == '-' {
			return false
		}
		for _, c := range []byte(piece) {
			if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// Segments are the parts between slashes; the root has none.
func (p Path) Segments() []string {
	if p == "" || p == Root {
		return nil
	}
	return strings.Split(string(p[1:]), "/")
}

// Last is the last segment, "" of the root.
func (p Path) Last() string { return string(p[strings.LastIndexByte(string(p), '/')+1:]) }

// Parent is the group that holds p; the root is its own.
func (p Path) Parent() Path {
	i := strings.LastIndexByte(string(p), '/')
	if i <= 0 {
		return Root
	}
	return p[:i]
}

// Below tells whether p is in the group g, at any depth, and not g itself.
func (p Path) Below(g Path) bool {
	if g == Root {
		return p != Root && p != ""
	}
	return len(p) > len(g) && p[:len(g)] == g && p[len(g)] == '/'
}

// Top is the first segment as a path: the group whose role apps below it may have
// to have. The root's is the root.
func (p Path) Top() Path {
	s := p.Segments()
	if len(s) == 0 {
		return Root
	}
	return Path("/" + s[0])
}

// Flat is the path as task ids have it: segments joined by underscores, which no
// segment has.
func (p Path) Flat() string { return strings.Join(p.Segments(), "_") }

// FromFlat reads what Flat wrote.
func FromFlat(flat string) (Path, error) {
	return ParsePath("/"+strings.ReplaceAll(flat, "_", "/"), Root)
}

// Host is the path as a host name: segments reversed, joined by dots, so that
// "/prod/web" is found as web.prod.
func (p Path) Host() string {
	s := p.Segments()
	slices.Reverse(s)
	return strings.Join(s, ".")
}

// checkLast says why an app cannot be called so, or "".
func (p Path) checkLast() string {
	switch {
	case p == "" || p == Root:
		return "must not be the root path"
	case slices.Contains(reserved, p.Last()):
		return fmt.Sprintf("must not end with any of the reserved words %s", strings.Join(reserved, ", "))
	}
	return ""
}
