package api

import (
	"runtime"
	"slices"

	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// shownStates are the states that summaries count.
var shownStates = [...]mesos.TaskState{
	mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
	mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_KILLED,
	mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_ERROR,
	mesos.TaskState_TASK_UNREACHABLE,
}

// tally counts tasks by state and notes with whom they are.
type tally struct {
	states map[mesos.TaskState]int
	others map[string]bool
}

func newTally() *tally {
	return &tally{states: make(map[mesos.TaskState]int), others: make(map[string]bool)}
}

func (t *tally) write(w *json.Writer, key string) {
	for _, state := range shownStates {
		w.Field(state.String(), t.states[state])
	}
	w.Key(key)
	w.BeginArray()
	ids := make([]string, 0, len(t.others))
	for id := range t.others {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		w.String(id)
	}
	w.EndArray()
}

func (s *server) writeSummary(w *json.Writer, snapshot *view.Snapshot, _ query) {
	byAgent, byFramework := tallies(snapshot)
	usage := snapshot.UsageByAgent(runtime.Gosched)
	w.BeginObject()
	w.Field("hostname", s.info.Hostname)
	if s.info.Cluster != "" {
		w.Field("cluster", s.info.Cluster)
	}
	agents := slices.DeleteFunc(snapshot.SortedAgents(), func(a *view.Agent) bool { return a.Status == view.Recovered })
	writeList(w, "slaves", agents, func(w *json.Writer, a *view.Agent) {
		w.BeginObject()
		writeAgent(w, a, usage[a.ID])
		t := byAgent[a.ID]
		if t == nil {
			t = newTally()
		}
		t.write(w, "framework_ids")
		w.EndObject()
	})
	writeList(w, "frameworks", snapshot.Frameworks, func(w *json.Writer, f view.FrameworkState) {
		w.BeginObject()
		writeFrameworkHead(w, f, f.Usage(runtime.Gosched))
		byFramework[f.ID].write(w, "slave_ids")
		w.EndObject()
	})
	w.EndObject()
}

func tallies(snapshot *view.Snapshot) (map[view.AgentID]*tally, map[view.FrameworkID]*tally) {
	byAgent := make(map[view.AgentID]*tally)
	byFramework := make(map[view.FrameworkID]*tally)
	for _, f := range snapshot.Frameworks {
		mine := newTally()
		byFramework[f.ID] = mine
		for _, list := range [][]*view.Task{f.Tasks, f.UnreachableTasks, f.CompletedTasks} {
			for _, t := range list {
				theirs := byAgent[t.Agent]
				if theirs == nil {
					theirs = newTally()
					byAgent[t.Agent] = theirs
				}
				mine.states[t.State]++
				theirs.states[t.State]++
				mine.others[string(t.Agent)] = true
				theirs.others[string(f.ID)] = true
			}
		}
	}
	return byAgent, byFramework
}
