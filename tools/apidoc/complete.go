package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/mesos"
	agentapi "troupe/messages/mesos/agent"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// excused are what no example succeeds at, and why; what is answered is on the
// page all the same.
var excused = map[string]string{
	"master /api/v1 call LIST_FILES":                     "404: a master has a log, and no folder",
	"agent /api/v1 call PRUNE_IMAGES":                    "501: there are no images",
	"agent /api/v1 call ADD_RESOURCE_PROVIDER_CONFIG":    "501: there are no resource providers",
	"agent /api/v1 call UPDATE_RESOURCE_PROVIDER_CONFIG": "501: there are no resource providers",
	"agent /api/v1 call REMOVE_RESOURCE_PROVIDER_CONFIG": "501: there are no resource providers",
	"agent /api/v1 call MARK_RESOURCE_PROVIDER_GONE":     "501: there are no resource providers",
}

// late is what takes too long to come, and how long. The page has a word of it.
var late = map[string]string{
	"agent /api/v1 record CONTROL": "30 s: the HEARTBEAT of a container's output",
}

// lacking names what has no example, sorted: calls, events, operations, records
// of containers' streams, and routes with their methods.
func (p *page) lacking() []string {
	done, tried := p.examples()
	var lacking []string
	for _, what := range append(vocabulary(), p.served.wanted()...) {
		if _, excuse := late[what]; excuse && !done[what] {
			continue
		}
		switch _, excuse := excused[what]; {
		case !excuse && !done[what]:
			lacking = append(lacking, what)
		case excuse && done[what]:
			lacking = append(lacking, what+" (which succeeds: it needs no excuse)")
		case excuse && !tried[what]:
			lacking = append(lacking, what+" (though refused)")
		}
	}
	slices.Sort(lacking)
	return slices.Compact(lacking)
}

// vocabulary names all that can be said over the two APIs of a master and of an
// agent, as the messages define it.
func vocabulary() []string {
	var words []string
	add := func(where string, enum protoreflect.EnumDescriptor) {
		for i := range enum.Values().Len() {
			if name := string(enum.Values().Get(i).Name()); name != "UNKNOWN" {
				words = append(words, where+" "+name)
			}
		}
	}
	add("master "+schedulerPath+" call", scheduler.Call_UNKNOWN.Descriptor())
	add("master "+schedulerPath+" record", scheduler.Event_UNKNOWN.Descriptor())
	add("master "+schedulerPath+" operation", mesos.Offer_Operation_UNKNOWN.Descriptor())
	add("agent "+executorPath+" call", executor.Call_UNKNOWN.Descriptor())
	add("agent "+executorPath+" record", executor.Event_UNKNOWN.Descriptor())
	add("master "+operatorPath+" call", master.Call_UNKNOWN.Descriptor())
	add("master "+operatorPath+" record", master.Event_UNKNOWN.Descriptor())
	add("agent "+operatorPath+" call", agentapi.Call_UNKNOWN.Descriptor())
	add("agent "+operatorPath+" input", agentapi.ProcessIO_UNKNOWN.Descriptor())
	add("agent "+operatorPath+" record", agentapi.ProcessIO_UNKNOWN.Descriptor())
	return words
}

// examples are what the entries of the page show, read off what was asked and
// answered: what succeeded, and what was tried.
func (p *page) examples() (done, tried map[string]bool) {
	done, tried = map[string]bool{}, map[string]bool{}
	for _, c := range p.chapters {
		for _, e := range c.entries {
			for _, what := range e.examples(p.served) {
				tried[what] = true
				if e.answer == nil || e.answer.succeeded() {
					done[what] = true
				}
			}
		}
	}
	return done, tried
}

// succeeded tells whether what was asked was done, or can be elsewhere.
func (a *answer) succeeded() bool {
	_, status, _ := strings.Cut(a.status, " ")
	return strings.HasPrefix(status, "2") || strings.HasPrefix(status, "3")
}

// examples are what one entry shows.
func (e *entry) examples(served tables) []string {
	var what []string
	if e.ask != nil {
		what = served.names(e.ask)
		for _, call := range e.ask.calls() {
			what = append(what, callNames(e.ask.where(), call)...)
		}
	}
	of := e.of
	if of == nil {
		of = e.ask
	}
	for _, r := range e.records {
		what = append(what, of.where()+" record "+r.member("type").string())
	}
	return what
}

// where is the process and the path that a request goes to.
func (r *request) where() string {
	path, _, _ := strings.Cut(r.path, "?")
	return r.to.name() + " " + path
}

// calls are the documents in the body of a request, which may be records.
func (r *request) calls() []*tree {
	if t, err := parse([]byte(r.body)); err == nil {
		return []*tree{t}
	}
	var calls []*tree
	in := recordio.NewReader(bytes.NewReader([]byte(r.body)), 1<<20)
	for {
		record, err := in.Next()
		if err != nil {
			return calls
		}
		if t, err := parse(record); err == nil {
			calls = append(calls, t)
		}
	}
}

