package main

import (
	"fmt"
	"net/http"
	"strings"
)

const executorPath = "/api/v1/executor"

// executors is what an executor says and hears. Its program does nothing: its
// part is played here.
func (s *script) executors() error {
	in := s.page.chapter("Executor API: `POST /api/v1/executor` of the agent",
		"An executor finds its ids, and the agent, in its environment (`MESOS_FRAMEWORK_ID`, `MESOS_EXECUTOR_ID`,\n"+
			"`MESOS_AGENT_ENDPOINT`). A subscription is answered by a stream of events.")
	offer, err := s.offered()
	if err != nil {
		return err
	}
	task := func(id string) string {
		return fmt.Sprintf(`{"name": "worker", "task_id": {"value": %q}, "agent_id": {"value": %q}, "resources": [%s],
			"executor": %s}`, id, s.agent, resources(0.5, 32), s.executor("crew", "CUSTOM"))
	}
	if err := s.quietly(call{http.StatusAccepted, "ACCEPT", "", s.accept(offer, task("worker-1")+", "+task("worker-2"))}); err != nil {
		return err
	}
	events, err := s.subscribeExecutor(in)
	if err != nil {
		return err
	}
	if err := s.work(in, events); err != nil {
		return err
	}
	return s.endExecutor(in, events)
}

// executor is one of a type, and the framework's.
func (s *script) executor(id, kind string) string {
	command := ""
	if kind == "CUSTOM" {
		command = `, "command": {"value": "sleep 1000"}`
	}
	return fmt.Sprintf(`{"type": %q, "executor_id": {"value": %q}, "framework_id": {"value": %q}%s, "resources": [%s]}`,
		kind, id, s.framework, command, resources(0.1, 32)+", "+someDisk)
}

// someDisk is what the executor of a group has to have beside the rest.
const someDisk = `{"name": "disk", "type": "SCALAR", "scalar": {"value": 16}, "allocation_info": {"role": "web"}}`

// acceptGroup is the part of a call that launches tasks as a group.
func (s *script) acceptGroup(offer, executor string, names ...string) string {
	var tasks []string
	for _, name := range names {
		tasks = append(tasks, fmt.Sprintf(`{"name": %q, "task_id": {"value": %q}, "agent_id": {"value": %q}, "resources": [%s], "command": {"value": "sleep 1000"}}`,
			name, name, s.agent, resources(0.1, 32)))
	}
	return fmt.Sprintf(`"accept": {"offer_ids": [{"value": %q}], "operations": [{"type": "LAUNCH_GROUP", "launch_group": {"executor": %s, "task_group": {"tasks": [%s]}}}],
		"filters": {"refuse_seconds": 0}}`, offer, executor, strings.Join(tasks, ", "))
}

func (s *script) ids() string {
	return s.frameworkID() + `, "executor_id": {"value": "crew"}`
}

// subscribeExecutor tries until the executor is launched.
func (s *script) subscribeExecutor(in *chapter) (*stream, error) {
	subscribe := request{
		to: s.c.agent, method: http.MethodPost, path: executorPath, headers: []string{asJSON},
		body: `{"type": "SUBSCRIBE", ` + s.ids() + `, "subscribe": {"unacknowledged_tasks": [], "unacknowledged_updates": []}}`,
	}
	if err := s.until("the executor is launched", func() (bool, error) {
		a, err := (&request{to: s.c.agent, method: http.MethodGet, path: "/containers"}).do(s.ctx)
		if err != nil {
			return false, err
		}
		t, err := parse(a.body)
		return err == nil && len(t.children) == 2 && hasPid(t), err
	}); err != nil {
		return nil, err
	}
	events, err := subscribe.subscribe(s.ctx)
	if err != nil {
		return nil, err
	}
	subscribed, err := events.await(s.ctx, "SUBSCRIBED", nil)
	if err != nil {
		return nil, err
	}
	in.entries = append(in.entries, entry{
		title: "`SUBSCRIBE`", text: "One that comes back lists the tasks and updates that nobody has acknowledged.",
		ask: &subscribe, answer: events.answer, records: []*tree{subscribed},
	})
	return events, nil
}

// hasPid tells whether every container has a process.
func hasPid(containers *tree) bool {
	for _, c := range containers.children {
		if c.member("status", "executor_pid") == nil {
			return false
		}
	}
	return true
}

// status is an update of the executor.
func update(task, state, id string) string {
	return fmt.Sprintf(`"update": {"status": {"task_id": {"value": %q}, "state": %q, "source": "SOURCE_EXECUTOR", "uuid": %q,
		"timestamp": 1700000000.0, "message": "by the executor"}}`, task, state, id)
}

func (s *script) work(in *chapter, events *stream) error {
	if _, err := s.heard(in, events, "LAUNCH", "Its `container_id` is the executor's, whose sandbox the task has.", nil); err != nil {
		return err
	}
	if _, err := events.await(s.ctx, "LAUNCH", nil); err != nil {
		return err
	}
	say := func(calls ...call) error {
		for i := range calls {
			calls[i].body = s.ids() + ", " + calls[i].body
		}
		return s.calls(in, s.c.agent, executorPath, nil, calls)
	}
	if err := say(call{http.StatusAccepted, "UPDATE", "It is durable at the agent when the agent answers with `ACKNOWLEDGED`.", update("worker-1", "TASK_RUNNING", "AAAAAAAAQACAAAAAAAAAAQ==")}); err != nil {
		return err
	}
	if _, err := s.heard(in, events, "ACKNOWLEDGED", "", nil); err != nil {
		return err
	}
	if err := s.acknowledge("worker-1", "TASK_RUNNING"); err != nil {
		return err
	}
	if err := say(
		call{http.StatusAccepted, "MESSAGE", "For the scheduler, which may or may not get it.", `"message": {"data": "aGVsbG8="}`},
		call{http.StatusAccepted, "HEARTBEAT", "Has no effect: the connection's state is what counts.", `"heartbeat": {}`}); err != nil {
		return err
	}
	if _, err := s.heard(in, events, "HEARTBEAT", "Every `--executor_heartbeat_interval`, here 1 s.", nil); err != nil {
		return err
	}
	return s.messages(in, events)
}

