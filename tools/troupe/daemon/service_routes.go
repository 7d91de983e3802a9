package daemon

import (
	"net/http"
	"strings"
	"time"

	"troupe/frameworks/sandbox"
	"troupe/frameworks/service"
	"troupe/frameworks/service/api"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/discovery"
	"troupe/frameworks/service/placement"
	"troupe/messages/masters"
)

// serviceRoutes are what the service framework serves: Marathon's API, where
// instances are reached, and what tasks have written. It sees paths as they were
// sent, and passes them on so.
type serviceRoutes struct {
	face      *api.Server
	endpoints http.Handler
	files     http.Handler
}

// ServeHTTP implements http.Handler.
func (s *serviceRoutes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case path == discovery.Path || strings.HasPrefix(path, discovery.Path+"/"):
		s.endpoints.ServeHTTP(w, r)
	case r.Method == http.MethodGet && taskOfFiles(path) != "":
		s.files.ServeHTTP(w, r)
	default:
		s.face.ServeHTTP(w, r)
	}
}

// taskOfFiles is the task of a path /v2/tasks/TASK/files; "" of any other.
func taskOfFiles(path string) string {
	rest, found := strings.CutPrefix(path, "/v2/tasks/")
	task, files := strings.CutSuffix(rest, "/files")
	if !found || !files || strings.Contains(task, "/") {
		return ""
	}
	return task
}

// filePatience bounds how long a master or an agent may take to answer what is
// asked for people.
const filePatience = 10 * time.Second

// sandboxes serves what tasks have written.
func (o ServiceOptions) sandboxes(s *service.Service, shown *board.Board) http.Handler {
	options := sandbox.Options{HTTPS: o.Network.TLS != nil, Master: func() string {
		master := s.Status().Master
		if master == nil {
			return ""
		}
		at, err := masters.Address(master)
		if err != nil {
			return "" // it is asked for again when one is that can be reached
		}
		return at
	}}
	if options.HTTPS {
		options.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: o.Network.TLS}, Timeout: filePatience}
	}
	return sandbox.New(options).Handler(func(r *http.Request) (sandbox.Task, bool) {
		return taskOf(shown, s.Status().Framework, taskOfFiles(r.URL.Path))
	})
}

// taskOf is a task that is shown, or the last one of its app that failed.
func taskOf(shown *board.Board, framework, id string) (sandbox.Task, bool) {
	t := sandbox.Task{Framework: framework, ID: id}
	of, err := placement.AppOf(id)
	if err != nil {
		return t, false
	}
	view := shown.App(of)
	if view == nil {
		return t, false
	}
	custom := view.App.Process.Executor
	if custom != "" && custom != "//cmd" {
		t.Executor = "marathon-" + id
	}
	for _, i := range view.Instances {
		if i.Task == id {
			t.Agent = i.Agent
			return t, t.Agent != ""
		}
	}
	if f := view.Failure; f != nil && f.Task == id {
		t.Agent = f.Agent
	}
	return t, t.Agent != ""
}
