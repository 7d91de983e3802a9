package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/api"
	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// start is when every test begins.
var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// stage is a core for the API alone: edits are done as they come, and instances
// run at once unless held is set.
type stage struct {
	t     *testing.T
	board *board.Board
	srv   *httptest.Server
	api   *api.Server
	bus   *events.Bus

	mu      sync.Mutex
	held    bool // instances stay away, and deployments go on
	refuse  error
	silent  bool // no answer ever comes
	version app.Version
	running []*state.DeploymentView
	history []*app.Group
	seen    []state.Input
}

// leadership is one that can be ended.
type leadership struct {
	mu     sync.Mutex
	leader string
	fail   error
}

// Leader implements api.Leadership.
func (l *leadership) Leader() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader
}

// Abdicate implements api.Leadership.
func (l *leadership) Abdicate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	l.leader = ""
	return nil
}

func newStage(t *testing.T, change func(*api.Options)) *stage {
	t.Helper()
	s := &stage{t: t, board: board.New(), version: app.VersionAt(start)}
	s.history = []*app.Group{s.board.Root()}
	s.bus = events.New(events.Options{Now: func() time.Time { return start }})
	o := api.Options{
		Core: s, Board: s.board, Events: s.bus, Patience: 5 * time.Second,
		Now:  func() time.Time { return start.Add(time.Minute) },
		Apps: wire.Options{Rules: app.Rules{Role: "*"}},
	}
	if change != nil {
		change(&o)
	}
	s.api = api.New(o)
	s.srv = httptest.NewServer(s.api)
	t.Cleanup(func() {
		s.bus.Close()
		s.srv.Close()
	})
	return s
}

// Do implements api.Core.
func (s *stage) Do(ctx context.Context, input func(request uint64) state.Input) (state.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := input(7)
	s.seen = append(s.seen, in)
	if s.silent {
		<-ctx.Done()
		return state.Answer{}, ctx.Err()
	}
	if s.refuse != nil {
		return state.Answer{Err: s.refuse}, nil
	}
	return s.step(in), nil
}

func (s *stage) step(in state.Input) state.Answer {
	switch in := in.(type) {
	case state.Update:
		return s.update(in)
	case state.Restart:
		return s.restart(in)
	case state.Cancel:
		return s.cancel(in)
	case state.KillTasks:
		return s.killTasks(in)
	case state.Pause:
		return s.steer(in.Deployment, true)
	case state.Resume:
		return s.steer(in.Deployment, false)
	case state.Promote:
		return state.Answer{Err: &state.RefusedError{Text: "deployment " + in.Deployment + " has no canaries"}}
	case state.ResetDelay:
		return state.Answer{}
	}
	return state.Answer{Err: fmt.Errorf("unexpected %T", in)}
}

func (s *stage) update(in state.Update) state.Answer {
	s.version++
	old := s.board.Root()
	root, err := in.Edit(old, s.version)
	if err != nil {
		return state.Answer{Err: err}
	}
	if wrong := root.Structure(app.Rules{Role: "*"}); len(wrong) > 0 {
		return state.Answer{Err: wrong}
	}
	next := *root
	next.Version = s.version
	root = &next
	for a := range root.All() {
		if old.App(a.ID) != a {
			root = root.With(app.Stamp(old.App(a.ID), a, s.version))
		}
	}
	return s.deploy(old, root, in.DryRun, in.Force)
}

func (s *stage) restart(in state.Restart) state.Answer {
	s.version++
	old := s.board.Root()
	root := old
	for _, id := range in.Apps {
		if root.App(id) == nil {
			return state.Answer{Err: &state.NotFoundError{Kind: "app", Name: string(id)}}
		}
		root = root.With(app.Restarted(root.App(id), s.version))
	}
	return s.deploy(old, root, false, in.Force)
}

// deploy makes a root the one that counts.
func (s *stage) deploy(old, root *app.Group, dry, force bool) state.Answer {
	plan := planOf(old, root)
	if dry {
		return state.Answer{Plan: plan, Version: root.Version}
	}
	if len(s.running) > 0 && !force {
		return state.Answer{Err: &state.LockedError{Deployments: []string{s.running[0].ID}}}
	}
	id := fmt.Sprintf("deployment-%d", s.version)
	s.history = append(s.history, root)
	s.board.PublishRoot(state.PublishRoot{Root: root, History: s.history})
	d := &state.DeploymentView{ID: id, Version: root.Version, Plan: plan, Began: start}
	for _, step := range plan.Steps[:min(1, len(plan.Steps))] {
		for _, a := range step {
			d.Actions = append(d.Actions, state.ActionView{Action: a, Waits: "0 of 1 instances run"})
		}
	}
	s.running = nil
	if s.held {
		s.running = []*state.DeploymentView{d}
	}
	s.board.PublishDeployments(state.PublishDeployments{Deployments: s.running})
	for _, affected := range plan.Affected {
		s.publish(affected, root.App(affected), id)
	}
	return state.Answer{Deployment: id, Version: root.Version, Plan: plan}
}

