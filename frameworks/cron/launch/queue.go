package launch

import (
	"container/heap"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/match"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Queue is what waits for offers: high priority first, and then in the order of
// coming. It is not safe for concurrent use.
type Queue struct {
	tasks  map[string]*item
	shapes map[shapeKey]*shape // those that tasks wait in
	last   uint64
	seen   time.Time // when offers were last looked at
}

// item is a task that waits.
type item struct {
	run   plan.Run
	job   *plan.Job
	since time.Time
	order uint64
	shape *shape
	gone  bool // launched, or not wanted any more
}

// New makes an empty queue.
func New() *Queue { return &Queue{tasks: map[string]*item{}, shapes: map[shapeKey]*shape{}} }

// Len is how many tasks wait.
func (q *Queue) Len() int { return len(q.tasks) }

// Has tells whether a task waits.
func (q *Queue) Has(task string) bool { return q.tasks[task] != nil }

// Add has a run wait. It is true when the run is the first of its kind: it may
// fit what was declined, so that offers should be asked for again.
func (q *Queue) Add(now time.Time, run plan.Run, job *plan.Job) bool {
	key := keyOf(job)
	s, known := q.shapes[key]
	if !known {
		s = newShape(key, job)
		q.shapes[key] = s
	}
	q.last++
	i := &item{run: run, job: job, since: now, order: q.last, shape: s}
	s.items = append(s.items, i)
	s.waiting++
	q.tasks[run.Task()] = i
	return !known
}

// Remove takes a task out; false when it does not wait.
func (q *Queue) Remove(task string) bool {
	i := q.tasks[task]
	if i == nil {
		return false
	}
	q.leave(task, i)
	return true
}

func (q *Queue) leave(task string, i *item) {
	i.gone = true
	delete(q.tasks, task)
	i.shape.waiting--
	i.shape.tidy()
	if i.shape.waiting == 0 {
		delete(q.shapes, i.shape.key)
	}
}

// Offer takes as many tasks out as fit an offer, and returns them; none when
// there is no use for it.
func (q *Queue) Offer(now time.Time, o *mesos.Offer) []*mesos.TaskInfo {
	q.seen = now
	offered, err := resources.New(o.GetResources()...)
	if err != nil || len(q.tasks) == 0 {
		return nil
	}
	left := &rest{offered, roomIn(offered)}
	host := match.HostOf(o)
	open := make(turns, 0, len(q.shapes))
	for _, s := range q.shapes { // in any order: turns has its own
		open = append(open, s)
	}
	heap.Init(&open)
	var launched []*mesos.TaskInfo
	for len(open) > 0 {
		s := open[0]
		i := s.first()
		if i == nil {
			heap.Pop(&open)
			continue
		}
		taken, no, ok := s.fit(host, left)
		if !ok {
			s.refuse(now, o, no)
			heap.Pop(&open)
			continue
		}
		info := Info(i.run, i.job, o, taken)
		q.leave(info.GetTaskId().GetValue(), i)
		launched = append(launched, info)
		heap.Fix(&open, 0)
	}
	return launched
}

// turns is a heap of shapes: the one whose turn it is first.
type turns []*shape

func (t turns) Len() int      { return len(t) }
func (t turns) Swap(a, b int) { t[a], t[b] = t[b], t[a] }
func (t turns) Less(a, b int) bool {
	if t[a].key.high != t[b].key.high {
		return t[a].key.high
	}
	return t[a].turn() < t[b].turn()
}

// Push is for package heap.
func (t *turns) Push(x any) { *t = append(*t, x.(*shape)) }

// Pop is for package heap.
func (t *turns) Pop() any {
	last := len(*t) - 1
	s := (*t)[last]
	*t = (*t)[:last]
	return s
}
