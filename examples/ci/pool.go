package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"troupe/frameworks"
	"troupe/messages/mesos"
)

// command is what a worker does: it fetches what is to be built, and builds it.
const command = `exec 2>&1
if [ "$REPO" ]; then git clone -q "$REPO" work && cd work && git checkout -q "$REV" || exit; fi
exec sh -e -c "$SCRIPT"`

const (
	kept    = 1000     // how many builds are remembered, and may wait
	longest = 64 << 10 // how long a request may be
)

// build is one that was asked for.
type build struct {
	ID      string `json:"id"`
	Repo    string `json:"repo,omitempty"`
	Rev     string `json:"rev,omitempty"`
	State   string `json:"state"`
	Attempt int    `json:"attempt"`
	Worker  string `json:"worker,omitempty"`
	Why     string `json:"why,omitempty"`
	log     string
	over    bool
}

// pool knows the builds; where they run is the tasks' concern.
type pool struct {
	worker frameworks.Task
	tasks  *frameworks.Tasks

	mu     sync.Mutex
	last   int
	builds map[string]*build
}

func newPool(worker frameworks.Task) *pool {
	p := &pool{worker: worker, builds: map[string]*build{}}
	p.tasks = frameworks.NewTasks(p.report)
	return p
}

func (p *pool) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /builds", p.add)
	mux.HandleFunc("GET /builds/{id}", p.of(func(w http.ResponseWriter, _ *http.Request, b *build) {
		answer(w, http.StatusOK, b)
	}))
	mux.HandleFunc("DELETE /builds/{id}", p.of(func(w http.ResponseWriter, _ *http.Request, b *build) {
		p.tasks.Kill(b.ID)
		answer(w, http.StatusAccepted, b)
	}))
	mux.HandleFunc("GET /builds/{id}/log", p.of(func(w http.ResponseWriter, r *http.Request, b *build) {
		if b.log == "" {
			http.Error(w, "no worker has begun", http.StatusNotFound)
			return
		}
		http.Redirect(w, r, b.log, http.StatusFound)
	}))
	return mux
}

// of finds the build that a request is about.
func (p *pool) of(do func(http.ResponseWriter, *http.Request, *build)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if b := p.builds[r.PathValue("id")]; b != nil {
			do(w, r, b)
			return
		}
		http.NotFound(w, r)
	}
}

// add queues a build.
func (p *pool) add(w http.ResponseWriter, r *http.Request) {
	script, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil || len(script) == 0 {
		http.Error(w, fmt.Sprintf("the body must be a script, of %d bytes at most", longest), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := strconv.Itoa(p.last + 1 - kept)
	if b := p.builds[oldest]; b != nil && !b.over {
		http.Error(w, "too many builds wait", http.StatusServiceUnavailable)
		return
	}
	delete(p.builds, oldest)
	p.last++
	query := r.URL.Query()
	b := &build{ID: strconv.Itoa(p.last), Repo: query.Get("repo"), Rev: query.Get("rev"), State: "queued"}
	p.builds[b.ID] = b
	t := p.worker
	t.ID, t.Command = b.ID, command
	t.Env = map[string]string{"REPO": b.Repo, "REV": cmp.Or(b.Rev, "HEAD"), "SCRIPT": string(script)}
	p.tasks.Add(&t)
	w.Header().Set("Location", "/builds/"+b.ID)
	answer(w, http.StatusCreated, b)
}

// report follows a build.
func (p *pool) report(n frameworks.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.builds[n.Task.ID]
	b.State, b.Attempt, b.Worker, b.log, b.over = "running", n.Attempt, n.Place.Host, n.Place.File("stdout"), n.Final
	failure := n.Failure()
	switch {
	case n.State == mesos.TaskState_TASK_FINISHED:
		b.State = "success"
	case failure == nil:
	case !n.Final:
		b.State = "queued"
	case n.State == mesos.TaskState_TASK_KILLED:
		b.State = "aborted"
	default:
		b.State = "failure"
	}
	if failure != nil {
		b.Why = failure.Error()
	}
	fmt.Println("build", b.ID, b.State, b.Why)
}

func answer(w http.ResponseWriter, status int, b *build) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(b) // whoever asked may be gone
}
