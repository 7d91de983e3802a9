package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// query is what stands behind the question mark.
type query struct{ values url.Values }

// parseQuery reads it; the error is a *problem, 400.
func parseQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, refuse(400, "The query %q cannot be read: %v", shortened(raw), err)
	}
	return query{values}, nil
}

// flag is a parameter that is true or false; by itself, as in ?force, it is true.
func (q query) flag(name string, otherwise bool) (bool, error) {
	list, given := q.values[name]
	if !given {
		return otherwise, nil
	}
	text := list[len(list)-1]
	if text == "" {
		return true, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, refuse(422, "The parameter %s is %q: expecting true or false", name, shortened(text))
	}
	return value, nil
}

// flags are parameters of which each is false if it is not given.
func (q query) flags(names ...string) ([]bool, error) {
	values := make([]bool, len(names))
	for i, name := range names {
		var err error
		if values[i], err = q.flag(name, false); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// list is all that a parameter was given, once for each or with commas between, and
// as name[], too.
func (q query) list(name string) []string {
	var all []string
	for _, key := range []string{name, name + "[]"} {
		for _, text := range q.values[key] {
			for part := range strings.SplitSeq(text, ",") {
				if part = strings.TrimSpace(part); part != "" {
					all = append(all, part)
				}
			}
		}
	}
	return all
}

// text is a parameter that was given at most once; "" if it was not.
func (q query) text(name string) string { return q.values.Get(name) }

// mostShown bounds what an answer repeats of a request, in bytes.
const mostShown = 120

func shortened(text string) string {
	if len(text) <= mostShown {
		return text
	}
	return strings.ToValidUTF8(text[:mostShown], "") + "…"
}

// problem is why a request is not served: the status and what the body says.
type problem struct {
	status int
	text   string
}

// Error is the message of the body.
func (p *problem) Error() string { return p.text }

func refuse(status int, format string, a ...any) error {
	return &problem{status, fmt.Sprintf(format, a...)}
}
