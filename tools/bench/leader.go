package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"troupe/actors"
	"troupe/actors/inspect"
	"troupe/allocator"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/registry"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/master/store"
)

// muster passes the read side's events on, and tells when all that was there
// is known again.
type muster struct {
	master.Publisher
	mu                        sync.Mutex
	agents, tasks, frameworks int // that are still missing
	subscribed                map[view.FrameworkID]bool
	begun                     time.Time
	all                       chan time.Duration // since begun; once
}

// Publish counts what is known now.
func (m *muster) Publish(e view.Event) {
	m.Publisher.Publish(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := e.(type) {
	case view.AgentAdded:
		if e.Agent.Status == view.Connected {
			m.agents--
		}
	case view.AgentRemoved:
		if !e.Recovered {
			m.agents++
		}
	case view.TaskAdded:
		m.tasks--
	case view.TaskRemoved:
		m.tasks++
	case view.FrameworkAdded:
		m.framework(e.Framework)
	case view.FrameworkChanged:
		m.framework(e.Framework)
	default:
		return
	}
	if m.agents == 0 && m.tasks == 0 && m.frameworks == 0 && !m.begun.IsZero() {
		m.all <- time.Since(m.begun)
		m.begun = time.Time{}
	}
}

func (m *muster) framework(f *view.Framework) {
	if f.Connected && !m.subscribed[f.ID] {
		m.subscribed[f.ID] = true
		m.frameworks--
	}
}

// musterTime bounds the wait for all, and musterNews is how often it is told who
// is missing.
const (
	musterTime = 10 * time.Minute
	musterNews = 10 * time.Second
)

// await gives the time that it took until all were known.
func (m *muster) await() (time.Duration, error) {
	timer := time.NewTimer(musterTime)
	defer timer.Stop()
	news := time.NewTicker(musterNews)
	defer news.Stop()
	for {
		select {
		case took := <-m.all:
			return took, nil
		case <-news.C:
			fmt.Fprintln(os.Stderr, "bench:", m.missing())
		case <-timer.C:
			return 0, errors.New(m.missing())
		}
	}
}

func (m *muster) missing() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%d agents, %d tasks and %d frameworks are missing after %s",
		m.agents, m.tasks, m.frameworks, time.Since(m.begun).Round(time.Second))
}

// leaderRole is the process of a master that is elected when its input says
// so. Arguments: the file of its registry, and how many agents, tasks and
// frameworks there are. It prints its address when it leads, and in how many
// seconds since its election all were known.
func leaderRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("leader takes a file, agents, tasks and frameworks, not %q", args)
	}
	m := &muster{subscribed: make(map[view.FrameworkID]bool), all: make(chan time.Duration, 1)}
	if err := numbers(args[1:], &m.agents, &m.tasks, &m.frameworks); err != nil {
		return err
	}
	input, err := start(in, out)
	if err != nil {
		return err
	}
	m.begun = time.Now()
	file, err := store.Open(args[0], "bench")
	if err != nil {
		return err
	}
	v := api.NewView(view.Limits{})
	m.Publisher = v
	s, err := lead(context.Background(), file, m)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.Address())
	took, err := m.await()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, took.Seconds())
	return untilEOF(input) // the process ends with its links as they are
}

// lead starts a master with its allocator.
func lead(ctx context.Context, registry master.Store, p master.Publisher) (*actors.System, error) {
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	if err := inspect.Mount(s, inspect.Options{}); err != nil {
		return nil, errors.Join(err, end(s))
	}
	if _, err := s.Spawn(allocator.Name, allocator.New(allocator.Options{})); err != nil {
		return nil, errors.Join(err, end(s))
	}
	_, err = master.Start(ctx, s, master.Options{Store: registry, Publisher: p, Config: state.Config{MasterID: uuid.NewString()}})
	if err != nil {
		return nil, errors.Join(err, end(s))
	}
	return s, nil
}

// registryOf makes a file in which so many agents are admitted, in a folder
// that the caller removes.
func registryOf(ctx context.Context, agents int) (dir, path string, err error) {
	dir, err = os.MkdirTemp("", "troupe-bench-")
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, "registry.db")
	file, err := store.Open(path, "bench")
	if err != nil {
		return dir, path, err
	}
	changes, err := admissions(agents)
	if err == nil {
		err = file.Write(ctx, changes)
	}
	return dir, path, errors.Join(err, file.Close())
}

// admissions are the changes that admit so many agents, and the frameworks
// whose tasks they run.
func admissions(agents int) ([]registry.Change, error) {
	at := time.Unix(1_700_000_000, 0)
	var operations []registry.Operation
	for i := range agents {
		info := agentInfo(i)
		info.Id = agentID(i)
		operations = append(operations, registry.AdmitAgent{Agent: info, At: at})
	}
	for i := range failoverFrameworks {
		operations = append(operations, registry.AdmitFramework{Framework: frameworkInfo(i), At: at})
	}
	var r registry.Registry
	var all []registry.Change
	for _, o := range operations {
		next, changes, err := registry.Apply(r, o)
		if err != nil {
			return nil, err
		}
		r = next
		all = append(all, changes...)
	}
	return all, nil
}
