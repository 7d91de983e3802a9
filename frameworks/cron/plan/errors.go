package plan

import (
	"fmt"
	"strings"
)

// Kind says what the one who asked should do.
type Kind int

// Kinds of errors.
const (
	BadInput Kind = iota // ask for something else
	Unknown              // there is no such job or task
	Conflict             // something else stands in the way
)

// Problem is one thing that is wrong with a job.
type Problem struct{ Path, Text string }

// Error is why a request came to nothing. Nothing of it has happened.
type Error struct {
	Kind     Kind
	Problems []Problem // at least one
}

// Error lists all problems.
func (e *Error) Error() string {
	all := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		all = append(all, p.Path+": "+p.Text)
	}
	return strings.Join(all, "; ")
}

func fault(kind Kind, path, format string, a ...any) *Error {
	return &Error{kind, []Problem{{path, fmt.Sprintf(format, a...)}}}
}

func unknownJob(name string) *Error { return fault(Unknown, "name", "no job is called %.200q", name) }
