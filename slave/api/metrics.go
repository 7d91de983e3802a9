package api

import (
	"net/url"
	"strings"
	"time"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// writeMetrics answers /metrics/snapshot.
func (s *server) writeMetrics(w *json.Writer, snapshot *view.Snapshot, _ url.Values) {
	w.BeginObject()
	s.putMetrics(snapshot, func(key string, value float64) { w.Field(key, value) })
	w.EndObject()
}

// putMetrics puts every figure by the key that Mesos gives it.
func (s *server) putMetrics(snapshot *view.Snapshot, put func(key string, value float64)) {
	registered := 0.0
	if snapshot.Agent.Registered {
		registered = 1
	}
	put("slave/registered", registered)
	put("slave/uptime_secs", time.Since(s.info.Started).Seconds())
	if at := s.view.milestones.recovery(); !at.IsZero() {
		put("slave/recovery_time_secs", at.Sub(s.info.Started).Seconds())
	}
	putCapacity(put, snapshot)
	f := figuresOf(snapshot)
	put("slave/frameworks_active", float64(len(snapshot.Frameworks)))
	for _, phase := range phases {
		put("slave/executors_"+phase.String(), float64(f.executors[phase]))
	}
	for _, state := range live {
		put("slave/tasks_"+word(state), float64(f.tasks[state]))
	}
	for _, state := range ended {
		put("slave/tasks_"+word(state), float64(snapshot.Ended[state]))
	}
	for _, counter := range counters {
		put("slave/"+string(counter), float64(snapshot.Counters[counter]))
	}
	for _, more := range s.info.Metrics {
		more(put)
	}
	for _, key := range zero {
		put(key, 0)
	}
}

// zero are figures of what never happens here, for clients that expect them:
// nothing is provisioned, and there are no resource providers. Ending
// a container is no attempt that may fail: it goes on until nothing of it is
// left, and counts in slave/executors_terminating for so long. What fails to be
// removed of its sandbox is in gc/path_removals_failed.
var zero = []string{
	"containerizer/mesos/container_destroy_errors", "containerizer/mesos/provisioner/bind/remove_rootfs_errors",
	"containerizer/mesos/provisioner/remove_container_errors",
	"resource_provider_manager/events/disconnect", "resource_provider_manager/events/subscribe",
	"resource_provider_manager/subscribed",
}

var (
	phases = []view.Phase{view.Registering, view.Running, view.Terminating, view.Terminated}
	live   = []mesos.TaskState{
		mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_KILLING,
	}
	ended = []mesos.TaskState{
		mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_DROPPED,
	}
	counters = []view.Counter{
		view.ValidUpdates, view.InvalidUpdates, view.ValidMessages, view.InvalidMessages,
		view.LaunchErrors, view.RecoveryErrors, view.StrangerMessages,
		view.JournalStalls, view.ExecutorsPreempted,
	}
)

// word is a state as metrics name it: TASK_RUNNING is running.
func word(s mesos.TaskState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "TASK_"))
}

// putCapacity puts what the agent has, and how much of it is used.
func putCapacity(put func(string, float64), snapshot *view.Snapshot) {
	total, lent, taken := totalOf(snapshot.Agent), sum(snapshot.Agent.Lent), allocated(snapshot)
	// What is lent of a reservation is the agent's own, unlike what it lends.
	slack := func(e resources.Entry) bool { return e.Revocable() && !e.Borrowed() }
	own, borrowed := taken.Filter(func(e resources.Entry) bool { return !slack(e) }), taken.Filter(slack)
	share := func(uses, has float64) float64 {
		if has <= 0 {
			return 0
		}
		return uses / has
	}
	for _, name := range always {
		for _, kind := range []struct {
			infix     string
			has, uses resources.Resources
		}{{"_", total, own}, {"_revocable_", lent, borrowed}} {
			has, uses := kind.has.Scalar(name).Float(), kind.uses.Scalar(name).Float()
			put("slave/"+name+kind.infix+"total", has)
			put("slave/"+name+kind.infix+"used", uses)
			put("slave/"+name+kind.infix+"percent", share(uses, has))
		}
	}
}

// figures count what lives; the machine's launching executors are registering
// ones to Mesos.
type figures struct {
	executors map[view.Phase]int
	tasks     map[mesos.TaskState]int
}

func figuresOf(snapshot *view.Snapshot) figures {
	f := figures{executors: map[view.Phase]int{}, tasks: map[mesos.TaskState]int{}}
	for _, fw := range snapshot.Frameworks {
		for _, x := range fw.Executors {
			f.executors[max(x.Phase, view.Registering)]++
			for _, t := range x.Queued {
				f.tasks[t.State]++
			}
			for _, t := range x.Live {
				f.tasks[t.State]++
			}
		}
		f.executors[view.Terminated] += len(fw.Completed)
	}
	return f
}
