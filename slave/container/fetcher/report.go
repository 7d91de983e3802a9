package fetcher

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// News is what a fetching process tells who started it, a line of JSON each. The
// last has Done or Error.
type News struct {
	// Doing says what takes its time, for people.
	Doing string `json:"doing,omitempty"`
	// Done: all is in the sandbox.
	Done bool `json:"done,omitempty"`
	// Error says why it is not.
	Error string `json:"error,omitempty"`
}

// tellEvery is the time between news of one and the same download.
const tellEvery = 2 * time.Second

// report tells of a fetch: the task's owner, in the sandbox's stderr, and the one who
// started this. That either cannot be written does not keep anything from being
// fetched: the disk may be full, and the other gone. Safe for concurrent use.
type report struct {
	now func() time.Time

	mu   sync.Mutex // so that lines are whole
	log  io.Writer
	news *json.Encoder
}

func newReport(log, news io.Writer) *report {
	return &report{log: log, news: json.NewEncoder(news), now: time.Now}
}

// sayf says what begins or has ended.
func (r *report) sayf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	r.write(line)
	r.tell(News{Doing: line})
}

func (r *report) write(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = fmt.Fprintln(r.log, line)
}

func (r *report) tell(n News) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.news.Encode(n)
}

// task is a download that is under way.
type task struct {
	report  *report
	what    string
	started time.Time
	told    time.Time
	total   int64 // -1 or 0: not known
}

// begin says that something begins.
func (r *report) begin(format string, args ...any) *task {
	what := fmt.Sprintf(format, args...)
	r.sayf("%s", what)
	now := r.now()
	return &task{report: r, what: what, started: now, told: now}
}

// silent is a task of which nothing is told.
func (r *report) silent() *task { return &task{} }

// progress says from time to time how far it is.
func (t *task) progress(n int64) {
	if t.report == nil {
		return
	}
	now := t.report.now()
	if now.Sub(t.told) < tellEvery {
		return
	}
	t.told = now
	of := size(n)
	if t.total > 0 {
		of += " of " + size(t.total)
	}
	t.report.tell(News{Doing: fmt.Sprintf("%s (%s)", t.what, of)})
}

// end says that it is done; format takes what it was.
func (t *task) end(format, what string, n int64) {
	t.report.sayf(format+" in %s (%s)", what, seconds(t.report.now().Sub(t.started)), size(n))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// size is n bytes, for people.
func size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	value, name := float64(n)/unit, "KB"
	for _, next := range []string{"MB", "GB", "TB"} {
		if value < unit {
			break
		}
		value, name = value/unit, next
	}
	return fmt.Sprintf("%.1f %s", value, name)
}
