package main

import (
	"errors"
	"net/http"
	"strings"
)

// masterPages are what a master answers to GET.
func (s *script) masterPages() error {
	in := s.page.chapter("Endpoints of the master", "As the clients of Mesos know them, beside the v1 API.")
	if err := s.reads(in, s.c.master,
		[2]string{"/state", "All that the master knows."},
		[2]string{"/state-summary", "With counts instead of tasks."},
		[2]string{"/slaves", "`?slave_id=` for one."},
		[2]string{"/frameworks", "`?framework_id=` for one."},
		[2]string{"/tasks?limit=1&order=asc", "`?limit=`, `?offset=`, `?order=asc` or `desc`, `?framework_id=`, `?task_id=`."},
		[2]string{"/roles", ""},
		[2]string{"/allocator/explain?framework=" + s.framework, "Why a framework is offered nothing, or no more, of each agent: in words, and counted."},
		[2]string{"/quota", ""},
		[2]string{"/weights", ""},
		[2]string{"/maintenance/schedule", ""},
		[2]string{"/maintenance/status", ""},
		[2]string{"/stats", "The figures of `/metrics/snapshot`, for old clients."},
		[2]string{"/metrics/targets", "Where the figures of all processes are, for Prometheus's `http_sd_configs`."},
		[2]string{"/leader", "Every master answers it, also one that does not lead."},
	); err != nil {
		return err
	}
	for _, r := range []struct {
		path, text, body string
		status           int
		method           string
	}{
		{"/redirect", "Leads to the leading master, from any.", "", http.StatusTemporaryRedirect, http.MethodGet},
		{"/quota", "What is guaranteed is the limit, too.", `{"role": "batch", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}]}`, http.StatusOK, http.MethodPost},
		{"/quota/batch", "", "", http.StatusOK, http.MethodDelete},
		{"/weights", "", `[{"role": "batch", "weight": 1}]`, http.StatusOK, http.MethodPut},
		{
			"/maintenance/schedule", "Replaces the schedule.",
			`{"windows": [{"machine_ids": [{"hostname": "elsewhere.example.org"}], "unavailability": {"start": {"nanoseconds": 1900000000000000000}}}]}`,
			http.StatusOK, http.MethodPost,
		},
		{"/machine/down", "", `[{"hostname": "elsewhere.example.org"}]`, http.StatusOK, http.MethodPost},
		{"/machine/up", "", `[{"hostname": "elsewhere.example.org"}]`, http.StatusOK, http.MethodPost},
	} {
		if _, err := s.example(in, r.status, "`"+r.method+" "+r.path+"`", r.text, request{
			to: s.c.master, method: r.method, path: r.path, body: r.body,
		}); err != nil {
			return err
		}
	}
	return s.reservations(in)
}

// agentPages are what an agent answers to GET.
func (s *script) agentPages() error {
	in := s.page.chapter("Endpoints of the agent", "")
	if err := s.until("the agent tells what a role left", s.slackIsKnown); err != nil {
		return err
	}
	return s.reads(in, s.c.agent,
		[2]string{"/state", "All that the agent knows. `directory` is an executor's sandbox, `container` its container."},
		[2]string{"/containers", "`?container_id=` for one. `?show_nested=true` adds those within others, `?show_standalone=true` those that are of no executor."},
		[2]string{"/monitor/statistics", "What the executors use."},
		[2]string{"/slack?role=web", "What a role's containers had and used of late, and what they left of their own in 95 of 100 samples at least; memory in MB. " +
			"Without `?role=` of all roles. A sample is taken every 10 s. The same is at `/metrics`."},
		[2]string{"/stats", "The figures of `/metrics/snapshot`, for old clients."},
		[2]string{"/metrics/processes", "Figures of executor hosts and of executors in processes of their own, for Prometheus."},
	)
}

// everywhere is what every process answers, shown of an agent.
func (s *script) everywhere() error {
	in := s.page.chapter("Endpoints of every process", "")
	if err := s.reads(in, s.c.agent,
		[2]string{"/health", "Empty, with 200, while all is well."},
		[2]string{"/version", ""},
		[2]string{"/flags", ""},
		[2]string{"/metrics/snapshot", "Figures by the keys that Mesos gives them."},
		[2]string{"/system/stats.json", "The machine."},
		[2]string{"/logging/toggle?level=debug&duration=1mins", "Logs more for a while, and then as before; a number is how many levels more."},
		[2]string{"/actors", "Actors, links and lost messages."},
		[2]string{"/__processes__", "Actors, as Mesos shows them: an event for everything that waits for one."},
		[2]string{"/help", "All of these."},
	); err != nil {
		return err
	}
	for _, r := range []request{
		{to: s.c.agent, path: "/metrics", only: "troupe_agent"},
		{to: s.c.master, path: "/metrics", only: "troupe_master"},
		{to: s.c.master, path: "/metrics/snapshot"},
		{to: s.c.master, path: "/flags"},
	} {
		title, text := "`GET "+r.path+"`", ""
		if r.only != "" {
			text = "Figures for Prometheus."
		}
		if r.to == s.c.master {
			title += ", of a master"
		}
		r.method = http.MethodGet
		if _, err := s.example(in, http.StatusOK, title, text, r); err != nil {
			return err
		}
	}
	if err := s.profiles(in); err != nil {
		return err
	}
	if err := s.secondNames(); err != nil {
		return err
	}
	return s.files(s.page.chapter("Files",
		"Sandboxes, by their path on the disk or by `/frameworks/ID/executors/ID/runs/latest`, and with `--log_dir` the\n"+
			"logs: `/master/log` and `/slave/log`. Nothing else can be reached, neither with `..` nor over links."))
}

