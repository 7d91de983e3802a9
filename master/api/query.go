package api

import (
	"fmt"
	"net/url"
	"strconv"
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
		if err != nil || n < 0 {
			return q, fmt.Errorf("%s: %q: is not a number from 0", name, text)
		}
		*to = n
	}
	switch order := values.Get("order"); order {
	case "", "desc":
	case "asc":
		q.ascending = true
	default:
		return q, fmt.Errorf("order: %q: is neither asc nor desc", order)
	}
	return q, nil
}
