package launch

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"troupe/messages/mesos"
)

const (
	// fresh is for how long it is worth telling why a host did not do.
	fresh = 10 * time.Minute
	// mostReasons are told of one task.
	mostReasons = 10
	// mostHosts are remembered of one kind of tasks.
	mostHosts = 2000
)

// refusal is why a host did not do.
type refusal struct {
	at        time.Time
	host      string
	rule, why string // a constraint that did not hold, and what the host has
	has       room   // or else what there was
	short     bool   // of which there was too little of something
}

// refusals are those of the hosts that were looked at last, by agent.
type refusals struct {
	by map[string]refusal
	at time.Time
	// words are what is made of them, until there is another.
	words []string
}

func (r *refusals) refuse(now time.Time, o *mesos.Offer, no refusal) {
	agent := o.GetAgentId().GetValue()
	if _, known := r.by[agent]; !known && len(r.by) >= mostHosts {
		return
	}
	no.at, no.host = now, o.GetHostname()
	r.by[agent], r.at, r.words = no, now, nil
}

// Waiting is a task that has no place yet.
type Waiting struct {
	Job, Task    string
	HighPriority bool
	Since        time.Time
	// Reasons say why, what struck most often first.
	Reasons []string
}

// Why says why a task waits; false when it does not.
func (q *Queue) Why(now time.Time, task string) (Waiting, bool) {
	i := q.tasks[task]
	if i == nil {
		return Waiting{}, false
	}
	return q.why(now, task, i), true
}

func (q *Queue) why(now time.Time, task string, i *item) Waiting {
	w := Waiting{Job: i.job.Name, Task: task, HighPriority: i.job.Policy.HighPriority, Since: i.since}
	switch {
	case i.shape.broken != "":
		w.Reasons = []string{i.shape.broken}
	case len(i.shape.by) > 0:
		w.Reasons = i.shape.tell(now, i.shape.amounts)
	case q.seen.Before(i.since):
		w.Reasons = []string{"no offer has come since it was queued"}
	default:
		w.Reasons = []string{"its turn has not come in the offers so far"}
	}
	return w
}

// All are the tasks that wait, in the order of their turns, so many at most.
func (q *Queue) All(now time.Time, most int) []Waiting {
	items := make([]*item, 0, len(q.tasks))
	for _, i := range q.tasks {
		items = append(items, i)
	}
	slices.SortFunc(items, func(a, b *item) int {
		if a.shape.key.high != b.shape.key.high {
			if a.shape.key.high {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.order, b.order)
	})
	all := make([]Waiting, 0, min(most, len(items)))
	for _, i := range items[:min(most, len(items))] {
		all = append(all, q.why(now, i.run.Task(), i))
	}
	return all
}

// reason is what several hosts have in common.
type reason struct {
	text  string
	hosts int
	best  float64 // of a shortage
	want  float64
	host  string // that had the best, or failed the rule
	why   string
}

// tell makes words of refusals.
func (r *refusals) tell(now time.Time, want room) []string {
	if r.words != nil && now.Sub(r.at) < fresh {
		return r.words
	}
	all := map[string]*reason{}
	looked := 0
	for agent, no := range r.by {
		if now.Sub(no.at) > fresh {
			delete(r.by, agent)
			continue
		}
		looked++
		no.count(all, want)
	}
	list := make([]*reason, 0, len(all))
	for _, of := range all {
		list = append(list, of)
	}
	slices.SortFunc(list, func(a, b *reason) int {
		return cmp.Or(cmp.Compare(b.hosts, a.hosts), cmp.Compare(a.text, b.text))
	})
	r.words = []string{}
	for _, of := range list[:min(len(list), mostReasons)] {
		r.words = append(r.words, of.words(looked))
	}
	if looked == 0 {
		r.words = []string{"no offer has come for " + fresh.String()}
	}
	return r.words
}

func (no refusal) count(all map[string]*reason, want room) {
	of := func(text string) *reason {
		if all[text] == nil {
			all[text] = &reason{text: text, best: -1}
		}
		all[text].hosts++
		return all[text]
	}
	if no.short {
		for i, has := range no.has {
			if has >= want[i] {
				continue
			}
			if r := of(measured[i]); has > r.best || has == r.best && no.host < r.host {
				r.best, r.want, r.host = has, want[i], no.host
			}
		}
	}
	switch {
	case no.rule != "":
		if r := of(no.rule); r.host == "" || no.host < r.host {
			r.host, r.why = no.host, no.why
		}
	case !no.short:
		of("what is offered is reserved, revocable or on disks of its own")
	}
}

func (r *reason) words(looked int) string {
	hosts := fmt.Sprintf("%d of %d hosts that were offered", r.hosts, looked)
	switch {
	case r.best >= 0:
		return fmt.Sprintf("%s: %s wanted, %s have less; the most is %s on %s", r.text, amount(r.want), hosts, amount(r.best), r.host)
	case r.why != "":
		return fmt.Sprintf("constraint %s: %s do not do; on %s %s", r.text, hosts, r.host, r.why)
	}
	return r.text + ": " + hosts
}

func amount(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