// callNames are what a call is an example of.
func callNames(where string, call *tree) []string {
	kind := call.member("type").string()
	if kind == "" {
		return nil
	}
	names := []string{where + " call " + kind}
	if operations := call.member("accept", "operations"); operations != nil {
		for _, o := range operations.children {
			names = append(names, where+" operation "+o.member("type").string())
		}
	}
	if input := call.member("attach_container_input", "process_io", "type"); input != nil {
		names = append(names, where+" input "+input.string())
	}
	return names
}

// tables are what daemons serve, by name and pattern.
type tables map[string]map[string]route

// route is what a daemon says of a pattern.
type route struct {
	help    string
	methods []string // empty: any
}

// tables notes what both daemons say they serve, while both are there.
func (s *script) tables() error {
	if err := s.serve(s.c.master); err != nil {
		return err
	}
	return s.serve(s.c.agent)
}

// serve notes what a daemon says it serves, and by which methods.
func (s *script) serve(p *process) error {
	a, err := (&request{to: p, method: http.MethodGet, path: "/help"}).do(s.ctx)
	if err != nil {
		return err
	}
	if s.page.served[p.name()] == nil {
		s.page.served[p.name()] = map[string]route{}
	}
	for line := range strings.Lines(string(a.body)) {
		pattern, help, _ := strings.Cut(strings.TrimSpace(line), " ")
		r := route{help: strings.TrimSpace(help)}
		if r.methods, err = s.methods(p, pattern); err != nil {
			return err
		}
		s.page.served[p.name()][pattern] = r
	}
	return nil
}

// methods are those that a daemon allows, when it is asked by one that nobody
// knows; without HEAD, which is GET.
func (s *script) methods(p *process, pattern string) ([]string, error) {
	if strings.HasPrefix(pattern, "/debug/pprof/") { // they take any, and some of them take their time
		return nil, nil
	}
	r, err := (&request{to: p, method: "PATCH", path: pattern}).open(s.ctx)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		return nil, err
	}
	methods := strings.FieldsFunc(strings.Join(r.Header.Values("Allow"), ","), func(c rune) bool { return c == ',' || c == ' ' })
	if len(methods) == 0 {
		return nil, fmt.Errorf("%s %s: 405 without Allow", p.name(), pattern)
	}
	return slices.DeleteFunc(methods, func(m string) bool { return m == http.MethodHead }), nil
}

// names are the names of the route that a request takes, and of the family of
// second names that it takes it by.
func (t tables) names(r *request) []string {
	at := new(http.ServeMux)
	for pattern := range t[r.to.name()] {
		at.Handle(pattern, http.NotFoundHandler())
	}
	path, _, _ := strings.Cut(r.path, "?")
	_, pattern := at.Handler(&http.Request{Method: r.method, URL: &url.URL{Path: path}})
	if pattern == "" {
		return nil
	}
	first, families := t.first(r.to.name(), pattern)
	names := []string{t.name(r.to.name(), first, ""), t.name(r.to.name(), first, r.method)}
	for _, f := range families {
		names = append(names, family(r.to.name(), f))
	}
	return names
}

// first is the first name of a route, and the families that its others are of:
// those that are said to be the same.
func (t tables) first(daemon, pattern string) (first string, families []string) {
	first = pattern
	same := func(other string) bool {
		r, there := t[daemon][other]
		return there && r.help == t[daemon][pattern].help
	}
	for _, prefix := range []string{"/master", "/slave(1)"} {
		if rest, under := strings.CutPrefix(first, prefix); under && same(rest) {
			first, families = rest, append(families, prefix+"/…")
		}
	}
	if rest, json := strings.CutSuffix(first, ".json"); json && same(rest) {
		first, families = rest, append(families, "….json")
	}
	return first, families
}

// name is a route's, by a method; what daemons serve alike is one.
func (t tables) name(daemon, pattern, method string) string {
	for other, patterns := range t {
		if r, there := patterns[pattern]; there && other != daemon && r.help == t[daemon][pattern].help {
			return strings.TrimSpace("any " + pattern + " " + method)
		}
	}
	return strings.TrimSpace(daemon + " " + pattern + " " + method)
}

// family is the name of a family of second names, which masters have whether
// they lead or not.
func family(daemon, f string) string {
	return strings.TrimPrefix(daemon, standingBy) + " second names " + f
}

// wanted names every route with each of its methods once, and every family of
// second names.
func (t tables) wanted() []string {
	var wanted []string
	for daemon, patterns := range t {
		for pattern, r := range patterns {
			first, families := t.first(daemon, pattern)
			for _, f := range families {
				wanted = append(wanted, family(daemon, f))
			}
			wanted = append(wanted, t.name(daemon, first, ""))
			for _, m := range r.methods {
				wanted = append(wanted, t.name(daemon, first, m))
			}
		}
	}
	return wanted
}
