package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// written is a job as somebody wrote it; what the client does not know of it is kept.
type written struct {
	Name    string   `json:"name"`
	Parents []string `json:"parents"`
	text    json.RawMessage
}

// Put creates or replaces jobs that are given as JSON: one, or a list, of which
// those go first that others depend on. It returns the names of those that are put,
// and stops at the first that is refused.
func (c *Client) Put(ctx context.Context, text []byte) (put []string, err error) {
	jobs, err := readJobs(text)
	if err != nil {
		return nil, err
	}
	for _, j := range inOrder(jobs) {
		path := c.at("iso8601")
		if len(j.Parents) > 0 {
			path = c.at("dependency")
		}
		if err := c.call(ctx, http.MethodPost, path, j.text, nil); err != nil {
			return put, fmt.Errorf("job %s: %w", j.Name, err)
		}
		put = append(put, j.Name)
	}
	return put, nil
}

func readJobs(text []byte) ([]written, error) {
	list := []json.RawMessage{text}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		list = nil
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("jobs: %w", err)
		}
	}
	var all []written
	for i, one := range list {
		j := written{text: one}
		if err := json.Unmarshal(one, &j); err != nil {
			return nil, fmt.Errorf("job %d: %w", i+1, err)
		}
		all = append(all, j)
	}
	return all, nil
}

// inOrder has every job behind those of its parents that are in the list. Of a cycle
// some job has to come first; the server says what is wrong.
func inOrder(jobs []written) []written {
	byName := map[string]int{}
	for i, j := range jobs {
		byName[j.Name] = i
	}
	ordered, seen := make([]written, 0, len(jobs)), make([]bool, len(jobs))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, p := range jobs[i].Parents {
			if at, known := byName[p]; known {
				visit(at)
			}
		}
		ordered = append(ordered, jobs[i])
	}
	for i := range jobs {
		visit(i)
	}
	return ordered
}
