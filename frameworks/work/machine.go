package work

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/ports"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

const (
	// refuse is how long what nobody wanted is not offered again.
	refuse = 5 * time.Second
	// refuseIdle is the same when there is nothing to launch.
	refuseIdle = 10 * time.Minute

	timerRetry   = "retry/"
	timerHearsay = "hearsay/"

	// hearsayWait is how long an end that the master tells of waits for the
	// agent's own word, which alone carries the message and the data.
	hearsayWait = time.Minute
)

// job is a task from Add to its final report.
type job struct {
	task  *Task
	shape *shape
	// attempt counts launches; live is the task id of the one under way.
	attempt int
	live    string
	place   Place
	// hearsay is how the live attempt ended as the master has it.
	hearsay *mesos.TaskStatus
	// failures counts attempts that ran, or might have.
	failures int
	// killed: it shall not be launched again.
	killed bool
	queued bool
	// resumed: the live attempt, if there is one, was launched by an earlier life.
	resumed bool
	// host is where the live attempt runs, if constraints may ask.
	host match.Host
}

// Machine is the work. It is not safe for concurrent use.
type Machine struct {
	jobs map[string]*job
	// order lists jobs as they came; finished ones are left out now and then.
	order []*job
	// live finds a job by the task id of its attempt.
	live   map[string]*job
	shapes []*shape
	byKey  map[string]*shape
	queued int
	closed bool
	over   bool

	// suppressed is what was asked for last.
	suppressed bool
	// executors remembers what tasks that share an executor must repeat.
	executors map[string]*mesos.ExecutorInfo
	placed    placement
	// turn spreads the ports that are picked.
	turn uint64

	out []Effect
}

// New makes work without any task. Whoever subscribes begins with offers
// coming.
func New() *Machine {
	return &Machine{
		jobs: map[string]*job{}, live: map[string]*job{}, byKey: map[string]*shape{},
		executors: map[string]*mesos.ExecutorInfo{}, placed: newPlacement(),
	}
}

// Step takes one input in and returns what is to be done, in order.
func (m *Machine) Step(_ time.Time, in Input) []Effect {
	m.out = nil
	switch in := in.(type) {
	case Add:
		if j := m.admit(in.Task); j != nil {
			m.enqueue(j)
		}
	case Resume:
		m.resume(in)
	case Close:
		m.closed = true
	case Offers:
		m.offers(in.Offers)
	case Updated:
		m.updated(in.Status)
	case Kill:
		m.kill(in.ID)
	case KillAll:
		for _, j := range m.order {
			m.kill(j.task.ID)
		}
	case ExecutorGone:
		delete(m.executors, in.Agent+"/"+in.Executor)
	case AgentGone:
		delete(m.placed.fleet, in.Agent)
	case TimerFired:
		m.fired(in.Key)
	}
	m.settle()
	return m.out
}

func (m *Machine) fired(key string) {
	if id, ok := strings.CutPrefix(key, timerHearsay); ok {
		if j := m.live[id]; j != nil && j.hearsay != nil {
			m.ended(j, j.hearsay)
		}
		return
	}
	if j := m.jobs[strings.TrimPrefix(key, timerRetry)]; j != nil && j.live == "" {
		m.enqueue(j)
	}
}

// Open counts the tasks that are not done.
func (m *Machine) Open() int { return len(m.jobs) }

// Queued counts the tasks that wait for an offer.
func (m *Machine) Queued() int { return m.queued }

func (m *Machine) do(e Effect) { m.out = append(m.out, e) }

// admit makes a job of a task; nil if there is something wrong with that, which is
// reported.
func (m *Machine) admit(t *Task) *job {
	want, rules, err := t.Check()
	if err == nil && m.jobs[t.ID] != nil {
		err = field.Invalid("id", t.ID, "is the id of another task that is not done")
	}
	if err == nil && m.closed {
		err = errors.New("no more tasks are taken")
	}
	if err != nil {
		m.do(Report{Progress{
			Task: t, State: mesos.TaskState_TASK_ERROR, Final: true, Err: fmt.Errorf("task %q: %w", t.ID, err),
		}})
		return nil
	}
	j := &job{task: t, shape: m.shapeOf(t, want, rules)}
	m.jobs[t.ID] = j
	m.order = append(m.order, j)
	return j
}

