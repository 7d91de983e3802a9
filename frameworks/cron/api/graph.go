package api

import (
	"fmt"
	"net/http"
	"strings"

	"troupe/frameworks/cron/plan"
)

// Graph is the jobs and what depends on what.
type Graph struct {
	Nodes []Summary `json:"nodes"`
	Links []Link    `json:"links"`
}

// Link is from a parent to one of its dependents.
type Link struct {
	Source string `json:"source"`
	Target string `json:"target"`
	// Joined is how often the parent has succeeded since the dependent last ran.
	Joined int `json:"joined"`
}

func (s *Server) graphJSON(w http.ResponseWriter, r *http.Request) error {
	g := Graph{Nodes: []Summary{}, Links: []Link{}}
	for _, v := range s.o.Board.Jobs() {
		g.Nodes = append(g.Nodes, newSummary(v))
		for i, p := range v.Job.Trigger.Parents {
			g.Links = append(g.Links, Link{p, v.Job.Name, joined(v, i)})
		}
	}
	writeJSON(w, http.StatusOK, g)
	return nil
}

func joined(v *plan.View, parent int) int {
	if parent < len(v.State.Joined) {
		return v.State.Joined[parent]
	}
	return 0
}

// Names have neither quotes nor commas, so that no line needs escaping.

func (s *Server) graphDot(w http.ResponseWriter, r *http.Request) error {
	var b strings.Builder
	b.WriteString("digraph jobs {\n")
	for _, v := range s.o.Board.Jobs() {
		fmt.Fprintf(&b, "  %q [label=%q];\n", v.Job.Name, v.Job.Name+"\n"+statusOf(v)+", "+stateOf(v))
	}
	for _, v := range s.o.Board.Jobs() {
		for _, p := range v.Job.Trigger.Parents {
			fmt.Fprintf(&b, "  %q -> %q;\n", p, v.Job.Name)
		}
	}
	b.WriteString("}\n")
	writeText(w, b.String())
	return nil
}

func (s *Server) graphCSV(w http.ResponseWriter, r *http.Request) error {
	var b strings.Builder
	for _, v := range s.o.Board.Jobs() {
		fmt.Fprintf(&b, "node,%s,%s,%s\n", v.Job.Name, statusOf(v), stateOf(v))
	}
	for _, v := range s.o.Board.Jobs() {
		for _, p := range v.Job.Trigger.Parents {
			fmt.Fprintf(&b, "link,%s,%s\n", p, v.Job.Name)
		}
	}
	writeText(w, b.String())
	return nil
}
