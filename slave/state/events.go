package state

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	executorapi "troupe/messages/mesos/executor"
)

// event sends one to an executor that is subscribed, and drops it otherwise.
func (m *Machine) event(e *executor, ev *executorapi.Event) { m.send(e.peer, ev) }

func (m *Machine) subscribedEvent(e *executor) *executorapi.Event {
	return &executorapi.Event{
		Type: executorapi.Event_SUBSCRIBED.Enum(),
		Subscribed: &executorapi.Event_Subscribed{
			ExecutorInfo: e.info, FrameworkInfo: e.framework.info, AgentInfo: m.info, ContainerId: e.containerID(),
		},
	}
}

// launchEvent gives an executor a task, or a group without the tasks that
// were ended before.
func launchEvent(l *launch) *executorapi.Event {
	if !l.group {
		return &executorapi.Event{
			Type: executorapi.Event_LAUNCH.Enum(), Launch: &executorapi.Event_Launch{Task: l.tasks[0].info},
		}
	}
	group := &mesos.TaskGroupInfo{}
	for _, t := range l.tasks {
		group.Tasks = append(group.Tasks, t.info)
	}
	return &executorapi.Event{
		Type: executorapi.Event_LAUNCH_GROUP.Enum(), LaunchGroup: &executorapi.Event_LaunchGroup{TaskGroup: group},
	}
}

func killEvent(k *cluster.KillTask) *executorapi.Event {
	return &executorapi.Event{
		Type: executorapi.Event_KILL.Enum(),
		Kill: &executorapi.Event_Kill{TaskId: k.GetTaskId(), KillPolicy: k.GetKillPolicy()},
	}
}

func acknowledgedEvent(task *mesos.TaskID, uuid []byte) *executorapi.Event {
	return &executorapi.Event{
		Type: executorapi.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executorapi.Event_Acknowledged{TaskId: task, Uuid: uuid},
	}
}

func messageEvent(data []byte) *executorapi.Event {
	return &executorapi.Event{Type: executorapi.Event_MESSAGE.Enum(), Message: &executorapi.Event_Message{Data: data}}
}

func errorEvent(message string) *executorapi.Event {
	return &executorapi.Event{Type: executorapi.Event_ERROR.Enum(), Error: &executorapi.Event_Error{Message: &message}}
}

func shutdownEvent() *executorapi.Event {
	return &executorapi.Event{Type: executorapi.Event_SHUTDOWN.Enum()}
}
