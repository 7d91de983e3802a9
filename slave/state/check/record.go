package check

import (
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Record refuses a record of a journal that no agent has written: its checksum
// was right, so somebody else wrote it. Ids in it become folders and keys.
func Record(r *cluster.JournalRecord) error {
	switch r := r.GetRecord().(type) {
	case *cluster.JournalRecord_Identity:
		return field.In("identity", AgentID(r.Identity.GetAgent().GetId().GetValue()))
	case *cluster.JournalRecord_Framework:
		return field.In("framework", FrameworkID(r.Framework.GetFramework().GetId().GetValue()))
	case *cluster.JournalRecord_Executor:
		return field.In("executor", executorRecord(r.Executor))
	case *cluster.JournalRecord_Launch:
		return field.In("launch", launchRecord(r.Launch))
	case *cluster.JournalRecord_Update:
		return field.In("update", updateRecord(r.Update))
	case *cluster.JournalRecord_Host:
		return field.In("host", names.CheckID("host_id", r.Host.GetHostId()))
	case *cluster.JournalRecord_Operation:
		return field.In("operation", operationRecord(r.Operation.GetOperation()))
	}
	return nil
}

func executorRecord(r *cluster.ExecutorAccepted) error {
	if err := names.CheckID("executor_id", r.GetExecutor().GetExecutorId().GetValue()); err != nil {
		return err
	}
	return names.CheckID("container_id", r.GetContainerId().GetValue())
}

func launchRecord(r *cluster.LaunchAccepted) error {
	if len(r.GetTasks()) == 0 {
		return field.Missing("tasks")
	}
	seen := map[string]bool{}
	for _, t := range r.GetTasks() {
		id := t.GetTaskId().GetValue()
		if err := names.CheckID("task_id", id); err != nil {
			return err
		}
		if seen[id] {
			return field.Invalid("task_id", id, "is there twice")
		}
		seen[id] = true
	}
	return nil
}

func operationRecord(o *mesos.Operation) error {
	switch {
	case len(o.GetUuid().GetValue()) != 16:
		return field.Invalid("uuid", o.GetUuid().GetValue(), "must be of 16 bytes")
	case o.LatestStatus == nil:
		return field.Missing("latest_status")
	}
	return nil
}

func updateRecord(r *cluster.UpdateAccepted) error {
	if err := Key(r.GetFrameworkId().GetValue(), r.GetStatus().GetTaskId().GetValue()); err != nil {
		return err
	}
	if len(r.GetStatus().GetUuid()) != 16 {
		return field.Invalid("status.uuid", r.GetStatus().GetUuid(), "must be of 16 bytes")
	}
	return nil
}
