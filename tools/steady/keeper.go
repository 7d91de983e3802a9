package steady

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/frameworks/work"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

const (
	// refuse is how long an offer that was not needed does not come again.
	refuse = 500 * time.Millisecond
	// glance is how often the scheduler looks whether it is to drain.
	glance = 100 * time.Millisecond
)

// need is what each task holds.
var need = resources.MustParse("cpus:0.1;mem:32")

// task is one that has not ended.
type task struct {
	agent   string
	lasts   bool
	running bool
	killed  bool
}

// keeper keeps tasks running. What it does that must be durable first goes
// through write.
type keeper struct {
	frameworks.Base
	o       Options
	journal *Journal
	tasks   map[string]*task
	next    int // number of the next task
	// launching counts the tasks that are being written down.
	launching int

	known          bool // the session knows the tasks of the life before
	calm, draining bool

	// waiting records are written together once those under way are.
	waiting []entry
	writing bool
	failure error
}

// remember takes in a record of an earlier life, or of this one.
func (s *keeper) remember(r Record) {
	switch {
	case r.Launch != nil:
		s.tasks[r.Launch.Task] = &task{agent: r.Launch.Agent, lasts: r.Launch.Lasts == 0}
		s.next++
	case r.Kill != nil:
		if t := s.tasks[r.Kill.Task]; t != nil {
			t.killed = true
		}
	case r.Update != nil:
		s.follow(r.Update)
	}
}

func (s *keeper) follow(u *Update) {
	state := mesos.TaskState(mesos.TaskState_value[u.State])
	t := s.tasks[u.Task]
	switch {
	case u.Hearsay:
	case tasks.Terminal(state), state == mesos.TaskState_TASK_UNKNOWN:
		delete(s.tasks, u.Task)
	case t == nil:
		// It was given up when nobody knew it.
		s.tasks[u.Task] = &task{agent: u.Agent, lasts: true}
	default:
		t.running = state == mesos.TaskState_TASK_RUNNING
	}
}

// entry is records that belong together, and what they allow.
type entry struct {
	records []Record
	then    func()
}

// write makes records durable, remembers them, and then does what they allow.
func (s *keeper) write(d *frameworks.Driver, then func(), records ...Record) {
	for i := range records {
		records[i].At = time.Now()
	}
	s.waiting = append(s.waiting, entry{records, then})
	s.flush(d)
}

func (s *keeper) flush(d *frameworks.Driver) {
	if s.writing || len(s.waiting) == 0 {
		return
	}
	entries := s.waiting
	s.waiting, s.writing = nil, true
	d.Go(func(context.Context) func() {
		var records []Record
		for _, e := range entries {
			records = append(records, e.records...)
		}
		err := s.journal.Append(records)
		return func() { s.written(d, entries, err) }
	})
}

func (s *keeper) written(d *frameworks.Driver, entries []entry, err error) {
	s.writing = false
	if err != nil {
		s.failure = err
		d.Leave()
		return
	}
	for _, e := range entries {
		for _, r := range e.records {
			s.remember(r)
		}
		e.then()
	}
	s.flush(d)
}

// Connected tells the session of the tasks of the life before, once.
func (s *keeper) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, _ bool) {
	if s.known {
		return
	}
	s.known = true
	for _, id := range slices.Sorted(maps.Keys(s.tasks)) {
		d.Watch(id, s.tasks[id].agent)
		if s.tasks[id].killed {
			d.Kill(id, 0)
		}
	}
	s.look(d)
	if s.o.KillEvery > 0 {
		s.killNow(d)
	}
}

// Offers launches what is missing.
func (s *keeper) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		infos, launched := s.fill(o)
		if len(infos) == 0 {
			d.Decline([]*mesos.Offer{o}, refuse)
			continue
		}
		records := make([]Record, len(launched))
		for i, l := range launched {
			records[i].Launch = l
		}
		s.launching += len(launched)
		s.write(d, func() {
			s.launching -= len(launched)
			d.Launch(o, infos...)
		}, records...)
	}
}

// missing counts the tasks to launch.
func (s *keeper) missing() int {
	if s.draining {
		return 0
	}
	return s.o.Count - len(s.tasks) - s.launching
}

