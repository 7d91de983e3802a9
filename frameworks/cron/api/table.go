package api

import "net/http"

const (
	get  = http.MethodGet
	put  = http.MethodPut
	post = http.MethodPost
	del  = http.MethodDelete
)

// table is every endpoint. Those at the root are behind the prefixes, too.
func (s *Server) table() []route {
	var all []route
	add := func(method, path string, serve func(http.ResponseWriter, *http.Request) error, summary string, codes ...int) *Route {
		all = append(all, route{Route{Method: method, Path: path, Summary: summary, Codes: codes}, serve})
		return &all[len(all)-1].Route
	}
	added := func(method, path string, serve func(http.ResponseWriter, *http.Request) error, summary string, codes ...int) {
		add(method, path, serve, summary, codes...).Added = true
	}
	root := func(path string, serve func(http.ResponseWriter, *http.Request) error, summary string) *Route {
		r := add(get, path, serve, summary, 200)
		r.Root = true
		return r
	}
	for _, method := range []string{post, put} {
		add(method, "/iso8601", s.putScheduled, "create a job with a schedule, or replace the one of its name", 204, 400, 413, 422)
		add(method, "/dependency", s.putDependent, "create a job with parents, or replace the one of its name", 204, 400, 413, 422)
	}
	add(get, "/jobs", s.listJobs, "all jobs, sorted by name; `tag=KEY=VALUE` or `tag=KEY`, several times, narrows them", 200, 422)
	add(get, "/jobs/summary", s.summary, "name, status, state, schedule and parents of all jobs; `tag` as above", 200, 422)
	add(get, "/jobs/search", s.search, "jobs by parts of `name`, `command` or `any` of their texts; `limit=10`, `offset=0`, `tag`", 200, 422)
	add(get, "/job/{name}", s.oneJob, "a job", 200, 404)
	add(put, "/job/{name}", s.runNow, "run a job now; `arguments` go behind its command", 204, 404, 422)
	add(del, "/job/{name}", s.deleteJob, "remove a job and kill its runs; 409 names its dependents, which `cascade=true` removes, too", 204, 404, 409, 422)
	add(put, "/job/success/{name}", s.markSuccess, "go on as if a job had succeeded: its dependents run", 200, 404)
	add(get, "/job/stat/{name}", s.jobStat, "how long a job takes, and its last runs", 200, 404)
	add(post, "/job/{name}/task/{task}/progress", s.progress, "count elements that a run has processed: `{\"numAdditionalElementsProcessed\": 5}`", 204, 400, 404, 413, 422)
	add(del, "/task/kill/{name}", s.killRuns, "kill all runs of a job; they are not retried", 204, 404)
	add(put, "/task/{task}", s.finish, "end a run of an async job: `{\"statusCode\": 0}`", 204, 400, 404, 409, 413, 422)
	add(get, "/graph/dot", s.graphDot, "the graph of jobs, for Graphviz", 200)
	add(get, "/graph/csv", s.graphCSV, "the graph of jobs, as lines: `node,NAME,STATUS,STATE` and `link,PARENT,CHILD`", 200)
	add(get, "/stats/{statistic}", s.statistic, "`99thPercentile`, `98thPercentile`, `95thPercentile`, `75thPercentile`, `median` or `mean` of every job, slowest first", 200, 404)
	root("/leader", s.leader, "who leads, as `{\"leader\": \"host:port\"}`")
	root("/isMaster", s.isLeader, "whether this process leads")
	root("/ping", s.ping, "`pong`")
	root("/metrics", s.metrics, "counts of jobs and runs; in the form of Prometheus for who accepts plain text")
	if s.o.Logging != nil {
		r := root("/logging", s.logging, "the level of the log; a PUT of `{\"level\": \"debug\"}` sets it")
		set := add(put, "/logging", s.logging, "set the level of the log", 200, 400)
		set.Root, set.Added, r.Added = true, true, true
	}
	root("/info", s.info, "name, version, framework and master").Added = true
	root("/describe", s.describe, "this table").Added = true
	added(get, "/graph/json", s.graphJSON, "the graph of jobs, with what each join still waits for", 200)
	added(get, "/job/runs/{name}", s.runs, "the runs of a job: those that have not ended, and the last that have, newest first, with exit codes and where their logs are", 200, 404)
	added(get, "/job/next/{name}", s.next, "the next `n=10` due times of a job in its zone", 200, 404, 422)
	added(get, "/job/why/{name}", s.why, "why a job does not run now, in words", 200, 404)
	added(get, "/job/log/{name}", s.tail, "the end of what a `task` of a job has written to its `stream=stdout`, of `bytes=16384` at most", 200, 404, 422, 502)
	added(get, "/preview", s.preview, "the next `n=10` due times of a `schedule` in a `scheduleTimeZone`, before a job has it", 200, 422)
	added(get, "/events", s.serveEvents, "what happens to jobs and runs, as an event stream; `job` and `tag` narrow it, `Last-Event-ID` goes on where it was", 200, 422, 503)
	return all
}
