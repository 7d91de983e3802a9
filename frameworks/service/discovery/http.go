package discovery

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

// Path is where Handler expects to be mounted, with and without what follows it.
const Path = "/v2/endpoints"

// all ends the path of a group whose apps are wanted.
const all = "/*"

// Answer is the body of GET /v2/endpoints and GET /v2/endpoints/GROUP/*.
type Answer struct {
	Services []*endpoints.Service `json:"services"`
}

// One is the body of GET /v2/endpoints/APP.
type One struct {
	Service *endpoints.Service `json:"service"`
}

// Removed is the data of the event of that name.
type Removed struct {
	App app.Path `json:"appId"`
}

// message is the body of refusals.
type message struct {
	Message string `json:"message"`
}

// Handler serves GET Path for all apps, Path/APP for one, and Path/GROUP/* for those
// of a group. Who accepts text/event-stream gets events: "service" with a service,
// at first each that there is, and later each that changes; "synced" after the
// first ones; "removed" with the appId of an app that is no more. Who is slow misses
// states in between, never the last one.
func (d *Directory) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, message{fmt.Sprintf("method %s is not allowed here", r.Method)})
			return
		}
		about, err := parse(strings.TrimPrefix(r.URL.Path, Path))
		switch {
		case err != nil:
			answer(w, http.StatusNotFound, message{err.Error()})
		case acceptsEvents(r):
			d.stream(w, r, about)
		default:
			d.list(w, about)
		}
	})
}

// scope is what a request is about.
type scope struct {
	path  app.Path
	group bool // all apps below path
}

func parse(rest string) (scope, error) {
	if rest == "" || rest == "/" {
		return scope{app.Root, true}, nil
	}
	trimmed, group := strings.CutSuffix(rest, all)
	if trimmed == "" {
		return scope{app.Root, true}, nil
	}
	p, err := app.ParsePath(trimmed, app.Root)
	return scope{p, group}, err
}

func (s scope) has(id app.Path) bool {
	if s.group {
		return id.Below(s.path)
	}
	return id == s.path
}

func (d *Directory) list(w http.ResponseWriter, about scope) {
	if !about.group {
		s := d.Service(about.path)
		if s == nil {
			answer(w, http.StatusNotFound, message{fmt.Sprintf("App '%s' does not exist", about.path)})
			return
		}
		answer(w, http.StatusOK, One{s})
		return
	}
	list := Answer{Services: []*endpoints.Service{}}
	for _, s := range d.Services() {
		if about.has(s.App) {
			list.Services = append(list.Services, s)
		}
	}
	answer(w, http.StatusOK, list)
}

func acceptsEvents(r *http.Request) bool {
	for _, accept := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(accept, ",") {
			if kind, _, err := mime.ParseMediaType(part); err == nil && kind == "text/event-stream" {
				return true
			}
		}
	}
	return false
}

// answer writes JSON. An error of writing is the client's loss alone.
func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
