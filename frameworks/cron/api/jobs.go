package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/schedule"
	"troupe/frameworks/cron/wire"
	"troupe/messages/carrier"
)

func (s *Server) putScheduled(w http.ResponseWriter, r *http.Request) error {
	return s.putJob(w, r, wire.Scheduled)
}

func (s *Server) putDependent(w http.ResponseWriter, r *http.Request) error {
	return s.putJob(w, r, wire.Dependent)
}

func (s *Server) putJob(w http.ResponseWriter, r *http.Request, form wire.Form) error {
	var job plan.Job
	if err := s.intake.ReadText(w, r, func(body []byte) (err error) {
		if job, err = wire.Read(body, form, s.o.Now()); err != nil {
			return s.withParents(job, err)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := s.do(r, func(n uint64) plan.Input { return plan.Put{Request: n, Job: job} }); err != nil {
		return err
	}
	if note := s.noteOf(job.Name); note != "" {
		w.Header().Set(NoteHeader, note)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// NoteHeader tells who has put a job what to know of its next due time: that clocks
// skip the time on the wall, or show it twice. There is no body that could.
const NoteHeader = "Troupe-Note"

func (s *Server) noteOf(name string) string {
	v := s.o.Board.Job(name)
	if v == nil || v.State.Due.IsZero() || v.Job.Trigger.Zone == "" {
		return ""
	}
	zone, err := schedule.Zone(v.Job.Trigger.Zone)
	if err != nil {
		return ""
	}
	next, err := standing(v, zone, s.o.Now())
	if err != nil {
		return ""
	}
	return schedule.Note(next, zone, v.State.Due)
}

// withParents adds what the board knows to be wrong with the parents of a job that
// the plan will not see, so that all problems are told at once.
func (s *Server) withParents(job plan.Job, err error) error {
	refused, ok := err.(*plan.Error)
	if !ok {
		return err
	}
	for _, p := range job.Trigger.Parents {
		if p != "" && p != job.Name && s.o.Board.Job(p) == nil {
			refused.Problems = append(refused.Problems, plan.Problem{Path: "parents", Text: "no job is called " + clip(p)})
		}
	}
	return refused
}

func (s *Server) oneJob(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, wire.NewJob(v))
	return nil
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) error {
	keep, err := tagged(r)
	if err != nil {
		return err
	}
	return writeList(w, r, "[", filter(s.o.Board.Jobs(), keep), func(v *plan.View) any { return wire.NewJob(v) }, "]")
}

func (s *Server) summary(w http.ResponseWriter, r *http.Request) error {
	keep, err := tagged(r)
	if err != nil {
		return err
	}
	return writeList(w, r, `{"jobs":[`, filter(s.o.Board.Jobs(), keep), func(v *plan.View) any { return newSummary(v) }, "]}")
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	keep, err := tagged(r)
	if err != nil {
		return err
	}
	limit, err := natural(q.Get("limit"), "limit", 10)
	if err != nil {
		return err
	}
	offset, err := natural(q.Get("offset"), "offset", 0)
	if err != nil {
		return err
	}
	name, command, whole := strings.ToLower(q.Get("name")), strings.ToLower(q.Get("command")), strings.ToLower(q.Get("any"))
	found := filter(s.o.Board.Jobs(), func(v *plan.View) bool {
		j := v.Job
		has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), part) }
		return keep(v) && has(j.Name, name) && has(j.Command.Text, command) &&
			(whole == "" || has(j.Name, whole) || has(j.Command.Text, whole) || has(j.About.Owner, whole) || has(j.About.Description, whole))
	})
	found = found[min(offset, len(found)):]
	found = found[:min(limit, len(found))]
	return writeList(w, r, "[", found, func(v *plan.View) any { return wire.NewJob(v) }, "]")
}

// natural reads a number that is not below 0.
func natural(text, path string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, invalid(path, clip(strconv.Quote(text))+" is not a number from 0 on")
	}
	return n, nil
}

// tagged is the filter of ?tag=KEY and ?tag=KEY=VALUE, which must all hold.
func tagged(r *http.Request) (func(*plan.View) bool, error) {
	tags := r.URL.Query()["tag"]
	if slices.Contains(tags, "") {
		return nil, invalid("tag", "KEY or KEY=VALUE is expected")
	}
	return func(v *plan.View) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool {
			key, value, both := strings.Cut(tag, "=")
			got, has := v.Job.About.Tags[key]
			return !has || both && got != value
		})
	}, nil
}

func filter(all []*plan.View, keep func(*plan.View) bool) []*plan.View {
	var kept []*plan.View
	for _, v := range all {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// writeList answers with a list in one line, encoded while it is sent.
func writeList(w http.ResponseWriter, r *http.Request, open string, all []*plan.View, of func(*plan.View) any, end string) error {
	w.Header().Set("Content-Type", "application/json")
	body := carrier.NewBody(w, r)
	_, err := body.Write([]byte(open))
	for i, v := range all {
		if err != nil {
			break
		}
		line, encoding := wire.Line(of(v))
		if encoding != nil {
			err = encoding
			break
		}
		if i > 0 {
			line = append([]byte(","), line...)
		}
		_, err = body.Write(line)
	}
	if err == nil {
		_, err = body.Write([]byte(end))
	}
	if err == nil {
		err = body.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // so that the client sees that it lacks the end
	}
	return nil
}

func (s *Server) runNow(w http.ResponseWriter, r *http.Request) error {
	arguments := r.URL.Query().Get("arguments")
	if strings.ContainsRune(arguments, 0) {
		return invalid("arguments", "a NUL is in it")
	}
	return s.act(w, r, func(n uint64, name string) plan.Input {
		return plan.RunNow{Request: n, Name: name, Arguments: arguments}
	})
}

func (s *Server) deleteJob(w http.ResponseWriter, r *http.Request) error {
	cascade, err := flag(r, "cascade")
	if err != nil {
		return err
	}
	return s.act(w, r, func(n uint64, name string) plan.Input {
		return plan.Delete{Request: n, Name: name, Cascade: cascade}
	})
}

// flag reads ?key, ?key=true and ?key=false.
func flag(r *http.Request, key string) (bool, error) {
	q := r.URL.Query()
	if !q.Has(key) || q.Get(key) == "" {
		return q.Has(key), nil
	}
	on, err := strconv.ParseBool(q.Get(key))
	if err != nil {
		return false, invalid(key, clip(strconv.Quote(q.Get(key)))+" is not true or false")
	}
	return on, nil
}

func (s *Server) killRuns(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, func(n uint64, name string) plan.Input { return plan.KillRuns{Request: n, Name: name} })
}

// act has the plan do something to the job that the path names.
func (s *Server) act(w http.ResponseWriter, r *http.Request, request func(number uint64, name string) plan.Input) error {
	name := r.PathValue("name")
	if err := s.do(r, func(n uint64) plan.Input { return request(n, name) }); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) markSuccess(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := s.do(r, func(n uint64) plan.Input { return plan.MarkSuccess{Request: n, Name: name} }); err != nil {
		return err
	}
	writeText(w, "marked job "+name+" as successful: true")
	return nil
}
