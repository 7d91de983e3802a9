package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
)

// processes are those that a master and an agent let others see: a host of
// executors, and a scheduler of the SDK, which is one of troupe run.
func (s *script) processes() (err error) {
	in := s.page.chapter("Schedulers and executor hosts",
		"They listen at no port, and are seen over the link that they opened: `/metrics`, `/health`, `/actors` and\n"+
			"`/debug/pprof/` of each. Schedulers that speak HTTP are not.")
	framework, end, err := s.startJob()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	a, err := (&request{to: s.c.agent, method: http.MethodGet, path: "/metrics/processes"}).do(s.ctx)
	if err != nil {
		return err
	}
	id := host.FindString(string(a.body))
	if id == "" {
		return fmt.Errorf("no host in %s", a.body)
	}
	for _, r := range []struct {
		to                      *process
		title, path, only, file string
	}{
		{s.c.master, "GET /frameworks/ID/metrics", "/frameworks/" + framework + "/metrics", "troupe_", ""},
		{s.c.master, "GET /frameworks/ID/debug/pprof/cmdline", "/frameworks/" + framework + "/debug/pprof/cmdline", "", "cmdline"},
		{s.c.agent, "GET /hosts/ID/metrics", "/hosts/" + id + "/metrics", "troupe_", ""},
		{s.c.agent, "GET /hosts/ID/debug/pprof/cmdline", "/hosts/" + id + "/debug/pprof/cmdline", "", "cmdline"},
	} {
		ask := request{to: r.to, method: http.MethodGet, path: r.path, only: r.only, file: r.file}
		if _, err := s.example(in, http.StatusOK, "`"+r.title+"`", "", ask); err != nil {
			return err
		}
	}
	return nil
}

// startJob runs a command until end is called, which returns when it has ended,
// and finds the id of its framework.
func (s *script) startJob() (framework string, end func() error, err error) {
	job := exec.CommandContext(s.ctx, s.c.program, "run", "--master="+s.c.master.address, "--name=job", "--", "sleep", "1000")
	if err := job.Start(); err != nil {
		return "", nil, err
	}
	end = func() error {
		err := job.Process.Signal(os.Interrupt)
		_ = job.Wait() // its status is that of what was ended
		return err
	}
	if err := s.until("troupe run is subscribed", func() (bool, error) {
		framework, err = s.frameworkNamed("job")
		return framework != "", err
	}); err != nil {
		return "", nil, errors.Join(err, end())
	}
	return framework, end, nil
}

// frameworkNamed is the id of the first framework that has a name; empty when
// there is none.
func (s *script) frameworkNamed(name string) (string, error) {
	a, err := (&request{to: s.c.master, method: http.MethodGet, path: "/frameworks"}).do(s.ctx)
	if err != nil {
		return "", err
	}
	t, err := parse(a.body)
	if err != nil {
		return "", err
	}
	for _, f := range t.member("frameworks").children {
		if f.member("name").string() == name {
			return f.member("id").string(), nil
		}
	}
	return "", nil
}
