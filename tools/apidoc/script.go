package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"strings"
	"time"
)

// script makes the requests, in an order in which each finds what it needs.
type script struct {
	ctx   context.Context
	c     *cluster
	page  *page
	fixed *stable
	user  string // that the tasks run as

	framework, agent string
	scheduler        *stream
	streamID         string // header of the scheduler's calls
	operator         *stream
	// afterwards is what is done once streams have something to say.
	afterwards []func() error

	schedulerChapter, masterChapter *chapter
}

func newScript(ctx context.Context, c *cluster) *script {
	s := &script{ctx: ctx, c: c, fixed: newStable()}
	s.page = &page{fixed: s.fixed, served: tables{}}
	s.fixed.replace(c.dir, "/var/lib/troupe")
	s.listens(c.master, masterAddress)
	if host, err := os.Hostname(); err == nil { // without a name nothing has to be replaced
		s.fixed.replace(host+":0", "localhost:0")
	}
	return s
}

// listens has the address of a process replaced.
func (s *script) listens(p *process, address string) {
	s.fixed.replace(p.address, address)
	_, old, _ := strings.Cut(p.address, ":")
	_, port, _ := strings.Cut(address, ":")
	s.fixed.replace(old, port)
}

func (s *script) run() error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	s.user = me.Username
	for _, part := range []func() error{
		s.watch, s.beginAgent, s.schedulers, s.executors, s.operations, s.maintenance, s.masterCalls, s.agentCalls, s.containers, s.masterPages, s.agentPages, s.processes, s.everywhere, s.members, s.tables, s.refusals, s.changes, s.watched,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// beginAgent starts the agent, and waits until it is registered.
func (s *script) beginAgent() error {
	if err := s.c.startAgent(s.ctx); err != nil {
		return err
	}
	s.listens(s.c.agent, agentAddress)
	return s.until("the agent is registered", func() (bool, error) {
		a, err := (&request{to: s.c.master, method: http.MethodGet, path: "/slaves"}).do(s.ctx)
		if err != nil {
			return false, err
		}
		t, err := parse(a.body)
		s.agent = t.member("slaves", "id").string()
		return s.agent != "", err
	})
}

// until polls until ok.
func (s *script) until(what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(s.ctx, wait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("still not: %s", what)
		}
	}
}

// example makes a request and adds it to a chapter. The status must be as
// expected.
func (s *script) example(in *chapter, status int, title, text string, r request) (*answer, error) {
	a, err := r.do(s.ctx)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(a.status, fmt.Sprintf(" %d ", status)) {
		return nil, fmt.Errorf("%s: %s\n%s", title, a.status, a.body)
	}
	in.entries = append(in.entries, entry{title: title, text: text, ask: &r, answer: a})
	return a, nil
}

// heard waits for an event of a type for which ok, if it is not nil, holds, and
// adds it to a chapter. The type is the first word of the title.
func (s *script) heard(in *chapter, from *stream, title, text string, ok func(*tree) bool) (*tree, error) {
	kind, _, _ := strings.Cut(title, ",")
	event, err := from.await(s.ctx, kind, ok)
	if err != nil {
		return nil, err
	}
	s.record(in, from, "Event `"+kind+"`"+strings.TrimPrefix(title, kind), text, event)
	return event, nil
}

// record adds records of a stream to a chapter.
func (s *script) record(in *chapter, of *stream, title, text string, records ...*tree) {
	in.entries = append(in.entries, entry{title: title, text: text, records: records, of: of.ask})
}

// call is an example of a call in JSON. Its type is the first word of the
// title.
type call struct {
	status      int
	title, text string
	body        string // without the type; "" for a call that has nothing else
}

func (s *script) calls(in *chapter, to *process, path string, headers []string, calls []call) error {
	for _, c := range calls {
		kind, _, _ := strings.Cut(c.title, ",")
		body := `{"type": "` + kind + `"`
		if c.body != "" {
			body += ", " + c.body
		}
		r := request{to: to, method: http.MethodPost, path: path, headers: append([]string{asJSON}, headers...), body: body + "}"}
		if _, err := s.example(in, c.status, "`"+kind+"`"+strings.TrimPrefix(c.title, kind), c.text, r); err != nil {
			return err
		}
	}
	return nil
}

const asJSON = "Content-Type: application/json"

// reads are examples of pages.
func (s *script) reads(in *chapter, to *process, pages ...[2]string) error {
	for _, p := range pages {
		path, _, _ := strings.Cut(p[0], "?")
		if _, err := s.example(in, http.StatusOK, "`GET "+path+"`", p[1], request{to: to, method: http.MethodGet, path: p[0]}); err != nil {
			return err
		}
	}
	return nil
}