// acknowledge takes in news of a task and acknowledges it.
func (s *script) acknowledge(task, state string) error {
	_, acknowledge, err := s.news(task, state)
	if err != nil {
		return err
	}
	return s.quietly(acknowledge)
}

// messages are those between the scheduler and the executor.
func (s *script) messages(in *chapter, events *stream) error {
	scheduler := s.schedulerChapter
	if _, err := s.heard(scheduler, s.scheduler, "MESSAGE", "Of an executor.", nil); err != nil {
		return err
	}
	if err := s.say(scheduler,
		call{http.StatusAccepted, "MESSAGE", "For an executor.", fmt.Sprintf(
			`"message": {"agent_id": {"value": %q}, "executor_id": {"value": "crew"}, "data": "aGVsbG8="}`, s.agent)},
		call{http.StatusAccepted, "KILL", "", fmt.Sprintf(
			`"kill": {"task_id": {"value": "worker-1"}, "agent_id": {"value": %q}, "kill_policy": {"grace_period": {"nanoseconds": 5000000000}}}`, s.agent)}); err != nil {
		return err
	}
	if _, err := s.heard(in, events, "MESSAGE", "Of the scheduler.", nil); err != nil {
		return err
	}
	if _, err := s.heard(in, events, "KILL", "The executor ends the task, and says so by `UPDATE`.", nil); err != nil {
		return err
	}
	r := request{
		to: s.c.agent, method: http.MethodPost, path: executorPath, headers: []string{asJSON},
		body: `{"type": "UPDATE", ` + s.ids() + `, ` + update("worker-1", "TASK_KILLED", "AAAAAAAAQACAAAAAAAAAAg==") + `}`,
	}
	if _, err := r.do(s.ctx); err != nil {
		return err
	}
	return s.acknowledge("worker-1", "TASK_KILLED")
}

// endExecutor has the scheduler end the executor.
func (s *script) endExecutor(in *chapter, events *stream) error {
	scheduler := s.schedulerChapter
	if err := s.say(scheduler, call{http.StatusAccepted, "SHUTDOWN", "Ends an executor with its tasks.", fmt.Sprintf(
		`"shutdown": {"agent_id": {"value": %q}, "executor_id": {"value": "crew"}}`, s.agent)}); err != nil {
		return err
	}
	if _, err := s.heard(in, events, "SHUTDOWN", "The executor has `--executor_shutdown_grace_period` to end by itself.", nil); err != nil {
		return err
	}
	if err := s.hearOfTheEnd(scheduler); err != nil {
		return err
	}
	if err := s.group(in); err != nil {
		return err
	}
	return s.stranger(in)
}

// hearOfTheEnd takes in the end of an executor and of its last task.
func (s *script) hearOfTheEnd(in *chapter) error {
	if _, err := s.heard(in, s.scheduler, "FAILURE", "An executor has ended; without `executor_id`, an agent is lost.", nil); err != nil {
		return err
	}
	return s.acknowledge("worker-2", "TASK_FAILED")
}

// group has an executor hear of tasks that start and end together.
func (s *script) group(in *chapter) error {
	offer, err := s.offered()
	if err != nil {
		return err
	}
	executor := s.executor("crew", "CUSTOM")
	if err := s.quietly(call{http.StatusAccepted, "ACCEPT", "", s.acceptGroup(offer, executor, "first", "second")}); err != nil {
		return err
	}
	events, err := s.subscribeExecutor(&chapter{})
	if err != nil {
		return err
	}
	if _, err := s.heard(in, events, "LAUNCH_GROUP", "Tasks that start and end together.", nil); err != nil {
		return err
	}
	if err := s.quietly(call{http.StatusAccepted, "SHUTDOWN", "", fmt.Sprintf(
		`"shutdown": {"agent_id": {"value": %q}, "executor_id": {"value": "crew"}}`, s.agent)}); err != nil {
		return err
	}
	for _, task := range []string{"first", "second"} {
		if err := s.acknowledge(task, "TASK_FAILED"); err != nil {
			return err
		}
	}
	return nil
}

// stranger subscribes for an executor that lives in a host.
func (s *script) stranger(in *chapter) error {
	events, err := (&request{
		to: s.c.agent, method: http.MethodPost, path: executorPath, headers: []string{asJSON},
		body: `{"type": "SUBSCRIBE", ` + s.frameworkID() + `, "executor_id": {"value": "web-1"}, "subscribe": {"unacknowledged_tasks": [], "unacknowledged_updates": []}}`,
	}).subscribe(s.ctx)
	if err != nil {
		return err
	}
	if _, err := s.heard(in, events, "ERROR", "The last event: the executor has to end. This one subscribes for a task that has only a command, whose executor is built in.", nil); err != nil {
		return err
	}
	return events.end(s.ctx)
}
