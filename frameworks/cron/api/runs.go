package api

import (
	"net/http"
	"slices"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/wire"
)

func timeText(t time.Time) string { return wire.Time(t) }

// Runs are those of a job.
type Runs struct {
	Name    string    `json:"name"`
	Active  []Active  `json:"active"`  // oldest first
	History []Attempt `json:"history"` // newest first
}

// Active is a run that has not ended. Times are empty where there are none.
type Active struct {
	Task      string `json:"task"`
	Due       string `json:"due"`
	Phase     string `json:"phase"`   // waiting, launched, running, delayed or awaited
	Attempt   int    `json:"attempt"` // from 0
	Began     string `json:"began"`
	Wake      string `json:"wake"` // when a delayed run is tried again
	Manual    bool   `json:"manual"`
	Killing   bool   `json:"killing"`
	Arguments string `json:"arguments,omitempty"`
	Elements  int64  `json:"numElementsProcessed,omitempty"`
	// Waiting is why a launched run has no place yet.
	Waiting []string `json:"waiting,omitempty"`
	Logs    *Logs    `json:"logs,omitempty"`
}

// Attempt is a line of the history.
type Attempt struct {
	Task     string  `json:"task"` // empty where nothing was launched
	Due      string  `json:"due"`
	Began    string  `json:"began"`
	Ended    string  `json:"ended"`
	Duration float64 `json:"duration"` // milliseconds
	Outcome  string  `json:"outcome"`  // succeeded, failed, killed, dropped, missed or skipped
	Exit     int     `json:"exitCode"`
	Agent    string  `json:"agent"`
	Message  string  `json:"message"`
	Elements int64   `json:"numElementsProcessed,omitempty"`
	Logs     *Logs   `json:"logs,omitempty"`
}

// Logs are the URLs of what a task has written.
type Logs struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
}

func (s *Server) runs(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	all := Runs{Name: v.Job.Name, Active: []Active{}, History: []Attempt{}}
	for _, run := range v.Runs {
		a := newActive(run)
		a.Waiting, a.Logs = s.waiting(run), s.logs(a.Task, "")
		all.Active = append(all.Active, a)
	}
	for _, ended := range slices.Backward(v.State.History) {
		a := newAttempt(ended)
		a.Logs = s.logs(a.Task, a.Agent)
		all.History = append(all.History, a)
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

// waiting is what the cluster says of a run that waits for a place.
func (s *Server) waiting(run plan.Run) []string {
	if s.o.Cluster == nil || run.Phase != plan.Launched {
		return nil
	}
	return s.o.Cluster.Waiting(run.Task())
}

func (s *Server) logs(task, agent string) *Logs {
	if s.o.Cluster == nil || task == "" {
		return nil
	}
	l := Logs{s.o.Cluster.Log(task, agent, "stdout"), s.o.Cluster.Log(task, agent, "stderr")}
	if l == (Logs{}) {
		return nil
	}
	return &l
}

func newActive(run plan.Run) Active {
	return Active{
		Task: run.Task(), Due: timeText(run.Due), Phase: string(run.Phase), Attempt: run.Attempt, Began: timeText(run.Began),
		Wake: timeText(run.Wake), Manual: run.Manual, Killing: run.Killing, Arguments: run.Arguments, Elements: run.Elements,
	}
}

func newAttempt(a plan.Attempt) Attempt {
	return Attempt{
		Task: a.Task, Due: timeText(a.Due), Began: timeText(a.Began), Ended: timeText(a.Ended), Duration: milliseconds(lasted(a)),
		Outcome: string(a.Outcome), Exit: a.Exit, Agent: a.Agent, Message: a.Message, Elements: a.Elements,
	}
}

const (
	defaultTail = 16 << 10
	maxTail     = 1 << 20
)

// tail is the end of what a task has written.
func (s *Server) tail(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	task, stream := q.Get("task"), q.Get("stream")
	if stream == "" {
		stream = "stdout"
	}
	if stream != "stdout" && stream != "stderr" {
		return invalid("stream", clip(stream)+" is not stdout or stderr")
	}
	bytes, err := natural(q.Get("bytes"), "bytes", defaultTail)
	if err != nil {
		return err
	}
	agent, known := agentOf(v, task)
	switch {
	case !known:
		return unknown("task", "no run of "+v.Job.Name+" that is still known has the task "+clip(task))
	case s.o.Cluster == nil:
		return &failure{http.StatusNotFound, "logs are not to be had here"}
	}
	text, err := s.o.Cluster.Tail(r.Context(), task, agent, stream, int64(min(bytes, maxTail)))
	if err != nil {
		return &failure{http.StatusBadGateway, "the log of " + clip(task) + ": " + err.Error()}
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	write(w, http.StatusOK, "text/plain; charset=utf-8", text)
	return nil
}

// agentOf is where a task of a job is or was.
func agentOf(v *plan.View, task string) (agent string, known bool) {
	if task == "" {
		return "", false
	}
	for _, run := range v.Runs {
		if run.Task() == task {
			return "", true
		}
	}
	for _, a := range v.State.History {
		if a.Task == task {
			return a.Agent, true
		}
	}
	return "", false
}
