package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"troupe/frameworks/loop"
	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// town is the API over the real core, and a cluster of three agents that grants
// whatever it is asked, at once.
type town struct {
	*Server
	base  string
	board *board.Board
	loop  *loop.Loop[state.Input, state.Effect, state.Answer]

	// Of the loop's goroutine alone.
	offers int
	quiet  bool

	mu    sync.Mutex
	asked map[string]map[int]bool // method and resource: the statuses
}

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{board: board.New(), asked: map[string]map[int]bool{}}
	rules := app.Rules{Role: "*"}
	machine := state.New(state.Options{Rules: rules, Salt: [16]byte{1, 2, 3}, ReviveEvery: time.Millisecond})
	w.loop = loop.New[state.Input, state.Effect, state.Answer](loop.Options[state.Input, state.Effect]{
		Step: machine.Step, Perform: w.perform, Store: store.NewMemory(),
	})
	bus := events.New(events.Options{})
	w.Server = New(Options{
		Core: w, Board: w.board, Events: bus, Apps: wire.Options{Rules: rules},
		Leadership: still{}, Info: func() wire.Info { return wire.Info{Name: "service", Version: "0", FrameworkID: "F"} },
	})
	w.loop.Put(state.Loaded{})
	w.loop.Put(state.Connected{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.loop.Run(ctx) }()
	srv := httptest.NewServer(http.HandlerFunc(w.watch))
	w.base = srv.URL
	t.Cleanup(func() {
		bus.Close()
		srv.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

// still is a leadership that does not move.
type still struct{}

// Leader implements Leadership.
func (still) Leader() string { return "here:8080" }

// Abdicate implements Leadership.
func (still) Abdicate() error { return nil }

// Do implements Core.
func (w *town) Do(ctx context.Context, input func(uint64) state.Input) (state.Answer, error) {
	return w.loop.Ask(ctx, input)
}

// watch serves, and notes what was asked for.
func (w *town) watch(rw http.ResponseWriter, r *http.Request) {
	to := parseRoute(r.URL.Path, w.existing()).to
	noted := &statusNoter{ResponseWriter: rw, status: http.StatusOK}
	w.ServeHTTP(noted, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprint(r.Method, " ", to)
	if w.asked[key] == nil {
		w.asked[key] = map[int]bool{}
	}
	w.asked[key][noted.status] = true
}

type statusNoter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (n *statusNoter) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (n *statusNoter) Unwrap() http.ResponseWriter { return n.ResponseWriter }

func (w *town) perform(e state.Effect) {
	switch e := e.(type) {
	case state.Persist:
		changes := make(map[string][]byte, len(e.Changes))
		for _, c := range e.Changes {
			changes[c.Key] = c.Value
		}
		w.loop.Persist(changes, func(err error) state.Input { return state.Persisted{Number: e.Number, Err: err} })
	case state.Answer:
		w.loop.Answer(e.Request, e)
	case state.SetTimer:
		w.loop.SetTimer(e.At, state.TimerFired{})
	case state.PublishRoot:
		w.board.PublishRoot(e)
	case state.PublishApp:
		w.board.PublishApp(e)
	case state.PublishDeployments:
		w.board.PublishDeployments(e)
	case state.Event:
		w.Publish(e)
	case state.Fail:
		w.loop.Fail(e.Err)
	default:
		w.call(e)
	}
}

// call is what the cluster does.
func (w *town) call(e state.Effect) {
	switch e := e.(type) {
	case state.Suppress:
		w.quiet = true
	case state.Revive:
		w.quiet = false
		for n := range 3 {
			w.offer(fmt.Sprintf("S%d", n))
		}
	case state.Accept:
		agent := e.Offer.GetAgentId().GetValue()
		for _, op := range e.Operations {
			for _, task := range op.GetLaunch().GetTaskInfos() {
				w.tell(task.GetTaskId().GetValue(), agent, mesos.TaskState_TASK_STAGING)
				w.tell(task.GetTaskId().GetValue(), agent, mesos.TaskState_TASK_RUNNING)
			}
		}
		w.offer(agent)
	case state.KillTask:
		w.tell(e.Task, e.Agent, mesos.TaskState_TASK_KILLED)
	}
}

func (w *town) offer(agent string) {
	if w.quiet {
		return
	}
	w.offers++
	id, host := fmt.Sprintf("O%d", w.offers), "host-"+agent
	w.loop.Put(state.Offers{Offers: []*mesos.Offer{{
		Id: &mesos.OfferID{Value: &id}, AgentId: &mesos.AgentID{Value: &agent}, Hostname: &host,
		FrameworkId: &mesos.FrameworkID{Value: new("F")},
		Resources:   resources.MustParse("cpus:100;mem:100000;disk:100000;ports:[31000-32000]").Proto(),
	}}})
}

func (w *town) tell(task, agent string, s mesos.TaskState) {
	w.loop.Put(state.Status{Status: &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: &task}, AgentId: &mesos.AgentID{Value: &agent}, State: s.Enum(), Uuid: []byte("1"),
	}})
}
