package app

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with an app or a group.
type Problem struct {
	Path string // of the field in the canonical form, as in /upgradeStrategy/minimumHealthCapacity
	Text string
}

// Within is the problem of something that is at a path.
func (p Problem) Within(path string) Problem {
	if p.Path == "/" {
		return Problem{path, p.Text}
	}
	return Problem{path + p.Path, p.Text}
}

// Problems are all that are wrong, in the order in which fields are checked. It
// is an error if it is not empty.
type Problems []Problem

// Error names every field with what is wrong.
func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = one.Path + ": " + one.Text
	}
	return strings.Join(parts, "; ")
}

// Err is p as an error, nil if nothing is wrong.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Rules are what the cluster and its operator add to what is always wrong.
type Rules struct {
	Role     string // of apps that name none
	GPUs     bool   // apps may have them
	Secrets  bool
	External bool // volumes of storage providers
}

// mostProblems and longestText bound what one answer tells: a long value must not
// come back a thousand times.
const (
	mostProblems = 1000
	longestText  = 500 // bytes
)

// problems collects what is wrong.
type problems struct {
	found Problems
}

func (p *problems) add(path, text string) {
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "…"
	}
	if len(p.found) < mostProblems {
		p.found = append(p.found, Problem{path, text})
	}
}

// when adds a problem that exists if bad is true.
func (p *problems) when(bad bool, path, text string) {
	if bad {
		p.add(path, text)
	}
}

// least checks that a number, which is no NaN, is not below a bound.
func least[T int | int64 | float64](p *problems, path string, got, bound T) {
	if !(got >= bound) {
		p.add(path, fmt.Sprintf("got %v, expected %v or more", got, bound))
	}
}

// among checks that a number is within bounds.
func among[T int | int64](p *problems, path string, got, first, last T) {
	if got < first || got > last {
		p.add(path, fmt.Sprintf("got %v, expected between %v and %v", got, first, last))
	}
}

// oneOf checks that a text is one of those.
func oneOf(p *problems, path, got string, of ...string) {
	for _, o := range of {
		if got == o {
			return
		}
	}
	p.add(path, fmt.Sprintf("got %s, expected one of: [%s]", got, strings.Join(of, ", ")))
}

// unique checks that no text but "" is there twice.
func unique(p *problems, path, what string, n int, of func(int) string) {
	seen := map[string]bool{}
	for i := range n {
		t := of(i)
		if t != "" && seen[t] {
			p.add(path, fmt.Sprintf("%s must be unique: %s is there twice", what, t))
		}
		seen[t] = true
	}
}
