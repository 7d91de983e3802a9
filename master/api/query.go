package api

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// query is what a request asks for.
type query struct {
	agent, framework, task string
	limit, offset          int
	ascending              bool
}

// defaultLimit is how many tasks /tasks lists unless told otherwise.
const defaultLimit = 100

func parseQuery(values url.Values) (query, error) {
	q := query{
		agent: values.Get("slave_id"), framework: values.Get("framework_id"), task: values.Get("task_id"),
		limit: defaultLimit,
	}
	for name, to := range map[string]*int{"limit": &q.limit, "offset": &q.offset} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		switch {
		case errors.Is(err, strconv.ErrRange) && n > 0:
			return q, fmt.Errorf("%s: %q: is more than %d", name, shortened(text), math.MaxInt)
		case err != nil || n < 0:
			return q, fmt.Errorf("%s: %q: is not a number from 0", name, shortened(text))
		}
		*to = n
	}
	switch order := values.Get("order"); order {
	case "", "desc":
	case "asc":
		q.ascending = true
	default:
		return q, fmt.Errorf("order: %q: is neither asc nor desc", shortened(order))
	}
	return q, nil
}

// maxShown bounds what of a parameter an error repeats, in bytes.
const maxShown = 120

func shortened(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
