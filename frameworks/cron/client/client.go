package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client sends requests to one server. It may be used from any goroutine.
type Client struct {
	// URL is as http://HOST:4400.
	URL string
	// Prefix is before most paths; empty is that of newer versions, /v1/scheduler.
	Prefix string
	// User and Password are sent where User is set.
	User, Password string
	// HTTP sends the requests; nil: http.DefaultClient.
	HTTP *http.Client
}

// Error is an answer with a status of 400 or more.
type Error struct {
	Code    int    `json:"-"`
	Status  string `json:"status"`
	Message string `json:"message"`
	// Details are what is wrong, by the path of the field.
	Details []struct {
		Path   string   `json:"path"`
		Errors []string `json:"errors"`
	} `json:"details"`
}

// Error has the status and all that is wrong.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Code, e.Status, e.Message) }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 30

// PutScheduled creates or replaces a job that has a schedule.
func (c *Client) PutScheduled(ctx context.Context, j Job) error {
	return c.call(ctx, http.MethodPost, c.at("iso8601"), j, nil)
}

// PutDependent creates or replaces a job that has parents.
func (c *Client) PutDependent(ctx context.Context, j Job) error {
	return c.call(ctx, http.MethodPost, c.at("dependency"), j, nil)
}

// Jobs are all jobs that have the tags, each KEY or KEY=VALUE.
func (c *Client) Jobs(ctx context.Context, tags ...string) (all []Job, err error) {
	err = c.call(ctx, http.MethodGet, c.at("jobs")+query(url.Values{"tag": tags}), nil, &all)
	return all, err
}

// Summary are all jobs in short.
func (c *Client) Summary(ctx context.Context, tags ...string) ([]Summary, error) {
	var all struct {
		Jobs []Summary `json:"jobs"`
	}
	err := c.call(ctx, http.MethodGet, c.at("jobs", "summary")+query(url.Values{"tag": tags}), nil, &all)
	return all.Jobs, err
}

// Search are jobs, by name, command, any, limit, offset and tag.
func (c *Client) Search(ctx context.Context, by url.Values) (all []Job, err error) {
	err = c.call(ctx, http.MethodGet, c.at("jobs", "search")+query(by), nil, &all)
	return all, err
}

// Job is one job.
func (c *Client) Job(ctx context.Context, name string) (j Job, err error) {
	err = c.call(ctx, http.MethodGet, c.at("job", name), nil, &j)
	return j, err
}

// Delete removes a job, and with cascade all that depend on it.
func (c *Client) Delete(ctx context.Context, name string, cascade bool) error {
	q := url.Values{}
	if cascade {
		q.Set("cascade", "true")
	}
	return c.call(ctx, http.MethodDelete, c.at("job", name)+query(q), nil, nil)
}

// Run runs a job now, with arguments for the end of its command.
func (c *Client) Run(ctx context.Context, name, arguments string) error {
	q := url.Values{}
	if arguments != "" {
		q.Set("arguments", arguments)
	}
	return c.call(ctx, http.MethodPut, c.at("job", name)+query(q), nil, nil)
}

// Kill kills all runs of a job.
func (c *Client) Kill(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, c.at("task", "kill", name), nil, nil)
}

// MarkSuccess goes on as if a job had succeeded.
func (c *Client) MarkSuccess(ctx context.Context, name string) (text string, err error) {
	err = c.call(ctx, http.MethodPut, c.at("job", "success", name), nil, &text)
	return text, err
}

// Finish ends a run of an async job.
func (c *Client) Finish(ctx context.Context, task string, exit int) error {
	return c.call(ctx, http.MethodPut, c.at("task", task), map[string]int{"statusCode": exit}, nil)
}

// Progress counts elements that a run has processed.
func (c *Client) Progress(ctx context.Context, job, task string, elements int64) error {
	return c.call(ctx, http.MethodPost, c.at("job", job, "task", task, "progress"), map[string]int64{"numAdditionalElementsProcessed": elements}, nil)
}

// Stat is how long a job takes.
func (c *Client) Stat(ctx context.Context, name string) (s Stat, err error) {
	err = c.call(ctx, http.MethodGet, c.at("job", "stat", name), nil, &s)
	return s, err
}

