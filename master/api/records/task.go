package records

import (
	"maps"
	"slices"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/pen"
)

var taskForm = pen.Of[*mesos.Task]()

var (
	taskName        = taskForm.Field("name")
	taskID          = taskForm.Field("task_id")
	taskFramework   = taskForm.Field("framework_id")
	taskExecutor    = taskForm.Field("executor_id")
	taskAgent       = taskForm.Field("agent_id")
	taskState       = taskForm.Field("state")
	taskResources   = taskForm.Field("resources")
	taskStatuses    = taskForm.Field("statuses")
	taskUpdateState = taskForm.Field("status_update_state")
	taskUpdateUUID  = taskForm.Field("status_update_uuid")
	taskLabels      = taskForm.Field("labels")
	taskDiscovery   = taskForm.Field("discovery")
	taskContainer   = taskForm.Field("container")
	taskHealthCheck = taskForm.Field("health_check")
	taskKillPolicy  = taskForm.Field("kill_policy")
	taskUser        = taskForm.Field("user")
	taskLimits      = taskForm.Field("limits")
)

// idValue is the one field of every kind of id.
var idValue = pen.Of[*mesos.TaskID]().Field("value")

func writeID(p *pen.Pen, f *pen.Field, id string) {
	p.Begin(f)
	p.String(idValue, id)
	p.End()
}

// Task writes a mesos.v1.Task in f.
func Task(p *pen.Pen, f *pen.Field, t *view.Task) {
	p.Begin(f)
	p.String(taskName, t.Name)
	writeID(p, taskID, string(t.ID))
	writeID(p, taskFramework, string(t.Framework))
	if t.Executor != "" {
		writeID(p, taskExecutor, string(t.Executor))
	}
	writeID(p, taskAgent, string(t.Agent))
	p.Enum(taskState, int32(t.State))
	if !t.Resources.IsEmpty() {
		writeAllocated(p, taskResources, t.Resources, t.Role)
	}
	if len(t.Statuses) > 0 {
		p.List(taskStatuses)
		for i := range t.Statuses {
			writeStatus(p, taskStatuses, t, &t.Statuses[i])
		}
		p.EndList()
		last := &t.Statuses[len(t.Statuses)-1]
		if last.UUID != ([16]byte{}) {
			p.Enum(taskUpdateState, int32(last.State))
			p.Bytes(taskUpdateUUID, last.UUID[:])
		}
	}
	if t.Extra != nil {
		writeExtra(p, t.Extra)
	}
	p.End()
}

var (
	labelsAll  = pen.Of[*mesos.Labels]().Field("labels")
	labelKey   = pen.Of[*mesos.Label]().Field("key")
	labelValue = pen.Of[*mesos.Label]().Field("value")
)

// writeLabels writes what many tasks have, as a message would be.
func writeLabels(p *pen.Pen, f *pen.Field, labels *mesos.Labels) {
	p.Begin(f)
	if len(labels.GetLabels()) > 0 {
		p.List(labelsAll)
		for _, l := range labels.GetLabels() {
			p.Begin(labelsAll)
			p.String(labelKey, l.GetKey())
			if l.Value != nil {
				p.String(labelValue, l.GetValue())
			}
			p.End()
		}
		p.EndList()
	}
	p.End()
}

func writeExtra(p *pen.Pen, x *view.TaskExtra) {
	if x.Labels != nil {
		writeLabels(p, taskLabels, x.Labels)
	}
	if x.Discovery != nil {
		p.Message(taskDiscovery, x.Discovery)
	}
	if x.Container != nil {
		p.Message(taskContainer, x.Container)
	}
	if x.HealthCheck != nil {
		p.Message(taskHealthCheck, x.HealthCheck)
	}
	if x.KillPolicy != nil {
		p.Message(taskKillPolicy, x.KillPolicy)
	}
	if x.User != "" {
		p.String(taskUser, x.User)
	}
	if len(x.Limits) > 0 {
		p.Map(taskLimits)
		for _, name := range slices.Sorted(maps.Keys(x.Limits)) {
			p.Entry(taskLimits, name, x.Limits[name])
		}
		p.EndMap()
	}
}

var statusForm = pen.Of[*mesos.TaskStatus]()

var (
	statusTask        = statusForm.Field("task_id")
	statusState       = statusForm.Field("state")
	statusMessage     = statusForm.Field("message")
	statusSource      = statusForm.Field("source")
	statusReason      = statusForm.Field("reason")
	statusAgent       = statusForm.Field("agent_id")
	statusExecutor    = statusForm.Field("executor_id")
	statusTimestamp   = statusForm.Field("timestamp")
	statusUUID        = statusForm.Field("uuid")
	statusHealthy     = statusForm.Field("healthy")
	statusCheck       = statusForm.Field("check_status")
	statusLabels      = statusForm.Field("labels")
	statusContainer   = statusForm.Field("container_status")
	statusUnreachable = statusForm.Field("unreachable_time")
	statusLimitation  = statusForm.Field("limitation")
)

// writeStatus writes a status of a task, with what all of the task's have in
// common.
func writeStatus(p *pen.Pen, f *pen.Field, t *view.Task, s *view.Status) {
	p.Begin(f)
	writeID(p, statusTask, string(t.ID))
	p.Enum(statusState, int32(s.State))
	if s.Message != "" {
		p.String(statusMessage, s.Message)
	}
	p.Enum(statusSource, int32(s.Source))
	if s.Reason != view.NoReason {
		p.Enum(statusReason, int32(s.Reason))
	}
	writeID(p, statusAgent, string(t.Agent))
	if s.Source == mesos.TaskStatus_SOURCE_EXECUTOR {
		executor := string(t.Executor)
		if executor == "" { // that of a task with a command has the task's name
			executor = string(t.ID)
		}
		writeID(p, statusExecutor, executor)
	}
	p.Double(statusTimestamp, s.Timestamp)
	if s.UUID != ([16]byte{}) {
		p.Bytes(statusUUID, s.UUID[:])
	}
	if s.Detail != nil {
		writeDetail(p, s.Detail)
	}
	p.End()
}

func writeDetail(p *pen.Pen, d *view.StatusDetail) {
	if d.Healthy != nil {
		p.Bool(statusHealthy, *d.Healthy)
	}
	if d.Check != nil {
		p.Message(statusCheck, d.Check)
	}
	if d.Labels != nil {
		writeLabels(p, statusLabels, d.Labels)
	}
	if d.Container != nil {
		p.Message(statusContainer, d.Container)
	}
	if d.Unreachable != nil {
		p.Message(statusUnreachable, d.Unreachable)
	}
	if d.Limitation != nil {
		p.Message(statusLimitation, d.Limitation)
	}
}
