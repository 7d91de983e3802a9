package api

import (
	"net/http"
	"slices"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/wire"
)

// finish ends a run of an async job.
func (s *Server) finish(w http.ResponseWriter, r *http.Request) error {
	exit, err := s.readNumber(w, r, "statusCode")
	if err != nil {
		return err
	}
	if exit != int64(int32(exit)) {
		return invalid("statusCode", "an exit code is expected")
	}
	if err := s.do(r, func(n uint64) plan.Input {
		return plan.Finish{Request: n, Task: r.PathValue("task"), Exit: int(exit)}
	}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// progress counts what a run has processed.
func (s *Server) progress(w http.ResponseWriter, r *http.Request) error {
	elements, err := s.readNumber(w, r, "numAdditionalElementsProcessed")
	if err != nil {
		return err
	}
	v, err := s.view(r)
	if err != nil {
		return err
	}
	task := r.PathValue("task")
	if !slices.ContainsFunc(v.Runs, func(run plan.Run) bool { return run.Task() == task }) {
		return unknown("task", "no run of "+v.Job.Name+" has the task "+clip(task))
	}
	if err := s.do(r, func(n uint64) plan.Input {
		return plan.Progress{Request: n, Task: task, Elements: elements}
	}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readNumber reads a body that has one field, which is a whole number.
func (s *Server) readNumber(w http.ResponseWriter, r *http.Request, field string) (n int64, err error) {
	err = s.intake.ReadText(w, r, func(body []byte) error {
		n, err = wire.ReadNumber(body, field)
		return err
	})
	return n, err
}