// Statistic is 99thPercentile, median and so on, of every job.
func (c *Client) Statistic(ctx context.Context, name string) (all []Figure, err error) {
	err = c.call(ctx, http.MethodGet, c.at("stats", name), nil, &all)
	return all, err
}

// Graph is the graph of jobs.
func (c *Client) Graph(ctx context.Context) (g Graph, err error) {
	err = c.call(ctx, http.MethodGet, c.at("graph", "json"), nil, &g)
	return g, err
}

// GraphText is the graph of jobs, as dot or csv.
func (c *Client) GraphText(ctx context.Context, form string) (text string, err error) {
	err = c.call(ctx, http.MethodGet, c.at("graph", form), nil, &text)
	return text, err
}

// Runs are those of a job.
func (c *Client) Runs(ctx context.Context, name string) (r Runs, err error) {
	err = c.call(ctx, http.MethodGet, c.at("job", "runs", name), nil, &r)
	return r, err
}

// Next are the next n due times of a job.
func (c *Client) Next(ctx context.Context, name string, n int) (next Next, err error) {
	err = c.call(ctx, http.MethodGet, c.at("job", "next", name)+"?n="+strconv.Itoa(n), nil, &next)
	return next, err
}

// Preview are the next n due times of a schedule that no job has yet.
func (c *Client) Preview(ctx context.Context, schedule, zone string, n int) (next Next, err error) {
	q := url.Values{"schedule": {schedule}, "scheduleTimeZone": {zone}, "n": {strconv.Itoa(n)}}
	err = c.call(ctx, http.MethodGet, c.at("preview")+query(q), nil, &next)
	return next, err
}

// Why is why a job does not run now.
func (c *Client) Why(ctx context.Context, name string) (w Why, err error) {
	err = c.call(ctx, http.MethodGet, c.at("job", "why", name), nil, &w)
	return w, err
}

// Log is the end of what a task of a job has written to stdout or stderr.
func (c *Client) Log(ctx context.Context, job, task, stream string, bytes int) (text string, err error) {
	q := url.Values{"task": {task}, "stream": {stream}, "bytes": {strconv.Itoa(bytes)}}
	err = c.call(ctx, http.MethodGet, c.at("job", "log", job)+query(q), nil, &text)
	return text, err
}

// Leader is the host and port of who leads.
func (c *Client) Leader(ctx context.Context) (string, error) {
	var l struct {
		Leader string `json:"leader"`
	}
	err := c.call(ctx, http.MethodGet, "/leader", nil, &l)
	return l.Leader, err
}

// Ping asks whether the server is there.
func (c *Client) Ping(ctx context.Context) error {
	var pong string
	err := c.call(ctx, http.MethodGet, "/ping", nil, &pong)
	if err == nil && strings.TrimSpace(pong) != "pong" {
		err = fmt.Errorf("ping %s: %.100q is no pong", c.URL, pong)
	}
	return err
}

// Get reads any other answer in JSON, such as /info or /metrics.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

// at is a path behind the prefix, its parts escaped.
func (c *Client) at(parts ...string) string {
	path := c.Prefix
	if path == "" {
		path = "/v1/scheduler"
	}
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

func query(q url.Values) string {
	if text := q.Encode(); text != "" {
		return "?" + text
	}
	return ""
}

// call sends a request. Into is what JSON is decoded into, or a *string.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	response, err := c.send(ctx, method, path, body, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	switch into := into.(type) {
	case nil:
	case *string:
		*into = string(data)
	default:
		if err := json.Unmarshal(data, into); err != nil {
			return fmt.Errorf("%s %s: answer: %w", method, path, err)
		}
	}
	return nil
}

// send returns the response of a success; its body is the caller's to close.
func (c *Client) send(ctx context.Context, method, path string, body any, header http.Header) (*http.Response, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	for key, values := range header {
		r.Header[key] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.User != "" {
		r.SetBasicAuth(c.User, c.Password)
	}
	sender := c.HTTP
	if sender == nil {
		sender = http.DefaultClient
	}
	response, err := sender.Do(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusal(response)
}

func refusal(response *http.Response) error {
	e := &Error{}
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || json.Unmarshal(data, e) != nil {
		e.Message = string(data) // somebody between answered
	}
	e.Code = response.StatusCode
	if e.Status == "" {
		e.Status = http.StatusText(e.Code)
	}
	return e
}
