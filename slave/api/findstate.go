package api

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/redact"
	"troupe/slave/state/view"
)

func (s *server) getState(*agent.Call) (*agent.Response, error) {
	snapshot := s.view.Snapshot()
	return &agent.Response{GetState: &agent.Response_GetState{
		GetTasks: tasksOf(snapshot), GetExecutors: executorsOf(snapshot), GetFrameworks: frameworksOf(snapshot),
	}}, nil
}

// getOperations lists those whose end is not acknowledged.
func (s *server) getOperations(*agent.Call) (*agent.Response, error) {
	found := &agent.Response_GetOperations{}
	for _, o := range s.view.Snapshot().Operations {
		found.Operations = append(found.Operations, o.Info)
	}
	return &agent.Response{GetOperations: found}, nil
}

func (s *server) getTasks(*agent.Call) (*agent.Response, error) {
	return &agent.Response{GetTasks: tasksOf(s.view.Snapshot())}, nil
}

func (s *server) getExecutors(*agent.Call) (*agent.Response, error) {
	return &agent.Response{GetExecutors: executorsOf(s.view.Snapshot())}, nil
}

func (s *server) getFrameworks(*agent.Call) (*agent.Response, error) {
	return &agent.Response{GetFrameworks: frameworksOf(s.view.Snapshot())}, nil
}

func frameworksOf(snapshot *view.Snapshot) *agent.Response_GetFrameworks {
	list := func(trees []*view.FrameworkTree) (all []*agent.Response_GetFrameworks_Framework) {
		for _, f := range trees {
			all = append(all, &agent.Response_GetFrameworks_Framework{FrameworkInfo: f.Info})
		}
		return all
	}
	return &agent.Response_GetFrameworks{Frameworks: list(snapshot.Frameworks), CompletedFrameworks: list(snapshot.Completed)}
}

func executorsOf(snapshot *view.Snapshot) *agent.Response_GetExecutors {
	list := func(trees []*view.ExecutorTree) (all []*agent.Response_GetExecutors_Executor) {
		for _, x := range trees {
			all = append(all, &agent.Response_GetExecutors_Executor{ExecutorInfo: redact.Executor(x.Info)})
		}
		return all
	}
	found := &agent.Response_GetExecutors{}
	for _, f := range slices.Concat(snapshot.Frameworks, snapshot.Completed) {
		found.Executors = append(found.Executors, list(f.Executors)...)
		found.CompletedExecutors = append(found.CompletedExecutors, list(f.Completed)...)
	}
	return found
}

func tasksOf(snapshot *view.Snapshot) *agent.Response_GetTasks {
	found := &agent.Response_GetTasks{}
	for _, f := range slices.Concat(snapshot.Frameworks, snapshot.Completed) {
		for _, x := range slices.Concat(f.Executors, f.Completed) {
			list := func(tasks []*view.Task) (all []*mesos.Task) {
				for _, t := range tasks {
					all = append(all, taskOf(snapshot.Agent, x, t))
				}
				return all
			}
			found.QueuedTasks = append(found.QueuedTasks, list(x.Queued)...)
			found.LaunchedTasks = append(found.LaunchedTasks, list(x.Live)...)
			found.TerminatedTasks = append(found.TerminatedTasks, list(x.Ended)...)
			found.CompletedTasks = append(found.CompletedTasks, list(x.Over)...)
		}
	}
	return found
}

func taskOf(a *view.Agent, x *view.ExecutorTree, t *view.Task) *mesos.Task {
	task := &mesos.Task{
		Name: proto.String(t.Info.GetName()), TaskId: t.Info.GetTaskId(), FrameworkId: &mesos.FrameworkID{Value: proto.String(string(t.Framework))},
		AgentId: a.Info.GetId(), State: t.State.Enum(), Resources: t.Info.GetResources(), Statuses: t.Statuses,
		Labels: t.Info.GetLabels(), Discovery: t.Info.GetDiscovery(), Container: redact.Container(t.Info.GetContainer()),
		HealthCheck: redact.HealthCheck(t.Info.GetHealthCheck()), KillPolicy: t.Info.GetKillPolicy(), Limits: t.Info.GetLimits(),
	}
	if !x.Generated {
		task.ExecutorId = &mesos.ExecutorID{Value: proto.String(string(x.ID))}
	}
	if x.User != "" {
		task.User = proto.String(x.User)
	}
	if n := len(t.Statuses); n > 0 {
		task.StatusUpdateState, task.StatusUpdateUuid = t.Statuses[n-1].State, t.Statuses[n-1].GetUuid()
	}
	return task
}
