package main

import (
	"fmt"
	"net/http"
)

const executorPath = "/api/v1/executor"

// executors is what an executor says and hears. Its program does nothing: its
// part is played here.
func (s *script) executors() error {
	in := s.page.chapter("Executor API: `POST /api/v1/executor` of the agent",
		"An executor finds its ids, and the agent, in its environment (`MESOS_FRAMEWORK_ID`, `MESOS_EXECUTOR_ID`,\n"+
			"`MESOS_AGENT_ENDPOINT`). A subscription is answered by a stream of events.")
	offer, err := s.offered(in, "")
	if err != nil {
		return err
	}
	task := func(id string) string {
		return fmt.Sprintf(`{"name": "worker", "task_id": {"value": %q}, "agent_id": {"value": %q}, "resources": [%s],
			"executor": {"type": "CUSTOM", "executor_id": {"value": "crew"}, "framework_id": {"value": %q}, "name": "crew", "command": {"value": "sleep 1000"}, "resources": [%s]}}`,
			id, s.agent, resources(0.5, 32), s.framework, resources(0.1, 32))
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
	s.show(s.c.agent, executorPath)
	s.show(s.c.agent, executorPath+" SUBSCRIBE")
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
	launch, err := events.await(s.ctx, "LAUNCH", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `LAUNCH`", "", launch)
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
	acknowledged, err := events.await(s.ctx, "ACKNOWLEDGED", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `ACKNOWLEDGED`", "", acknowledged)
	if err := s.acknowledge("worker-1", "TASK_RUNNING"); err != nil {
		return err
	}
	if err := say(
		call{http.StatusAccepted, "MESSAGE", "For the scheduler, which may or may not get it.", `"message": {"data": "aGVsbG8="}`},
		call{http.StatusAccepted, "HEARTBEAT", "", `"heartbeat": {}`}); err != nil {
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
	message, err := s.scheduler.await(s.ctx, "MESSAGE", nil)
	if err != nil {
		return err
	}
	scheduler := s.schedulerChapter
	s.record(scheduler, "Event `MESSAGE`", "", message)
	if err := s.say(scheduler,
		call{http.StatusAccepted, "MESSAGE", "For an executor.", fmt.Sprintf(
			`"message": {"agent_id": {"value": %q}, "executor_id": {"value": "crew"}, "data": "aGVsbG8="}`, s.agent)},
		call{http.StatusAccepted, "KILL", "", fmt.Sprintf(
			`"kill": {"task_id": {"value": "worker-1"}, "agent_id": {"value": %q}, "kill_policy": {"grace_period": {"nanoseconds": 5000000000}}}`, s.agent)}); err != nil {
		return err
	}
	if message, err = events.await(s.ctx, "MESSAGE", nil); err != nil {
		return err
	}
	s.record(in, "Event `MESSAGE`", "", message)
	kill, err := events.await(s.ctx, "KILL", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `KILL`", "", kill)
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
	shutdown, err := events.await(s.ctx, "SHUTDOWN", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `SHUTDOWN`", "The executor has `--executor_shutdown_grace_period` to end by itself.", shutdown)
	return s.hearOfTheEnd(scheduler)
}

// hearOfTheEnd takes in the end of an executor and of its last task.
func (s *script) hearOfTheEnd(in *chapter) error {
	failure, err := s.scheduler.await(s.ctx, "FAILURE", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `FAILURE`", "An executor has ended; without `executor_id`, an agent is lost.", failure)
	return s.acknowledge("worker-2", "TASK_FAILED")
}
