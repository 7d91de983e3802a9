// Package walk asks a service framework everything that its REST API has, and
// compares the answers with what clients of Marathon rely on: status codes,
// envelopes, keys, error bodies. What to expect comes from the API's description,
// not from our implementation of it. Tests run it against the API over a core in
// memory; it runs against a live framework as well, where it touches nothing but a
// group of its own.
package walk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/frameworks/service/client"
)

// Options say where to walk.
type Options struct {
	Client *client.Client
	// Group is a path such as /walk, where nothing is yet.
	Group string
	// Command is what instances execute; it must run until it is killed.
	Command string
	// Patience is how long a deployment may take; 1 min if 0.
	Patience time.Duration
	// Ours: the framework is this one, and has what Marathon does not.
	Ours bool
	// Abdicate has the leader step down at the end.
	Abdicate bool
}

// Walk walks, and returns what was not as it must be.
func Walk(ctx context.Context, o Options) []string {
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	c := *o.Client
	c.HTTP = &http.Client{Transport: o.Client.HTTP.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // where to is part of the answer
	}}
	o.Client = &c
	w := &walker{Options: o, ctx: ctx}
	w.itself()
	w.errorsOfApps()
	w.lifeOfAnApp()
	w.tasks()
	w.groups()
	w.deployments()
	w.queue()
	w.events()
	w.routes()
	w.leave()
	if w.Abdicate {
		w.ask(200, "DELETE", "/v2/leader", "").is("message", "Leadership abdicated")
	}
	return w.found
}

// walker collects what is wrong on the way.
type walker struct {
	Options
	ctx   context.Context
	found []string
}

func (w *walker) wrong(format string, a ...any) {
	w.found = append(w.found, fmt.Sprintf(format, a...))
}

// path is one in the walker's group.
func (w *walker) path(name string) string { return w.Group + "/" + name }

// answer is what came back for one request.
type answer struct {
	w    *walker
	what string
	*client.Response
	value any // the body, if it is JSON
}

