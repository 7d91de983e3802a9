package steady

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// Evidence is what is known of tasks from elsewhere than the framework.
type Evidence struct {
	// Marks are the lines of each task's own file.
	Marks map[string][]string
	// Running counts the processes of each task.
	Running map[string]int
	// Deaths are those of executor hosts.
	Deaths []Death
	// Drained: the framework has ended and no task may run.
	Drained bool
}

// Death is the end of an executor host, which takes tasks with it.
type Death struct {
	At time.Time
	// Host is its id, which the end of its tasks may name.
	Host string
	// Tasks are those whose processes were seen to die with it. Others, which
	// had just started, had not yet or had just ended, may have been on it as
	// well.
	Tasks []string
}

// Audit compares what a framework was told with what happened, and returns
// what cannot be: tasks that were lost or ran twice, updates that are missing,
// doubled, out of order or false.
func Audit(records []Record, e Evidence) []string {
	a := audit{evidence: e, accounts: map[string]*account{}}
	for _, r := range records {
		a.take(r)
	}
	for task := range e.Marks {
		a.known(task)
	}
	for task := range e.Running {
		a.known(task)
	}
	for _, id := range slices.Sorted(maps.Keys(a.accounts)) {
		a.judge(id, a.accounts[id])
	}
	return a.findings
}