// enqueue makes a job wait for an offer. The first of its shape may fit what
// was refused before, so offers are asked for again.
func (m *Machine) enqueue(j *job) {
	if j.killed || j.queued {
		return
	}
	j.queued = true
	m.queued++
	if j.shape.push(j) || m.suppressed {
		m.suppressed = false
		m.do(Revive{})
	}
}

// offers launches what fits, and declines the rest.
func (m *Machine) offers(list []*mesos.Offer) {
	m.see(list)
	var unused []*mesos.OfferID
	for _, o := range list {
		if launched := m.fill(o); len(launched) > 0 {
			m.do(Launch{Offer: o, Tasks: launched})
		} else {
			unused = append(unused, o.GetId())
		}
	}
	if len(unused) == 0 {
		return
	}
	d := Decline{Offers: unused, Refuse: refuse}
	if m.queued == 0 {
		d.Refuse = refuseIdle
	}
	m.do(d)
}

// fill takes tasks for one offer: of each shape, in the order they came, as
// many as fit.
func (m *Machine) fill(o *mesos.Offer) []*mesos.TaskInfo {
	if m.queued == 0 {
		return nil
	}
	left, err := resources.New(o.GetResources()...)
	if err != nil {
		return nil
	}
	var launched []*mesos.TaskInfo
	host := match.HostOf(o)
	for _, s := range m.shapes {
		for j := s.peek(); j != nil && s.accepts(o) && s.allows(host); j = s.peek() {
			info, rest, ok := m.launch(j, o, left)
			if !ok {
				break
			}
			left = rest
			s.pop()
			m.queued--
			j.queued = false
			m.place(j, host)
			launched = append(launched, info)
		}
	}
	return launched
}

// launch turns a job into an attempt, if what is left of an offer has room.
func (m *Machine) launch(j *job, o *mesos.Offer, left resources.Resources) (*mesos.TaskInfo, resources.Resources, bool) {
	taken, rest, ok := left.Take(j.shape.want)
	if !ok {
		return nil, left, false
	}
	picked, err := ports.Pick(rest, ports.Dynamic(j.task.Ports), m.turn)
	if err != nil {
		return nil, left, false
	}
	taken, rest = taken.Add(picked.Resources), picked.Rest
	m.turn += uint64(j.task.Ports)
	id := j.nextID()
	info := j.task.Info(id, o, taken, picked.Numbers)
	if j.task.Executor != nil {
		if info.Executor, rest, ok = m.executorFor(j.task, id, o, rest); !ok {
			return nil, left, false
		}
	}
	if j.task.Edit != nil {
		j.task.Edit(info)
	}
	j.attempt++
	j.resumed = false
	j.live, j.place = id, PlaceOf(o, info, picked.Numbers)
	m.live[id] = j
	return info, rest, true
}

func (j *job) nextID() string {
	if j.attempt == 0 {
		return j.task.ID
	}
	return fmt.Sprintf("%s.%d", j.task.ID, j.attempt+1)
}

// updated follows an attempt. What is lost sight of is launched again, and
// killed should it turn up.
func (m *Machine) updated(st *mesos.TaskStatus) {
	id := st.GetTaskId().GetValue()
	j := m.live[id]
	if j == nil {
		if tasks.Live(st.GetState()) {
			m.do(KillAttempt{ID: id})
		}
		return
	}
	switch {
	case tasks.Live(st.GetState()):
		m.do(Report{j.progress(st)})
	case !Hearsay(st):
		m.ended(j, st)
	case j.hearsay == nil:
		j.hearsay = st
		m.do(SetTimer{Key: timerHearsay + id, After: hearsayWait})
	}
}

