package api

import (
	"maps"
	"slices"
	"strings"
	"time"

	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// writeMetrics writes every figure by the key that Mesos gives it.
func (s *server) writeMetrics(w *json.Writer, snapshot *view.Snapshot, _ query) {
	w.BeginObject()
	s.figures(snapshot, func(key string, value float64) { w.Field(key, value) })
	w.EndObject()
}

// figures puts every figure by the key that Mesos gives it.
func (s *server) figures(snapshot *view.Snapshot, put putter) {
	put("master/elected", truth(!s.info.Elected.IsZero()))
	put("master/uptime_secs", time.Since(s.info.Started).Seconds())
	putCapacity(put, snapshot)
	putAllocatable(put, snapshot)
	putAgents(put, snapshot)
	putFrameworks(put, snapshot)
	put("master/offers_rescinded_overlap", float64(snapshot.Counters.OffersEnded[view.Overtaken]))
	put("master/accepts_overtaken", float64(snapshot.Counters.AcceptsOvertaken))
	putTasks(put, &snapshot.Counters)
	putMessages(put, &snapshot.Counters)
	putOperations(put, &snapshot.Counters)
	put("master/http_cache_hits", float64(s.view.board.Shared()))
	put("master/operator_event_stream_subscribers", float64(s.view.hub.Subscribers()))
	putPrincipals(put, snapshot)
	if !s.info.HideFrameworkMetrics {
		putEachFramework(put, snapshot)
	}
	for _, more := range s.info.Metrics {
		more(put)
	}
}

type putter func(key string, value float64)

// putCapacity puts what the connected agents have, and how much of it is used.
func putCapacity(put putter, snapshot *view.Snapshot) {
	total := totalOf(snapshot)
	for _, kind := range []struct {
		infix     string
		revocable bool
	}{{"", false}, {"revocable_", true}} {
		for _, name := range []string{"cpus", "mem", "disk", "gpus"} {
			of := view.Amount{Name: name, Revocable: kind.revocable}
			t, u := total[of].Float(), snapshot.Used[of].Float()
			key := "master/" + name + "_" + kind.infix
			put(key+"total", t)
			put(key+"used", u)
			share := 0.0
			if t > 0 {
				share = u / t
			}
			put(key+"percent", share)
		}
	}
}

// putAllocatable puts what there is to offer, and how much of it is offered or
// held, by the keys of Mesos's allocator.
func putAllocatable(put putter, snapshot *view.Snapshot) {
	total, offered := totalOf(snapshot), view.Amounts{}
	for _, f := range snapshot.Frameworks {
		for _, o := range f.Offers {
			offered.Add(o.Resources, 1)
		}
	}
	for _, name := range []string{"cpus", "mem", "disk"} {
		of := view.Amount{Name: name}
		put("allocator/mesos/resources/"+name+"/total", total[of].Float())
		put("allocator/mesos/resources/"+name+"/offered_or_allocated", (snapshot.Used[of] + offered[of]).Float())
	}
}

// totalOf sums up what the connected agents have.
func totalOf(snapshot *view.Snapshot) view.Amounts {
	total := view.Amounts{}
	for _, a := range snapshot.Agents {
		if a.Status == view.Connected {
			total.Add(a.Total, 1)
		}
	}
	return total
}

func putAgents(put putter, snapshot *view.Snapshot) {
	n, c := countAgents(snapshot), &snapshot.Counters
	put("master/slaves_active", float64(n.connected-n.deactivated))
	put("master/slaves_connected", float64(n.connected))
	put("master/slaves_disconnected", float64(n.inactive))
	put("master/slaves_inactive", float64(n.inactive+n.deactivated))
	put("master/slaves_recovered", float64(n.recovered))
	put("master/slaves_unreachable", float64(snapshot.Unreachable))
	put("master/slave_registrations", float64(c.AgentRegistrations))
	put("master/slave_reregistrations", float64(c.AgentReregistrations))
	removals := int64(0)
	for _, n := range c.AgentRemovals {
		removals += n
	}
	put("master/slave_removals", float64(removals))
	put("master/slave_removals/reason_unhealthy", float64(c.AgentRemovals[view.Unhealthy]))
	put("master/slave_removals/reason_unregistered", float64(c.AgentRemovals[view.Unregistered]))
	put("master/slave_removals/reason_registered", float64(c.AgentRemovals[view.Replaced]))
	put("master/slave_unreachable_scheduled", float64(c.Removals[view.RemovalScheduled]))
	put("master/slave_unreachable_completed", float64(c.Removals[view.RemovalCompleted]))
	put("master/slave_unreachable_canceled", float64(c.Removals[view.RemovalCanceled]))
	// No agent is shut down for its silence, neither by Mesos since 1.0.
	for _, what := range []string{"scheduled", "completed", "canceled"} {
		put("master/slave_shutdowns_"+what, 0)
	}
	put("master/recovery_slave_removals", float64(c.RecoveryRemovals))
	put("master/recovery_time_secs", c.Recovery.Seconds())
}

type frameworkCount struct{ all, active, connected, offers int }

func countFrameworks(snapshot *view.Snapshot) frameworkCount {
	c := frameworkCount{all: len(snapshot.Frameworks)}
	for _, f := range snapshot.Frameworks {
		if f.Active {
			c.active++
		}
		if f.Connected {
			c.connected++
		}
		c.offers += len(f.Offers)
	}
	return c
}

func putFrameworks(put putter, snapshot *view.Snapshot) {
	c := countFrameworks(snapshot)
	put("master/frameworks_active", float64(c.active))
	put("master/frameworks_inactive", float64(c.all-c.active))
	put("master/frameworks_connected", float64(c.connected))
	put("master/frameworks_disconnected", float64(c.all-c.connected))
	put("master/outstanding_offers", float64(c.offers))
}

// gauges and totals are the states of tasks by how they are counted.
var (
	gauges = []mesos.TaskState{
		mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_KILLING,
	}
	totals = []mesos.TaskState{
		mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED, mesos.TaskState_TASK_LOST,
		mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_DROPPED, mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_GONE_BY_OPERATOR,
	}
)

func putTasks(put putter, c *view.Counters) {
	for _, state := range gauges {
		put("master/tasks_"+lower(state.String(), "TASK_"), float64(c.Live[state]))
	}
	put("master/tasks_unreachable", float64(c.UnreachableTasks))
	for _, state := range totals {
		put("master/tasks_"+lower(state.String(), "TASK_"), float64(c.Terminal[state]))
	}
	reasons := make(map[string]int64, len(c.Reasons))
	for r, n := range c.Reasons {
		reasons["master/"+lower(r.State.String(), "")+"/"+lower(r.Source.String(), "")+"/"+lower(r.Reason.String(), "")] = n
	}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		put(key, float64(reasons[key]))
	}
}

