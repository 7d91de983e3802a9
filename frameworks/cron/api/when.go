package api

import (
	"net/http"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/schedule"
)

// Next is when a job is due, supposing that each run ends before the next.
type Next struct {
	Name     string   `json:"name,omitempty"`
	Schedule string   `json:"schedule"`
	Zone     string   `json:"scheduleTimeZone"`
	Disabled bool     `json:"disabled"` // nothing of it is due until the job is enabled
	Parents  []string `json:"parents,omitempty"`
	Next     []Due    `json:"next"`
}

// Due is one due time.
type Due struct {
	Time  string `json:"time"`  // in UTC
	Local string `json:"local"` // on the wall of the job's zone
	// Note is of times on the wall that do not exist that day, or exist twice.
	Note string `json:"note,omitempty"`
}

const maxNext = 1000

func number(r *http.Request) (int, error) {
	n, err := natural(r.URL.Query().Get("n"), "n", 10)
	if err == nil && n > maxNext {
		return 0, invalid("n", "more than 1000")
	}
	return n, err
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	n, err := number(r)
	if err != nil {
		return err
	}
	t := v.Job.Trigger
	answer := Next{Name: v.Job.Name, Schedule: v.Schedule, Zone: t.Zone, Disabled: v.Job.Policy.Disabled, Parents: t.Parents, Next: []Due{}}
	if t.Schedule != "" {
		zone, err := schedule.Zone(t.Zone)
		if err != nil {
			return err
		}
		next, err := standing(v, zone, s.o.Now())
		if err != nil {
			return err
		}
		after := s.o.Now()
		if !v.State.Due.IsZero() {
			after = v.State.Due.Add(-1)
		}
		answer.Next = upcoming(next, zone, after, n)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// standing is a job's schedule as the plan has it: an interval counts from where
// it began, which is not what is shown.
func standing(v *plan.View, zone *time.Location, now time.Time) (schedule.Schedule, error) {
	next, err := schedule.Parse(v.State.Schedule, zone, now)
	if _, ok := next.(schedule.Interval); ok && err == nil {
		return schedule.Restore(v.State.Schedule, zone, v.State.Passed)
	}
	return next, err
}

func upcoming(next schedule.Schedule, zone *time.Location, after time.Time, n int) []Due {
	in := zone
	if in == nil {
		in = time.UTC
	}
	all := []Due{}
	for _, t := range schedule.Upcoming(next, after, n) {
		all = append(all, Due{timeText(t), t.In(in).Format("2006-01-02T15:04:05-07:00"), schedule.Note(next, zone, t)})
	}
	return all
}

// preview is when a schedule would be due that no job has yet.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	n, err := number(r)
	if err != nil {
		return err
	}
	text, name, now := q.Get("schedule"), q.Get("scheduleTimeZone"), s.o.Now()
	// Whatever would be wrong with a job that has it is wrong here.
	job := plan.Job{Name: "preview", Trigger: plan.Trigger{Schedule: text, Zone: name}}
	if problems := plan.Check(&job, now); text == "" {
		return invalid("schedule", "is missing")
	} else if len(problems) > 0 {
		return &plan.Error{Kind: plan.BadInput, Problems: problems}
	}
	zone, err := schedule.Zone(name)
	if err != nil {
		return err
	}
	next, err := schedule.Parse(text, zone, now)
	if err != nil {
		return err
	}
	after := now
	if i, ok := next.(schedule.Interval); ok {
		// What began before now is made up for by one run, at once.
		after = i.Start().Add(-1)
		if late, ok := next.Previous(now.Add(1)); ok && i.Left() != 0 {
			after = late.Add(-1)
		}
	}
	writeJSON(w, http.StatusOK, Next{Schedule: text, Zone: name, Next: upcoming(next, zone, after, n)})
	return nil
}