// fill takes tasks for an offer, as many as are missing and fit.
func (s *keeper) fill(o *mesos.Offer) (infos []*mesos.TaskInfo, launched []*Launch) {
	left, err := resources.New(o.GetResources()...)
	if err != nil {
		return nil, nil
	}
	missing := s.missing()
	for len(launched) < missing {
		taken, rest, ok := left.Take(need)
		if !ok {
			break
		}
		left = rest
		l := s.invent(s.next+s.launching+len(launched), o.GetAgentId().GetValue())
		launched = append(launched, l)
		infos = append(infos, s.info(l, taken))
	}
	return infos, launched
}

// invent decides what the task of a number is.
func (s *keeper) invent(number int, agent string) *Launch {
	l := &Launch{Task: fmt.Sprintf("steady-%d", number), Agent: agent}
	if s.o.Brief == 0 || s.calm || number%3 == 0 {
		return l
	}
	chance := rand.New(rand.NewPCG(s.o.Seed, uint64(number)))
	l.Lasts = time.Second/2 + time.Duration(chance.Int64N(int64(s.o.Brief)))
	if chance.IntN(4) == 0 {
		l.Exit = 3
	}
	return l
}

func (s *keeper) info(l *Launch, holds resources.Resources) *mesos.TaskInfo {
	file := TaskPath(s.o.Dir, l.Task)
	sleep := "1000000000"
	if l.Lasts > 0 {
		sleep = fmt.Sprintf("%.3f", l.Lasts.Seconds())
	}
	script := fmt.Sprintf(`echo "start $$" >>%[1]s; sleep %[2]s; echo "end %[3]d" >>%[1]s; exit %[3]d`, file, sleep, l.Exit)
	return &mesos.TaskInfo{
		Name: proto.String("steady"), TaskId: &mesos.TaskID{Value: proto.String(l.Task)},
		Resources: holds.Proto(), Command: &mesos.CommandInfo{Value: proto.String(script)},
	}
}

// Update writes an update down and only then acknowledges it.
func (s *keeper) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	u := &Update{
		Task: st.GetTaskId().GetValue(), Agent: st.GetAgentId().GetValue(), State: st.GetState().String(),
		UUID: st.GetUuid(), Source: st.GetSource().String(), Message: st.GetMessage(),
		Hearsay: work.Hearsay(st),
	}
	if st.Reason != nil {
		u.Reason = st.GetReason().String()
	}
	s.write(d, func() {
		if !u.Hearsay { // the agent's own word is to be heard, too
			d.Acknowledge(st)
		}
		if s.missing() > 0 {
			d.Revive() // offers may have been declined before this was written down
		}
		s.end(d)
	}, Record{Update: u})
	return false
}

// killNow kills one of the tasks that would last, now and then.
func (s *keeper) killNow(d *frameworks.Driver) {
	if s.calm || s.draining {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(s.tasks)) {
		if t := s.tasks[id]; t.lasts && t.running && !t.killed {
			s.kill(d, id)
			break
		}
	}
	d.After(s.o.KillEvery, func() { s.killNow(d) })
}

func (s *keeper) kill(d *frameworks.Driver, id string) {
	s.tasks[id].killed = true
	s.write(d, func() { d.Kill(id, 0) }, Record{Kill: &Kill{Task: id}})
}

// look finds out what the framework is asked to do.
func (s *keeper) look(d *frameworks.Driver) {
	if _, err := os.Stat(calmPath(s.o.Dir)); err == nil {
		s.calm = true
	}
	if _, err := os.Stat(drainPath(s.o.Dir)); err != nil {
		d.After(glance, func() { s.look(d) })
		return
	}
	s.draining = true
	s.drain(d)
}

// drain kills what runs, and what was on its way when it was last looked at.
func (s *keeper) drain(d *frameworks.Driver) {
	for _, id := range slices.Sorted(maps.Keys(s.tasks)) {
		if !s.tasks[id].killed {
			s.kill(d, id)
		}
	}
	s.end(d)
	d.After(glance, func() { s.drain(d) })
}

// end ends the framework once it is drained.
func (s *keeper) end(d *frameworks.Driver) {
	if s.draining && len(s.tasks) == 0 && !s.writing && len(s.waiting) == 0 {
		d.Teardown()
	}
}