// ReadMarks reads the files of the tasks of a framework's folder; one that has
// not begun has none.
func ReadMarks(dir string) (map[string][]string, error) {
	marks := map[string][]string{}
	entries, err := os.ReadDir(TaskPath(dir, ""))
	if errors.Is(err, fs.ErrNotExist) {
		return marks, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := os.ReadFile(TaskPath(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			marks[e.Name()] = append(marks[e.Name()], strings.TrimSpace(string(line)))
		}
	}
	return marks, nil
}

// account is what the framework knows of one task.
type account struct {
	launched time.Time
	killed   bool
	updates  []Update
	seen     map[string]string // state by uuid
	rank     int
	// end is the terminal state; ended is when it was heard of.
	end   Update
	ended time.Time
}

type audit struct {
	evidence Evidence
	accounts map[string]*account
	findings []string
}

func (a *audit) find(task, format string, args ...any) {
	text := task + ": " + fmt.Sprintf(format, args...)
	if acc := a.accounts[task]; acc != nil {
		text += fmt.Sprintf("\n\ttold: %s\n\tits file: %q, processes: %d", acc.history(), a.evidence.Marks[task], a.evidence.Running[task])
	}
	a.findings = append(a.findings, text)
}

func (acc *account) history() string {
	told := make([]string, len(acc.updates))
	for i, u := range acc.updates {
		told[i] = fmt.Sprintf("%s %x %s %q", u.State, u.UUID, u.Reason, u.Message)
	}
	return strings.Join(told, ", ")
}

// known finds tasks that nobody launched.
func (a *audit) known(task string) {
	if a.accounts[task] == nil {
		a.find(task, "it ran, but was never launched")
	}
}

func (a *audit) take(r Record) {
	switch {
	case r.Launch != nil && a.accounts[r.Launch.Task] != nil:
		a.find(r.Launch.Task, "launched twice")
	case r.Launch != nil:
		a.accounts[r.Launch.Task] = &account{launched: r.At, seen: map[string]string{}}
	case r.Kill != nil && a.accounts[r.Kill.Task] != nil:
		a.accounts[r.Kill.Task].killed = true
	case r.Update != nil && a.accounts[r.Update.Task] == nil:
		a.find(r.Update.Task, "%s of a task that was never launched", r.Update.State)
	case r.Update != nil:
		a.update(r, a.accounts[r.Update.Task])
	}
}

// ranks orders the states that an agent tells.
var ranks = map[string]int{"TASK_STAGING": 1, "TASK_STARTING": 2, "TASK_RUNNING": 3, "TASK_KILLING": 4}

// lost are the states of tasks that were not found.
var lost = map[string]bool{"TASK_DROPPED": true, "TASK_GONE": true, "TASK_LOST": true}

func (a *audit) update(r Record, acc *account) {
	u := *r.Update
	acc.updates = append(acc.updates, u)
	terminal := tasks.Terminal(mesos.TaskState(mesos.TaskState_value[u.State]))
	if u.Hearsay {
		if acc.end.State != "" && acc.end.State != u.State {
			a.find(u.Task, "the master says %s of a task that ended with %s", u.State, acc.end.State)
		}
		return
	}
	if len(u.UUID) > 0 {
		if was, again := acc.seen[string(u.UUID)]; again {
			if was != u.State {
				a.find(u.Task, "one update is %s, then %s", was, u.State)
			}
			return
		}
		acc.seen[string(u.UUID)] = u.State
		if rank := ranks[u.State]; !terminal && rank <= acc.rank {
			a.find(u.Task, "%s is out of order", u.State)
		} else {
			acc.rank = rank
		}
	}
	switch {
	case acc.end.State == "" && terminal:
		acc.end, acc.ended = u, r.At
	case terminal && lost[u.State] && lost[acc.end.State] && len(acc.end.UUID) == 0:
		acc.end = u // a master did not know the task; its agent says the same in other words
	case acc.end.State != "" && acc.end.State != u.State:
		a.find(u.Task, "%s after it had ended", u.State)
	}
}

// judge compares an account with what happened.
func (a *audit) judge(id string, acc *account) {
	starts, ends := 0, []string{}
	for _, m := range a.evidence.Marks[id] {
		what, value, _ := strings.Cut(m, " ")
		if what == "start" {
			starts++
		} else {
			ends = append(ends, value)
		}
	}
	running := a.evidence.Running[id]
	switch {
	case starts > 1 || len(ends) > 1:
		a.find(id, "it ran %d times", max(starts, len(ends)))
	case running > 1:
		a.find(id, "%d processes", running)
	case acc.end.State == "":
		a.judgeLiving(id, acc, running)
	case running > 0:
		a.find(id, "it has ended, but runs")
	case !a.explains(id, acc, starts > 0, strings.Join(ends, "")):
		a.find(id, "it should not have ended so")
	}
}

// judgeLiving judges a task of which no end is known.
func (a *audit) judgeLiving(id string, acc *account, running int) {
	n := len(acc.updates)
	switch {
	case n > 0 && acc.updates[n-1].State == "TASK_UNKNOWN" && running == 0:
		// Its launch never reached the master.
		if len(a.evidence.Marks[id]) > 0 {
			a.find(id, "nobody knows it, but it ran")
		}
	case a.evidence.Drained:
		a.find(id, "its end was never told")
	case running == 0:
		a.find(id, "no process, and no end")
	}
}

// explains tells whether the end of a task is what happened to it. ended is
// the status with which it says that it exited; "" is none.
func (a *audit) explains(id string, acc *account, started bool, ended string) bool {
	host, died := a.hostDied(id, acc)
	switch acc.end.State {
	case "TASK_FINISHED":
		return ended == "0"
	case "TASK_KILLED":
		return acc.killed
	case "TASK_FAILED":
		if died || ended != "" && ended != "0" && strings.Contains(acc.end.Message, "exited with status "+ended) {
			return true
		}
		// What was about to start, or had just ended, went with a host unseen.
		return host && (!started || ended != "" || acc.killed)
	}
	// What had just ended may have been on a host that died unseen.
	return lost[acc.end.State] && (!started || died || host && ended != "")
}

// hostDied tells whether a host died while a task had its account, and whether
// the task's process died with one.
func (a *audit) hostDied(id string, acc *account) (host, with bool) {
	for _, d := range a.evidence.Deaths {
		if d.At.After(acc.launched) && d.At.Before(acc.ended) {
			host = true
			with = with || slices.Contains(d.Tasks, id) || d.Host != "" && strings.Contains(acc.end.Message, "host "+d.Host+" ")
		}
	}
	return host, with
}
