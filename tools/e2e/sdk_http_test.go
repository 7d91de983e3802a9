package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/frameworks"
	"troupe/messages/mesos"
	"troupe/tools/processtest"
)

// follower gets a task done, and tells of its connections.
type follower struct {
	*frameworks.Tasks
	connections chan string
	watch       string // a task of an earlier life
}

func (f *follower) Connected(d *frameworks.Driver, id string, master *mesos.MasterInfo, resumed bool) {
	if f.watch != "" {
		d.Watch(f.watch, "")
	}
	f.connections <- fmt.Sprintf("%s %t", id, resumed)
}

// next is the next of what a channel brings.
func next[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	late := time.NewTimer(3 * time.Minute)
	defer late.Stop()
	select {
	case x := <-from:
		return x
	case <-late.C:
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

// A scheduler over HTTP, with certificates, outlives the master that it began
// with: its task runs on, and is waited for at the next leader. Another scheduler
// with its id takes its place.
func TestHTTPSchedulerFollowsTheLeader(t *testing.T) {
	w := newWorld(t)
	authority := processtest.NewAuthority(t, filepath.Join(w.dir, "authority"))
	m := w.trio(authority.Issue("everybody")...)
	m.leader()
	agent := m.startAgent("agent", 0)
	ready := filepath.Join(w.dir, "go")
	news := make(chan frameworks.Progress, 99)
	tasks := frameworks.NewTasks(func(p frameworks.Progress) { news <- p })
	tasks.Add(&frameworks.Task{ID: "survivor", Command: fmt.Sprintf("until [ -e %s ]; do sleep 0.05; done", ready), Resources: "cpus:1;mem:64"})
	tasks.Close()
	s := &follower{Tasks: tasks, connections: make(chan string, 99)}
	o := frameworks.Options{
		Master: m.where(), Name: "follower", HTTP: &frameworks.HTTP{}, FailoverTimeout: time.Hour,
		Store: frameworks.FileStore(filepath.Join(w.dir, "framework-id")),
	}
	o.System.TLS = authority.Client("everybody")
	ended := make(chan error, 1)
	go func() { ended <- frameworks.Run(t.Context(), o, s) }()
	id, _, _ := strings.Cut(next(t, "the subscription", s.connections), " ")
	for next(t, "TASK_RUNNING", news).State != mesos.TaskState_TASK_RUNNING {
	}
	m.masters[m.leader()].kill()
	if again := next(t, "the next leader", s.connections); again != id+" true" {
		t.Errorf("connected again: %s", again)
	}
	m.leader()
	touch(t, ready)
	for {
		p := next(t, "TASK_FINISHED", news)
		if p.Final {
			if p.State != mesos.TaskState_TASK_FINISHED || p.Attempt != 1 {
				t.Errorf("%s, attempt %d", p.State, p.Attempt)
			}
			break
		}
	}
	if err := next(t, "the end", ended); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadFile(filepath.Join(w.dir, "framework-id")); err != nil || strings.TrimSpace(string(kept)) != "" {
		t.Errorf("after the teardown the id is %q, %v", kept, err)
	}
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
}

// Who proves to be nobody is turned away; who proves to be somebody is that one,
// may come back as the same framework, and is told when another does.
func TestHTTPSchedulerProvesWhoItIs(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "credentials.json")
	if err := os.WriteFile(file, []byte(`{"credentials":[{"principal":"ops","secret":"s3cret"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := w.separateWith([]string{"--credentials=file://" + file, "--authenticate_http_frameworks"})
	o := frameworks.Options{
		Master: strings.TrimPrefix(c.flags[0], "--master="), Name: "who", Principal: "ops", FailoverTimeout: time.Hour,
		HTTP: &frameworks.HTTP{}, Store: frameworks.FileStore(filepath.Join(w.dir, "framework-id")),
	}
	for secret, want := range map[string]string{"": "status 401", "wrong": "status 401"} {
		o.HTTP.Secret = secret
		if err := frameworks.Run(t.Context(), o, frameworks.Base{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	secure := o
	secure.HTTP = &frameworks.HTTP{Secret: "s3cret", TLS: &tls.Config{InsecureSkipVerify: true}}
	secure.Patience = time.Second
	if err := frameworks.Run(t.Context(), secure, frameworks.Base{}); err == nil || !strings.Contains(err.Error(), "no subscription at master") {
		t.Errorf("TLS with a master that has none: %v", err)
	}
	o.HTTP = &frameworks.HTTP{Secret: "s3cret", JSON: true}
	first := &follower{Tasks: frameworks.NewTasks(nil), connections: make(chan string, 9)}
	ended := make(chan error, 1)
	go func() { ended <- frameworks.Run(t.Context(), o, first) }()
	id, _, _ := strings.Cut(next(t, "the first", first.connections), " ")
	second := &follower{Tasks: frameworks.NewTasks(nil), connections: make(chan string, 9)}
	replaced := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { replaced <- frameworks.Run(ctx, o, second) }()
	if again := next(t, "the second", second.connections); again != id+" true" {
		t.Errorf("the second is %s, the first was %s", again, id)
	}
	if err := next(t, "the end of the first", ended); !errors.Is(err, frameworks.ErrReplaced) {
		t.Errorf("the first ended with %v", err)
	}
	second.Add(&frameworks.Task{ID: "one", Command: "exit 0"})
	second.Close()
	if err := next(t, "the end of the second", replaced); err != nil {
		t.Error(err)
	}
	c.end()
}
