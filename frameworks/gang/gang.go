package gang

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/work"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Defaults of what a Gang leaves open.
const (
	DefaultHold    = 30 * time.Second
	DefaultWait    = 2 * time.Second
	DefaultWaitMax = 2 * time.Minute
	DefaultStart   = 5 * time.Minute
)

// MaxMembers bounds a gang; every member gets the names of all in its
// environment.
const MaxMembers = 1024

// Gang says which tasks run together, or not at all. It must not be changed
// once it is added.
type Gang struct {
	// ID names the gang, among all of its framework's.
	ID string
	// Members are its tasks, those that are hardest to place best first. Their
	// ids must differ from those of all other tasks. Their Constraints count the
	// members of this gang alone; Retries, Again, Backoff, Group and Executor must be
	// left alone. Attempt n of the gang has members ID.n.
	//
	// Beside what its task says, a member finds in its environment how many
	// members there are (GANG_SIZE), which of them it is, from 0 (GANG_RANK),
	// their hosts in that order with commas between (GANG_HOSTS) and, if all have
	// ports, the first of each (GANG_PORTS).
	Members []*work.Task
	// Hold is how long offers are held for the gang at most; then all are given
	// back.
	Hold time.Duration
	// Wait bounds the first random wait after that; the bound doubles each time,
	// up to WaitMax.
	Wait, WaitMax time.Duration
	// Start is how long an attempt may take until every member has run; then it
	// is taken back.
	Start time.Duration
	// Retries is how many failures are followed by another attempt; work.Forever
	// is no end. A failure is one of any member that ran, or might have.
	Retries int
}

// Check fills in defaults and says what is wrong, naming the field.
func (g *Gang) Check() error {
	_, err := g.check()
	return err
}

func (g *Gang) check() ([]*member, error) {
	if err := names.CheckID("id", g.ID); err != nil {
		return nil, err
	}
	if n := len(g.Members); n == 0 || n > MaxMembers {
		return nil, field.Invalid("members", n, "must be from 1 to %d", MaxMembers)
	}
	fill := func(d *time.Duration, standard time.Duration) {
		if *d <= 0 {
			*d = standard
		}
	}
	fill(&g.Hold, DefaultHold)
	fill(&g.Wait, DefaultWait)
	fill(&g.WaitMax, max(DefaultWaitMax, g.Wait))
	fill(&g.Start, DefaultStart)
	seen := map[string]bool{}
	var all []*member
	for i, t := range g.Members {
		needs, rules, err := t.Check()
		switch {
		case err != nil:
		case seen[t.ID]:
			err = field.Invalid("id", t.ID, "is the id of another member")
		case t.Executor != nil:
			err = field.Invalid("executor", nil, "is not for members of a gang")
		case t.Retries != 0 || t.Again != nil || t.Group != "":
			err = errors.New("retries, again and group are the gang's")
		}
		if err != nil {
			return nil, field.At("members", i, err)
		}
		seen[t.ID] = true
		all = append(all, &member{task: t, needs: needs, rules: rules, rank: i})
	}
	return all, nil
}

// member is a task with what its gang's attempt has made of it.
type member struct {
	task  *work.Task
	rank  int
	needs resources.Resources
	rules match.Constraints
	place place
	// id is that of the attempt, once launched.
	id string
	// at is where the attempt was launched.
	at work.Place
	// ran: it was seen running, or has finished. over: the attempt has ended.
	ran, over bool
	last      *mesos.TaskStatus
}

// place is where a member runs, or shall run.
type place struct {
	// held is the offer; nil as long as there is no place.
	held    *held
	taken   resources.Resources
	numbers []uint64
}

// phase is how far a gang is.
type phase int

const (
	// queued: it needs offers, and may hold some.
	queued phase = iota
	// waiting: it needs no offers until a timer fires.
	waiting
	// started: its members are launched, and not all have run.
	started
	// together: all have.
	together
	// ending: one is lost, the others are being killed.
	ending
)

// band is a gang from Add to its end.
type band struct {
	gang    *Gang
	members []*member
	phase   phase
	// attempt counts launches, failures those that count.
	attempt, failures int
	// vain counts what came to nothing in a row, and makes waits longer.
	vain int
	// epoch tells the timers of different phases apart.
	epoch  int
	killed bool
	// fatal: no attempt can do better.
	fatal bool
}

func (b *band) report(m *member, final bool) Report {
	p := work.Progress{Task: m.task, Attempt: b.attempt, TaskID: cmp.Or(m.id, m.task.ID), Place: m.at, Status: m.last, Final: final}
	if p.State = m.last.GetState(); m.last == nil {
		p.State = mesos.TaskState_TASK_KILLED
	}
	return Report{p}
}

// refused are the reports of a gang that cannot be.
func refused(g *Gang, err error) []Report {
	var all []Report
	for _, t := range g.Members {
		all = append(all, Report{work.Progress{
			Task: t, State: mesos.TaskState_TASK_ERROR, Final: true, Err: fmt.Errorf("gang %q: %w", g.ID, err),
		}})
	}
	return all
}
