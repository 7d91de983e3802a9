package api

import (
	"cmp"
	"math"
	"slices"

	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// The keys of every task.
var (
	keyID        = json.NewKey("id")
	keyName      = json.NewKey("name")
	keyFramework = json.NewKey("framework_id")
	keyExecutor  = json.NewKey("executor_id")
	keyAgent     = json.NewKey("slave_id")
	keyState     = json.NewKey("state")
	keyResources = json.NewKey("resources")
	keyRole      = json.NewKey("role")
	keyStatuses  = json.NewKey("statuses")
	keyTimestamp = json.NewKey("timestamp")
	keyLabels    = json.NewKey("labels")
	keyKey       = json.NewKey("key")
	keyValue     = json.NewKey("value")
)

// text writes a member.
func text(w *json.Writer, key json.Key, value string) {
	w.RawKey(key)
	w.String(value)
}

func writeTask(w *json.Writer, t *view.Task) {
	w.BeginObject()
	text(w, keyID, string(t.ID))
	text(w, keyName, t.Name)
	text(w, keyFramework, string(t.Framework))
	text(w, keyExecutor, string(t.Executor))
	text(w, keyAgent, string(t.Agent))
	text(w, keyState, stateName(t.State))
	w.RawKey(keyResources)
	writeSum(w, t.Resources)
	writeLimits(w, t)
	text(w, keyRole, t.Role)
	w.RawKey(keyStatuses)
	w.BeginArray()
	for i := range t.Statuses {
		writeStatus(w, &t.Statuses[i])
	}
	w.EndArray()
	if x := t.Extra; x != nil {
		writeTaskExtra(w, x)
	}
	w.EndObject()
}

// stateNames are the names of states, found without reflection.
var stateNames = func() map[mesos.TaskState]string {
	names := make(map[mesos.TaskState]string, len(mesos.TaskState_name))
	for n, name := range mesos.TaskState_name {
		names[mesos.TaskState(n)] = name
	}
	return names
}()

func stateName(s mesos.TaskState) string {
	if name, ok := stateNames[s]; ok {
		return name
	}
	return s.String()
}

func writeLimits(w *json.Writer, t *view.Task) {
	if t.Extra == nil || len(t.Extra.Limits) == 0 {
		return
	}
	w.Key("limits")
	w.BeginObject()
	for _, name := range []string{"cpus", "mem"} {
		if limit := t.Extra.Limits[name]; limit != nil {
			w.Field(name, limit.GetValue())
		}
	}
	w.EndObject()
}

func writeStatus(w *json.Writer, s *view.Status) {
	w.BeginObject()
	text(w, keyState, stateName(s.State))
	w.RawKey(keyTimestamp)
	w.Float(s.Timestamp)
	if d := s.Detail; d != nil {
		writeLabels(w, d.Labels)
		if d.Container != nil {
			w.Field("container_status", d.Container)
		}
		if d.Healthy != nil {
			w.Field("healthy", *d.Healthy)
		}
	}
	w.EndObject()
}

func writeTaskExtra(w *json.Writer, x *view.TaskExtra) {
	if x.User != "" {
		w.Field("user", x.User)
	}
	writeLabels(w, x.Labels)
	if x.Discovery != nil {
		w.Field("discovery", x.Discovery)
	}
	if x.Container != nil {
		w.Field("container", x.Container)
	}
	if x.HealthCheck != nil {
		w.Field("health_check", x.HealthCheck)
	}
}

func (s *server) writeTasks(w *json.Writer, snapshot *view.Snapshot, q query) {
	w.BeginObject()
	writeList(w, "tasks", pageOf(snapshot, q), writeTask)
	w.EndObject()
}

// pageOf returns the tasks that a request asks for, by the time of their first
// status. It keeps at most twice as many as the page and what comes before it:
// then the half that is too late is dropped.
func pageOf(snapshot *view.Snapshot, q query) []*view.Task {
	if q.limit == 0 {
		return nil
	}
	end := q.offset + min(q.limit, math.MaxInt-q.offset)
	var kept []*view.Task
	var last *view.Task // none after it is on the page; nil: not known yet
	sort := func() {
		slices.SortFunc(kept, q.before)
		kept = kept[:min(end, len(kept))]
	}
	eachTask(snapshot, q, func(t *view.Task) {
		if last != nil && q.before(t, last) >= 0 {
			return
		}
		kept = append(kept, t)
		if len(kept)/2 >= end {
			sort()
			last = kept[end-1]
		}
	})
	sort()
	return kept[min(q.offset, len(kept)):]
}

// before compares tasks by the order that is asked for.
func (q query) before(a, b *view.Task) int {
	if !q.ascending {
		a, b = b, a
	}
	return cmp.Or(cmp.Compare(firstTime(a), firstTime(b)), cmp.Compare(a.Framework, b.Framework), cmp.Compare(a.ID, b.ID))
}

func firstTime(t *view.Task) float64 {
	if len(t.Statuses) == 0 {
		return 0
	}
	return t.Statuses[0].Timestamp
}

func eachTask(snapshot *view.Snapshot, q query, visit func(*view.Task)) {
	for _, frameworks := range [][]view.FrameworkState{snapshot.Frameworks, snapshot.Completed} {
		for _, f := range chosen(frameworks, q) {
			for _, list := range [][]*view.Task{f.Tasks, f.UnreachableTasks, f.CompletedTasks} {
				for _, t := range list {
					if q.task == "" || q.task == string(t.ID) {
						visit(t)
					}
				}
			}
		}
	}
}
