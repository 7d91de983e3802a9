package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	agentapi "troupe/messages/mesos/agent"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
)

// until polls until ok.
func (s *script) until(what string, ok func() (bool, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return fmt.Errorf("still not: %s", what)
		}
	}
}

// complete is an error that names every route and call without an example.
func (s *script) complete() error {
	var lacking []string
	for _, api := range []struct {
		of    *process
		path  string
		calls protoreflect.EnumValueDescriptors
	}{
		{s.c.master, schedulerPath, scheduler.Call_UNKNOWN.Descriptor().Values()},
		{s.c.agent, executorPath, executor.Call_UNKNOWN.Descriptor().Values()},
		{s.c.master, operatorPath, master.Call_UNKNOWN.Descriptor().Values()},
		{s.c.agent, operatorPath, agentapi.Call_UNKNOWN.Descriptor().Values()},
	} {
		for i := range api.calls.Len() {
			if name := string(api.calls.Get(i).Name()); name != "UNKNOWN" {
				lacking = append(lacking, api.of.name()+" "+api.path+" "+name)
			}
		}
	}
	lacking = append(lacking, s.served...)
	lacking = slices.DeleteFunc(lacking, func(what string) bool { return s.page.shown[what] })
	if len(lacking) > 0 {
		return errors.New("no example of " + strings.Join(lacking, ", "))
	}
	return nil
}

// serve notes what the processes say they serve, while both are there.
func (s *script) serve() error {
	for _, p := range []*process{s.c.master, s.c.agent} {
		routes, err := s.routes(p)
		if err != nil {
			return err
		}
		for _, route := range routes {
			s.served = append(s.served, p.name()+" "+route)
		}
	}
	return nil
}

// routes are those that a process says it serves, without the second names of
// the same.
func (s *script) routes(p *process) ([]string, error) {
	a, err := (&request{to: p, method: http.MethodGet, path: "/help"}).do(s.ctx)
	if err != nil {
		return nil, err
	}
	var routes []string
	for line := range strings.Lines(string(a.body)) {
		route := strings.Fields(line)[0]
		base, aliased := strings.CutSuffix(route, ".json")
		switch {
		case aliased && base != "/system/stats", strings.HasSuffix(route, "/"), strings.HasPrefix(route, "/debug/pprof"),
			strings.HasPrefix(route, "/master/"), strings.HasPrefix(route, "/slave(1)/"):
		default:
			routes = append(routes, route)
		}
	}
	return routes, nil
}