// Hearsay tells whether a status is the master's answer to reconciliation of a
// task that ended by itself: its agent will tell, too, and say more.
func Hearsay(st *mesos.TaskStatus) bool {
	switch st.GetState() {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED:
		return len(st.GetUuid()) == 0 && st.Reason != nil && st.GetReason() == mesos.TaskStatus_REASON_RECONCILIATION
	}
	return false
}

func (j *job) progress(st *mesos.TaskStatus) Progress {
	return Progress{Task: j.task, Attempt: j.attempt, TaskID: j.live, Place: j.place, State: st.GetState(), Status: st}
}

// ended takes in how the live attempt of a job ended.
func (m *Machine) ended(j *job, st *mesos.TaskStatus) {
	p := j.progress(st)
	id := j.live
	delete(m.live, id)
	j.live, j.hearsay = "", nil
	m.displace(j)
	if st.GetState() == mesos.TaskState_TASK_UNREACHABLE {
		m.do(KillAttempt{ID: id})
	}
	if !NeverRan(st) && !j.unknown(st) {
		j.failures++
	}
	if m.again(j, st) {
		p.RetryIn = j.backoff()
		m.do(Report{p})
		m.do(SetTimer{Key: timerRetry + j.task.ID, After: p.RetryIn})
		return
	}
	p.Final = true
	m.finish(j, p)
}

// again tells whether an attempt that ended so is followed by another.
func (m *Machine) again(j *job, st *mesos.TaskStatus) bool {
	switch {
	case j.killed, st.GetState() == mesos.TaskState_TASK_FINISHED, st.GetState() == mesos.TaskState_TASK_ERROR:
		return false
	case j.task.Again != nil && !NeverRan(st) && !j.task.Again(st):
		return false
	}
	return j.task.Retries == Forever || j.failures <= j.task.Retries
}

// NeverRan tells whether an attempt ended before its agent took it; that is no
// failure of the task's.
func NeverRan(st *mesos.TaskStatus) bool {
	switch st.GetReason() {
	case mesos.TaskStatus_REASON_INVALID_OFFERS, mesos.TaskStatus_REASON_MASTER_DISCONNECTED,
		mesos.TaskStatus_REASON_AGENT_DISCONNECTED:
		return st.Reason != nil
	}
	return st.GetState() == mesos.TaskState_TASK_DROPPED
}

// backoff doubles with each attempt.
func (j *job) backoff() time.Duration {
	d := j.task.Backoff
	for n := 1; n < j.attempt && d < j.task.BackoffMax; n++ {
		d *= 2
	}
	return min(d, j.task.BackoffMax)
}

func (m *Machine) kill(id string) {
	j := m.jobs[id]
	if j == nil || j.killed {
		return
	}
	j.killed = true
	if j.live != "" {
		m.do(KillAttempt{ID: j.live})
		return
	}
	m.finish(j, Progress{Task: j.task, Attempt: j.attempt, TaskID: j.task.ID, State: mesos.TaskState_TASK_KILLED, Final: true})
}

func (m *Machine) finish(j *job, p Progress) {
	if j.queued {
		j.queued = false
		m.queued--
	}
	delete(m.jobs, j.task.ID)
	m.release(j.shape)
	m.do(Report{p})
	if len(m.order) > 2*len(m.jobs)+100 {
		m.compact()
	}
}

// compact forgets jobs that are done.
func (m *Machine) compact() {
	kept := make([]*job, 0, len(m.jobs))
	for _, j := range m.order {
		if m.jobs[j.task.ID] == j {
			kept = append(kept, j)
		}
	}
	m.order = kept
}

// settle ends a step: without anything to launch, offers are not wanted.
func (m *Machine) settle() {
	if m.closed && len(m.jobs) == 0 {
		if !m.over {
			m.over = true
			m.do(AllDone{})
		}
		return
	}
	if m.queued == 0 && !m.suppressed {
		m.suppressed = true
		m.do(Suppress{})
	}
}
