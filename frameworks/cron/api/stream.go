package api

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"troupe/frameworks/cron/plan"
)

const (
	keptEvents = 4096 // for those who read slowly, or come back
	maxStreams = 1000
)

// Event is what happens to a job or one of its runs.
type Event struct {
	Kind string `json:"event"`
	Job  string `json:"job"`
	Time string `json:"time"`
	// Run is of events whose kind begins with "run-", unless the run has ended.
	Run *Active `json:"run,omitempty"`
	// Attempt is of run-ended: every line of the history is one.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Summary is the job as it now is; none when it is removed.
	Summary *Summary `json:"summary,omitempty"`
}

// Kinds of events. The last is of no job: some were missed, since they are kept for
// a while only, or another process leads; what was read before should be read again.
const (
	JobAdded   = "job-added"
	JobChanged = "job-changed"
	JobRemoved = "job-removed"
	RunBegun   = "run-begun"
	RunChanged = "run-changed"
	RunEnded   = "run-ended" // an attempt, or a due time that was left out
	Gap        = "gap"
)

// stream keeps the last events; subscribers are places in it.
type stream struct {
	mark string // of this process: numbers of another mean nothing here
	stop func()

	mu      sync.Mutex
	kept    []entry
	last    uint64 // number of the newest; 0 before the first
	changed chan struct{}
	open    int
	closed  bool
}

type entry struct {
	at          time.Time
	kind        string
	before, now *plan.View // now is nil in job-removed
	run         plan.Run
	attempt     plan.Attempt
}

func newStream(now time.Time) *stream {
	return &stream{mark: strconv.FormatInt(now.UnixNano(), 36), kept: make([]entry, keptEvents), changed: make(chan struct{})}
}

func (s *stream) close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.changed)
	}
}

// changesOf are what tells one view of a job from the one before.
func changesOf(before, now *plan.View) []entry {
	switch {
	case now == nil && before == nil:
		return nil
	case now == nil:
		return []entry{{kind: JobRemoved, before: before}}
	case before == nil:
		return []entry{{kind: JobAdded, now: now}}
	}
	var all []entry
	if before.Job != now.Job {
		all = append(all, entry{kind: JobChanged, now: now})
	}
	for _, a := range addedTo(before.State.History, now.State.History) {
		all = append(all, entry{kind: RunEnded, now: now, attempt: a})
	}
	known := map[uint64]plan.Run{}
	for _, r := range before.Runs {
		known[r.Number] = r
	}
	for _, r := range now.Runs {
		if old, was := known[r.Number]; !was {
			all = append(all, entry{kind: RunBegun, now: now, run: r})
		} else if old != r {
			all = append(all, entry{kind: RunChanged, now: now, run: r})
		}
	}
	if len(all) == 0 {
		all = append(all, entry{kind: JobChanged, now: now}) // a join counts, say
	}
	return all
}

// addedTo are what a history has that it had not before: it grows at its end, and
// is bounded.
func addedTo(before, now []plan.Attempt) []plan.Attempt {
	if len(before) == 0 {
		return now
	}
	newest := before[len(before)-1]
	for i := len(now) - 1; i >= 0; i-- {
		if now[i] == newest {
			return now[i+1:]
		}
	}
	return now
}

// note adds what has changed; it is what the board is watched by.
func (s *stream) note(at time.Time, before, now *plan.View) {
	added := changesOf(before, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(added) == 0 || s.closed {
		return
	}
	for _, e := range added {
		e.at = at
		s.last++
		s.kept[s.last%keptEvents] = e
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// since are the events after a number, the last of which has the number last;
// whether some before them are lost; and what is closed when there are more, nil
// when the stream has ended.
func (s *stream) since(number uint64) (all []entry, last uint64, lost bool, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, s.last, false, nil
	}
	if s.last > keptEvents && number < s.last-keptEvents {
		number, lost = s.last-keptEvents, true
	}
	for n := number + 1; n <= s.last; n++ {
		all = append(all, s.kept[n%keptEvents])
	}
	return all, s.last, lost, s.changed
}

// enter takes a place behind the event that a client had last, which is the newest
// for one that names none.
func (s *stream) enter(id string) (number uint64, gap bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.open >= maxStreams {
		return 0, false, &failure{503, fmt.Sprintf("%d streams are open, or the framework is ending", s.open)}
	}
	s.open++
	if id == "" {
		return s.last, false, nil
	}
	mark, text, _ := strings.Cut(id, "-")
	number, err = strconv.ParseUint(text, 10, 64)
	if err != nil || mark != s.mark || number > s.last {
		return s.last, true, nil
	}
	return number, false, nil
}

func (s *stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

func (e entry) event() Event {
	shown := Event{Kind: e.kind, Time: timeText(e.at)}
	v := e.now
	if v == nil {
		v = e.before
	} else {
		summary := newSummary(v)
		shown.Summary = &summary
	}
	shown.Job = v.Job.Name
	switch e.kind {
	case RunBegun, RunChanged:
		run := newActive(e.run)
		shown.Run = &run
	case RunEnded:
		attempt := newAttempt(e.attempt)
		shown.Attempt = &attempt
	}
	return shown
}