// ask sends a request, whose query may be part of the path, and checks the status.
// A body is sent as it is.
func (w *walker) ask(status int, method, path, body string, headers ...string) *answer {
	bare, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	a := &answer{w: w, what: method + " " + path, Response: &client.Response{Header: http.Header{}}}
	if err != nil {
		w.wrong("%s: %v", a.what, err)
		return a
	}
	r := client.Request{Method: method, Path: bare, Query: values, Header: http.Header{}}
	if body != "" {
		r.Body = json.RawMessage(body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := w.Client.Send(w.ctx, r)
	if err != nil {
		w.wrong("%v", err)
		return a
	}
	a.Response = res
	if res.Status != status {
		w.wrong("%s %s: status %d, want %d: %.300s", a.what, body, res.Status, status, res.Body)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(res.Body, &a.value); err != nil {
			w.wrong("%s: %v in %.300s", a.what, err, res.Body)
		}
	}
	return a
}

// refused asks for what must be refused: the body is JSON with a message that has a
// text.
func (w *walker) refused(status int, text, method, path, body string, headers ...string) *answer {
	a := w.ask(status, method, path, body, headers...)
	if m, _ := a.at("message").(string); m == "" || !strings.Contains(string(a.Body), text) {
		w.wrong("%s %s: the message %q or its details lack %q: %.300s", a.what, body, m, text, a.Body)
	}
	return a
}

// at is what is at a path of keys and places in lists, as in "apps.0.id"; nil if
// there is nothing.
func (a *answer) at(path string) any {
	v := a.value
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// text is what is at a path, as text.
func (a *answer) text(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// is checks what is at a path: a text, number or truth.
func (a *answer) is(path string, want any) *answer {
	if got := a.at(path); got != want {
		a.w.wrong("%s: %s is %v, want %v", a.what, path, got, want)
	}
	return a
}

// list is what is at a path and must be a list; "" is the whole body.
func (a *answer) list(path string) []any {
	v := a.value
	if path != "" {
		v = a.at(path)
	}
	list, ok := v.([]any)
	if !ok {
		a.w.wrong("%s: %q is no list: %.300s", a.what, path, a.Body)
	}
	return list
}

// only checks that the body is an object with these keys and no others.
func (a *answer) only(keys ...string) *answer {
	object, _ := a.value.(map[string]any)
	for key := range object {
		if !slices.Contains(keys, key) {
			a.w.wrong("%s: the key %q is one too many", a.what, key)
		}
	}
	for _, key := range keys {
		if _, there := object[key]; !there {
			a.w.wrong("%s: the key %q is missing: %.300s", a.what, key, a.Body)
		}
	}
	return a
}

// header checks that there is one.
func (a *answer) header(name string) *answer {
	if a.Header.Get(name) == "" {
		a.w.wrong("%s: no header %s", a.what, name)
	}
	return a
}

// result checks the answer to a change, and waits until it is carried out.
func (a *answer) result() string {
	a.only("version", "deploymentId").header("Marathon-Deployment-Id")
	id := a.text("deploymentId")
	a.timestamp("version")
	a.w.wait(id)
	return id
}

func (a *answer) timestamp(path string) *answer {
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", a.text(path)); err != nil {
		a.w.wrong("%s: %s: %v", a.what, path, err)
	}
	return a
}

// wait waits for a deployment.
func (w *walker) wait(id string) {
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	if err := w.Client.Wait(ctx, id); err != nil {
		w.wrong("%v", err)
	}
}

// leave removes the walker's group.
func (w *walker) leave() {
	_, err := w.Client.DeleteGroup(w.ctx, w.Group, client.Change{Force: true})
	if err != nil && !client.Is(err, http.StatusNotFound) {
		w.wrong("%v", err)
	}
	if _, err := w.Client.Group(w.ctx, w.Group); !client.Is(err, http.StatusNotFound) {
		w.wrong("the group %s is still there: %v", w.Group, errors.Unwrap(err))
	}
}

// itself asks what the framework tells of itself.
func (w *walker) itself() {
	if a := w.ask(200, "GET", "/ping", ""); strings.TrimSpace(string(a.Body)) != "pong" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		w.wrong("GET /ping: %q %v", a.Body, a.Header)
	}
	w.ask(200, "HEAD", "/ping", "")
	if a := w.ask(302, "GET", "/", ""); !strings.HasSuffix(a.Header.Get("Location"), "/ui/") {
		w.wrong("GET /: Location %q", a.Header.Get("Location"))
	}
	w.ask(200, "GET", "/v2/info", "").only("name", "version", "buildref", "elected", "leader", "frameworkId", "marathon_config", "zookeeper_config", "http_config").
		header("X-Marathon-Leader")
	w.ask(200, "GET", "/v2/leader", "").only("leader")
	w.ask(200, "GET", "/v2/plugins", "").list("plugins")
	if gauges, _ := w.ask(200, "GET", "/metrics", "").at("gauges").(map[string]any); gauges["marathon.apps.active.gauge"] == nil {
		w.wrong("GET /metrics: %v", gauges)
	}
	w.ask(200, "GET", "/metrics/prometheus", "", "Accept", "text/plain")
	w.ask(200, "GET", "/config", "")
}

// routes asks for what there is not.
func (w *walker) routes() {
	for _, path := range []string{"/v2/nothing", "/v2/artifacts", "/nothing", "/v2/schemas"} {
		w.refused(404, "", "GET", path, "")
	}
	for _, c := range [][2]string{{"DELETE", "/v2/apps"}, {"PUT", "/v2/tasks"}, {"GET", "/v2/apps/x/restart"}, {"PUT", "/v2/deployments"}, {"POST", "/v2/info"}} {
		w.refused(405, "", c[0], c[1], "").header("Allow")
	}
}