func planOf(old, root *app.Group) *rollout.Plan {
	p := &rollout.Plan{Original: old, Target: root}
	for a := range root.All() {
		switch before := old.App(a.ID); {
		case before == nil:
			p.Affected = append(p.Affected, a.ID)
			p.Steps = append(p.Steps, rollout.Step{{Kind: rollout.Scale, App: a.ID}})
		case before != a:
			p.Affected = append(p.Affected, a.ID)
			p.Steps = append(p.Steps, rollout.Step{{Kind: rollout.Restart, App: a.ID}})
		}
	}
	for a := range old.All() {
		if root.App(a.ID) == nil {
			p.Affected = append(p.Affected, a.ID)
			p.Steps = append(p.Steps, rollout.Step{{Kind: rollout.Stop, App: a.ID}})
		}
	}
	return p
}

// publish tells the board of an app that has all its instances, or waits for them.
func (s *stage) publish(id app.Path, a *app.App, deployment string) {
	if a == nil {
		s.board.PublishApp(state.PublishApp{ID: id})
		return
	}
	v := &state.AppView{App: a, Versions: []*app.App{a}}
	if before := s.board.App(id); before != nil {
		v.Versions = append(before.Versions[:len(before.Versions):len(before.Versions)], a)
	}
	if s.held {
		v.Deployments = []string{deployment}
		v.Queue = &state.Queue{
			App: a, Count: a.Instances, Since: start, Until: start.Add(90 * time.Second), Processed: 3, Unused: 3,
			Declined: map[string]int{wire.InsufficientCpus: 2, wire.UnfulfilledRole: 1},
		}
	} else {
		for n := range a.Instances {
			v.Instances = append(v.Instances, instance(a, n))
		}
		v.Counts.Running = a.Instances
	}
	s.board.PublishApp(state.PublishApp{ID: id, View: v})
}

func instance(a *app.App, n int) *state.Instance {
	id := fmt.Sprintf("%s.0000-%d", a.ID.Flat(), n)
	return &state.Instance{
		ID: id, Task: id, App: a.ID, Version: a.Version, State: mesos.TaskState_TASK_RUNNING,
		Staged: start, Started: start.Add(time.Second),
		Place: state.Place{
			Agent: "S1", Host: match.Host{Hostname: fmt.Sprintf("host%d", n)}, Role: "*", Ports: []int{31000 + n},
			Addresses: []state.Address{{IP: "10.0.0.1", Protocol: mesos.NetworkInfo_IPv4}},
		},
	}
}

func (s *stage) cancel(in state.Cancel) state.Answer {
	for _, d := range s.running {
		if d.ID != in.Deployment {
			continue
		}
		s.version++
		s.running = nil
		if in.Force {
			s.board.PublishDeployments(state.PublishDeployments{})
			return state.Answer{Version: s.version}
		}
		back := *d.Plan.Original
		back.Version = s.version
		return s.deploy(s.board.Root(), &back, false, true)
	}
	return state.Answer{Err: &state.NotFoundError{Kind: "deployment", Name: in.Deployment}}
}

func (s *stage) steer(id string, paused bool) state.Answer {
	for n, d := range s.running {
		if d.ID == id {
			changed := *d
			changed.Paused = paused
			s.running[n] = &changed
			s.board.PublishDeployments(state.PublishDeployments{Deployments: append([]*state.DeploymentView{}, s.running...)})
			return state.Answer{}
		}
	}
	return state.Answer{Err: &state.NotFoundError{Kind: "deployment", Name: id}}
}

func (s *stage) killTasks(in state.KillTasks) state.Answer {
	a := state.Answer{Version: s.version}
	for _, v := range s.board.Apps() {
		for _, i := range v.Instances {
			for _, id := range in.Tasks {
				if i.Task == id {
					a.Instances = append(a.Instances, i)
				}
			}
		}
	}
	if in.Scale {
		a.Deployment = "scaled"
	}
	return a
}

// with sets what the next requests meet.
func (s *stage) with(change func(*stage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// inputs are what the core was asked to do.
func (s *stage) inputs() []state.Input {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]state.Input{}, s.seen...)
}

// reply is an answer, read.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// ask sends a request; headers are pairs of name and value. A body that is not ""
// is JSON.
func (s *stage) ask(method, path, body string, headers ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.srv.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		s.t.Fatal(err)
	}
	return reply{s.t, res.StatusCode, res.Header, data}
}

// is checks the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// json is the body.
func (r reply) json() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

// says checks that the body has a text.
func (r reply) says(text string) reply {
	r.t.Helper()
	if !bytes.Contains(r.body, []byte(text)) {
		r.t.Errorf("%q is not in %s", text, r.body)
	}
	return r
}

// keys are those of an object.
func keys(v any) []string {
	object, _ := v.(map[string]any)
	list := make([]string, 0, len(object))
	for k := range object {
		list = append(list, k)
	}
	return list
}

// create makes an app with a command.
func (s *stage) create(id, more string) {
	s.t.Helper()
	s.ask("POST", "/v2/apps", fmt.Sprintf(`{"id":%q,"cmd":"sleep 1"%s}`, id, more)).is(http.StatusCreated)
}
