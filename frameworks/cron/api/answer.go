package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/wire"
	"troupe/messages/carrier"
)

// Refusal is the body of every answer with a status of 400 or more.
type Refusal struct {
	Status  string   `json:"status"` // in words, as in "Bad Request"
	Message string   `json:"message"`
	Details []Detail `json:"details,omitempty"` // of 404, 409 and 422
}

// Detail is all that is wrong with one field.
type Detail struct {
	Path   string   `json:"path"` // as in container.volumes[0].mode
	Errors []string `json:"errors"`
}

// failure is an answer that is no success, and names no field.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

func unknown(path, text string) error {
	return &plan.Error{Kind: plan.Unknown, Problems: []plan.Problem{{Path: path, Text: text}}}
}

func invalid(path, text string) error {
	return &plan.Error{Kind: plan.BadInput, Problems: []plan.Problem{{Path: path, Text: text}}}
}

// refuse answers a request that is not served.
func refuse(w http.ResponseWriter, err error) {
	status, body := refusal(err)
	body.Status = http.StatusText(status)
	writeJSON(w, status, body)
}

func refusal(err error) (int, Refusal) {
	var refused *plan.Error
	var unreadable *wire.UnreadableError
	var problem *carrier.Problem
	var failed *failure
	switch {
	case errors.As(err, &refused):
		status := map[plan.Kind]int{
			plan.BadInput: http.StatusUnprocessableEntity,
			plan.Unknown:  http.StatusNotFound,
			plan.Conflict: http.StatusConflict,
		}[refused.Kind]
		return status, Refusal{Message: refused.Error(), Details: details(refused.Problems)}
	case errors.As(err, &unreadable):
		return http.StatusBadRequest, Refusal{Message: unreadable.Error()}
	case errors.As(err, &problem):
		return problem.Status, Refusal{Message: problem.Reason}
	case errors.As(err, &failed):
		return failed.status, Refusal{Message: failed.text}
	}
	return http.StatusInternalServerError, Refusal{Message: err.Error()}
}

func details(problems []plan.Problem) []Detail {
	var all []Detail
	for _, p := range problems {
		i := slices.IndexFunc(all, func(d Detail) bool { return d.Path == p.Path })
		if i < 0 {
			i = len(all)
			all = append(all, Detail{Path: p.Path})
		}
		all[i].Errors = append(all[i].Errors, p.Text)
	}
	return all
}

// writeJSON answers with one line of JSON. That a client is gone is no concern of
// who answers it.
func writeJSON(w http.ResponseWriter, status int, v any) {
	line, err := wire.Line(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, status, "application/json", line)
}

func writeText(w http.ResponseWriter, text string) {
	write(w, http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}

func write(w http.ResponseWriter, status int, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