func lower(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

// callKeys are the keys of the calls that Mesos counts.
var callKeys = []struct {
	key  string
	call scheduler.Call_Type
}{
	{"register_framework", scheduler.Call_SUBSCRIBE},
	{"unregister_framework", scheduler.Call_TEARDOWN},
	{"resource_request", scheduler.Call_REQUEST},
	{"launch_tasks", scheduler.Call_ACCEPT},
	{"decline_offers", scheduler.Call_DECLINE},
	{"revive_offers", scheduler.Call_REVIVE},
	{"suppress_offers", scheduler.Call_SUPPRESS},
	{"reconcile_tasks", scheduler.Call_RECONCILE},
	{"reconcile_operations", scheduler.Call_RECONCILE_OPERATIONS},
	{"kill_task", scheduler.Call_KILL},
}

func putMessages(put putter, c *view.Counters) {
	for _, k := range callKeys {
		put("master/messages_"+k.key, float64(c.Calls[k.call]))
	}
	for _, k := range []struct {
		kind          view.Kind
		message, pair string
	}{
		{view.StatusUpdates, "status_update", "status_updates"},
		{view.StatusUpdateAcks, "status_update_acknowledgement", "status_update_acknowledgements"},
		{view.FrameworkMessages, "framework_to_executor", "framework_to_executor_messages"},
		{view.ExecutorMessages, "executor_to_framework", "executor_to_framework_messages"},
		{view.Registrations, "register_slave", ""},
		{view.Reregistrations, "reregister_slave", ""},
		{view.Unregistrations, "unregister_slave", ""},
		{view.ExecutorExits, "exited_executor", ""},
		{view.OperationUpdates, "operation_status_update", "operation_status_updates"},
		{view.OperationAcks, "operation_status_update_acknowledgement", "operation_status_update_acknowledgements"},
		{view.AgentUpdates, "update_slave", ""},
	} {
		put("master/messages_"+k.message, float64(c.Valid[k.kind]+c.Invalid[k.kind]))
		if k.pair != "" {
			put("master/valid_"+k.pair, float64(c.Valid[k.kind]))
			put("master/invalid_"+k.pair, float64(c.Invalid[k.kind]))
		}
	}
	put("master/dropped_messages", float64(c.Invalid[view.Others]))
	// What Mesos's schedulers and agents send, and these do not.
	for _, key := range []string{
		"messages_authenticate", "messages_deactivate_framework", "messages_reregister_framework",
	} {
		put("master/"+key, 0)
	}
}
