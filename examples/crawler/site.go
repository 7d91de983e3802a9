package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/messages/mesos"
)

// site is what is known of one.
type site struct {
	tasks       *frameworks.Tasks
	start, out  string
	pages, open int // how many may be read, and how many tasks are not done
	executors   map[string]*mesos.ExecutorInfo
	links       map[string][]string // of every page that is read, or shall be
	styles      map[string]string   // how they are drawn
	err         error
}

func newSite(start, out string, pages int, program string) *site {
	s := &site{
		start: start, out: out, pages: pages,
		executors: map[string]*mesos.ExecutorInfo{}, links: map[string][]string{}, styles: map[string]string{},
	}
	for _, be := range []string{"crawl", "render"} {
		s.executors[be] = &mesos.ExecutorInfo{
			Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: &be},
			Command: &mesos.CommandInfo{Value: proto.String(program + " -be=" + be)},
		}
	}
	s.tasks = frameworks.NewTasks(s.report)
	s.visit(start)
	return s
}

// visit has a page read and drawn, if it is one of the site and was not yet.
func (s *site) visit(page string) {
	if _, known := s.links[page]; known || len(s.links) == s.pages || !strings.HasPrefix(page, s.start) {
		return
	}
	s.links[page] = nil
	for be, x := range s.executors {
		s.open++
		s.tasks.Add(&frameworks.Task{
			ID: fmt.Sprintf("%s-%d", be, len(s.links)), Data: []byte(page), Executor: x,
			Retries: frameworks.Forever, Again: frameworks.Lost,
		})
	}
}

// report takes what the executors found.
func (s *site) report(p frameworks.Progress) {
	if !p.Final {
		return
	}
	page, data := string(p.Task.Data), p.Status.GetData()
	if failure := p.Failure(); failure != nil {
		fmt.Fprintln(os.Stderr, failure)
		s.styles[page] = "color=red"
	} else if p.Task.Executor == s.executors["render"] {
		s.styles[page] = fmt.Sprintf("shape=none label=%q image=%q", "", p.Task.ID+".svg")
		s.err = errors.Join(s.err, os.WriteFile(filepath.Join(s.out, p.Task.ID+".svg"), data, 0o666))
	} else {
		var links []string
		s.err = errors.Join(s.err, json.Unmarshal(data, &links))
		s.links[page] = links
		for _, to := range links {
			s.visit(to)
		}
	}
	if s.open--; s.open == 0 {
		s.tasks.Close()
	}
}

// graph is in the language of Graphviz.
func (s *site) graph() string {
	var dot strings.Builder
	dot.WriteString("digraph site {\n")
	for _, page := range slices.Sorted(maps.Keys(s.links)) {
		fmt.Fprintf(&dot, "\t%q [%s];\n", page, s.styles[page])
		for _, to := range s.links[page] {
			fmt.Fprintf(&dot, "\t%q -> %q;\n", page, to)
		}
	}
	dot.WriteString("}\n")
	return dot.String()
}