// profiles are those that Go makes of a process.
func (s *script) profiles(in *chapter) error {
	for _, p := range []struct{ path, file, text string }{
		{"/debug/pprof/", "", "Go's own, for `go tool pprof http://" + agentAddress + "/debug/pprof/heap` and the like."},
		{"/debug/pprof/profile?seconds=1", "profile", "What used processors meanwhile."},
		{"/debug/pprof/trace?seconds=0.1", "trace", "What ran meanwhile, for `go tool trace`."},
		{"/debug/pprof/cmdline", "cmdline", "The command line, with zeros between its words."},
		{"/debug/pprof/symbol?0x0", "", ""},
	} {
		path, _, _ := strings.Cut(p.path, "?")
		if _, err := s.example(in, http.StatusOK, "`GET "+path+"`", p.text, request{to: s.c.agent, method: http.MethodGet, path: p.path, file: p.file}); err != nil {
			return err
		}
	}
	return nil
}

// secondNames are other paths of the same.
func (s *script) secondNames() error {
	in := s.page.chapter("Other names of the same",
		"All paths of a master are below `/master` as well, and those of an agent below `/slave(1)`. Paths that are read\n"+
			"with GET have an alias with `.json` at the end, take `?jsonp=FUNCTION`, and are compressed for clients that\n"+
			"accept gzip, as `curl --compressed` does.")
	return errors.Join(
		s.reads(in, s.c.master, [2]string{"/master/version.json", ""}),
		s.reads(in, s.c.agent, [2]string{"/slave(1)/version.json", ""}, [2]string{"/version?jsonp=show", ""}),
	)
}

func (s *script) files(in *chapter) error {
	sandbox := "/frameworks/" + s.framework + "/executors/web-1/runs/latest"
	if err := s.reads(in, s.c.agent,
		[2]string{"/files/browse?path=" + sandbox, ""},
		[2]string{"/files/read?path=" + sandbox + "/stdout&offset=0&length=5", "At most 64 KiB; without `length`, or with -1, as many. Without `offset`, or with -1, `offset` is the file's size."},
		[2]string{"/files/debug", "What is attached, and where it is on the disk."},
	); err != nil {
		return err
	}
	if err := s.reads(in, s.c.master, [2]string{"/files/read?path=/master/log&offset=0&length=8", "Of a master's log."}); err != nil {
		return err
	}
	_, err := s.example(in, http.StatusPartialContent, "`GET /files/download`", "The whole file, or the range that is asked for.", request{
		to: s.c.agent, method: http.MethodGet, path: "/files/download?path=" + sandbox + "/stdout", headers: []string{"Range: bytes=0-4"},
	})
	return err
}

// refusals are how requests are refused.
func (s *script) refusals() error {
	in := s.page.chapter("What is refused", "The answer's text names the header or the field.")
	post := func(path, body string, headers ...string) request {
		return request{to: s.c.master, method: http.MethodPost, path: path, headers: headers, body: body}
	}
	health := `{"type": "GET_HEALTH"}`
	for _, r := range []struct {
		status int
		title  string
		ask    request
	}{
		{http.StatusMethodNotAllowed, "405: not that method", request{to: s.c.master, method: http.MethodPut, path: operatorPath}},
		{http.StatusBadRequest, "400: no `Content-Type`", post(operatorPath, health, "Content-Type:")},
		{http.StatusUnsupportedMediaType, "415: another `Content-Type`", post(operatorPath, health, "Content-Type: text/plain")},
		{http.StatusNotAcceptable, "406: no form that the client accepts", post(operatorPath, health, asJSON, "Accept: text/html")},
		{http.StatusBadRequest, "400: a field of a wrong type", post(operatorPath, `{"type": "LIST_FILES", "list_files": {"path": []}}`, asJSON)},
		{http.StatusBadRequest, "400: a part that is missing", post(operatorPath, `{"type": "READ_FILE"}`, asJSON)},
		{http.StatusNotFound, "404: no such file", post(operatorPath, `{"type": "READ_FILE", "read_file": {"path": "/etc/passwd", "offset": 0}}`, asJSON)},
		{http.StatusBadRequest, "400: a call without the stream's id", post(schedulerPath, `{"type": "REVIVE", `+s.frameworkID()+`}`, asJSON)},
		{http.StatusBadRequest, "400: the id of another stream", post(schedulerPath, `{"type": "REVIVE", `+s.frameworkID()+`}`, asJSON,
			"Mesos-Stream-Id: 00000000-0000-4000-8000-000000000099")},
	} {
		if _, err := s.example(in, r.status, r.title, "", r.ask); err != nil {
			return err
		}
	}
	return nil
}

// slackIsKnown tells whether there was a sample while something ran.
func (s *script) slackIsKnown() (bool, error) {
	a, err := (&request{to: s.c.agent, method: http.MethodGet, path: "/slack?role=web"}).do(s.ctx)
	if err != nil {
		return false, err
	}
	t, err := parse(a.body)
	return t.member("roles", "role").string() != "", err
}
