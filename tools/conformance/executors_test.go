package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// An executor of somebody else's making runs tasks alone and in groups, is told
// of everything, and comes back when its stream breaks. It makes every call but
// HEARTBEAT and gets every event but ERROR, which TestAnExecutorThatDoesNotRead
// shows.
func TestExecutors(t *testing.T) {
	c := newWorld(t)
	c.agentFlags = []string{"--executor_heartbeat_interval=200ms"}
	c.start()
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("executors"))
		e := custom(t, "player", enc)
		offer := f.offer()
		f.accept(offer, launch(played(offer, "lasts", "", e), played(offer, "ends", "finish", e)))
		if status := f.update("lasts", mesos.TaskState_TASK_RUNNING); status.GetMessage() != "said by the executor" ||
			status.GetExecutorId().GetValue() != "player" || status.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR {
			t.Errorf("an update of the executor's: %v", status)
		}
		f.update("ends", mesos.TaskState_TASK_FINISHED)
		for _, event := range []string{"SUBSCRIBED", "LAUNCH", "ACKNOWLEDGED", "HEARTBEAT"} {
			f.told("event " + event)
		}
		f.grouped(e)
		f.tell(offer.GetAgentId(), e, "environment")
		f.handed(c, f.told("environment "), offer)
		f.told("event MESSAGE")
		f.tell(offer.GetAgentId(), e, "again")
		f.told("event SUBSCRIBED")
		f.say(kill("lasts"))
		f.told("event KILL")
		f.update("lasts", mesos.TaskState_TASK_KILLED)
		f.say(shutdown(offer, e))
		f.told("event SHUTDOWN")
		if failure := f.event(scheduler.Event_FAILURE).GetFailure(); failure.Status == nil || failure.GetStatus() != 0 {
			t.Errorf("an executor that ended as it was told: %v", failure)
		}
		f.teardown()
	})
}

func shutdown(offer *mesos.Offer, e *mesos.ExecutorInfo) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_SHUTDOWN.Enum(), Shutdown: &scheduler.Call_Shutdown{
		ExecutorId: e.GetExecutorId(), AgentId: offer.GetAgentId(),
	}}
}

// grouped launches two tasks together.
func (f *framework) grouped(e *mesos.ExecutorInfo) {
	f.t.Helper()
	offer := f.offer()
	group := &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{played(offer, "one", "", nil), played(offer, "other", "", nil)}}
	f.accept(offer, &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(), LaunchGroup: &mesos.Offer_Operation_LaunchGroup{Executor: e, TaskGroup: group},
	})
	f.told("event LAUNCH_GROUP")
	f.update("one", mesos.TaskState_TASK_RUNNING)
	f.update("other", mesos.TaskState_TASK_RUNNING)
}

// handed checks the environment that an executor is given.
func (f *framework) handed(c *cluster, told string, offer *mesos.Offer) {
	f.t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(strings.TrimPrefix(told, "environment ")), &list); err != nil {
		f.t.Fatal(err)
	}
	got := map[string]string{}
	for _, variable := range list {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value
	}
	for name, want := range map[string]string{
		"MESOS_FRAMEWORK_ID": f.FrameworkID, "MESOS_EXECUTOR_ID": "player", "MESOS_SLAVE_ID": offer.GetAgentId().GetValue(),
		"MESOS_AGENT_ENDPOINT": c.agent, "MESOS_SLAVE_PID": "slave(1)@" + c.agent, "MESOS_CHECKPOINT": "1", "LIBPROCESS_PORT": "0",
		"LIBPROCESS_IP": "127.0.0.1", "MESOS_HTTP_COMMAND_EXECUTOR": "0", "MESOS_ALLOCATION_ROLE": "*", "MESOS_SUBSCRIPTION_BACKOFF_MAX": "500ms",
		"MESOS_RECOVERY_TIMEOUT": "15mins", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "20secs", "MESOS_DIRECTORY": got["MESOS_SANDBOX"],
	} {
		if got[name] != want {
			f.t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"MESOS_SANDBOX", "PATH"} {
		if got[name] == "" {
			f.t.Errorf("%s is not set", name)
		}
	}
	if home, set := got["HOME"]; set {
		f.t.Errorf("the agent's own environment is handed on: HOME=%s", home)
	}
}

// Custom executors and their tasks outlive the agent, and find it again.
func TestExecutorsOutliveTheirAgent(t *testing.T) {
	c := newCluster(t)
	f := subscribe(t, c.master, mesosclient.Protobuf{}, describe("outliving"))
	offer := f.offer()
	e := custom(t, "player", mesosclient.JSON{})
	f.accept(offer, launch(played(offer, "survivor", "", e)))
	f.update("survivor", mesos.TaskState_TASK_RUNNING)
	f.told("event SUBSCRIBED")
	c.restartAgent()
	processtest.Eventually(t, "the executor is back", func() bool {
		f.tell(offer.GetAgentId(), e, "say still here")
		e, _, _ := f.find(func(e *scheduler.Event) bool { return string(e.GetMessage().GetData()) == "still here" })
		return e != nil
	})
	f.tell(offer.GetAgentId(), e, "finish survivor")
	f.update("survivor", mesos.TaskState_TASK_FINISHED)
	f.teardown()
}

// What an executor leaves behind ends with it, and the scheduler is told how.
func TestExecutorsThatFail(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("failing"))
		offer := f.offer()
		e := custom(t, "fails", enc)
		f.accept(offer, launch(played(offer, "orphan", "", e)))
		f.update("orphan", mesos.TaskState_TASK_RUNNING)
		f.tell(offer.GetAgentId(), e, "fail 3")
		if status := f.update("orphan", mesos.TaskState_TASK_FAILED); status.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED {
			t.Errorf("the task of an executor that failed: %v", status)
		}
		if failure := f.event(scheduler.Event_FAILURE).GetFailure(); failure.GetStatus() != 3<<8 {
			t.Errorf("its executor: %v", failure)
		}
		f.teardown()
	})
}

// silent is an executor whose process says nothing: the test speaks for it.
func silent(t *testing.T, c *cluster, f *framework, id string) *mesosclient.Executor {
	t.Helper()
	offer := f.offer()
	e := custom(t, id, f.Encoding)
	e.Command, e.ShutdownGracePeriod = &mesos.CommandInfo{Value: proto.String("exec sleep 1000")}, nil
	f.accept(offer, launch(played(offer, "task of "+id, "", e)))
	s := &mesosclient.Executor{
		Endpoint:    mesosclient.Endpoint{Address: c.agent, Path: mesosclient.ExecutorPath, Encoding: f.Encoding},
		FrameworkID: f.FrameworkID, ExecutorID: id,
	}
	processtest.Eventually(t, "the executor is known", func() bool {
		a, _ := s.Say(t.Context(), &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("x")}})
		return a != nil && a.Status == http.StatusForbidden // it is not subscribed
	})
	return s
}

// Every row of the error table of the executor API.
func TestRefusedExecutorCalls(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("refused executors"))
		s := silent(t, c, f, "silent")
		nobody := executorCall(executor.Call_SUBSCRIBE, f.FrameworkID, "nobody")
		nobody.Subscribe = &executor.Call_Subscribe{}
		for _, prefix := range []string{"", "/slave(1)"} {
			refuse(t, c.agent, prefix+mesosclient.ExecutorPath, enc, malformed(t, enc, nobody))
			refuse(t, c.agent, prefix+mesosclient.ExecutorPath, enc, executorCalls(t, f, nobody))
		}
		// HEARTBEAT is taken of anybody.
		s.ExecutorID = "nobody"
		if a, err := s.Say(t.Context(), &executor.Call{Type: executor.Call_HEARTBEAT.Enum()}); err != nil || a.Status != http.StatusAccepted {
			t.Errorf("HEARTBEAT: %v, %v", a, err)
		}
		// After all that the executor itself is served.
		s.ExecutorID = "silent"
		if err := s.Subscribe(t.Context(), &executor.Call_Subscribe{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []executor.Event_Type{executor.Event_SUBSCRIBED, executor.Event_LAUNCH} {
			e, err := s.Event()
			if err != nil || e.GetType() != want {
				t.Fatalf("%v, %v, want %s", e, err, want)
			}
			task := e.GetLaunch().GetTask()
			for _, r := range append(task.GetResources(), task.GetExecutor().GetResources()...) {
				if r.GetAllocationInfo().GetRole() != "*" {
					t.Errorf("whose resources are %v?", r)
				}
			}
		}
		refuse(t, c.agent, mesosclient.ExecutorPath, enc, updates(t, f))
		refuse(t, c.agent, mesosclient.ExecutorPath, enc, []request{{
			name: "UNKNOWN", body: encoded(t, enc, executorCall(executor.Call_UNKNOWN, f.FrameworkID, "silent")), status: 501, says: "UNKNOWN",
		}})
		f.teardown()
	})
}

func executorCall(kind executor.Call_Type, framework, id string) *executor.Call {
	return &executor.Call{
		Type: kind.Enum(), FrameworkId: &mesos.FrameworkID{Value: proto.String(framework)}, ExecutorId: &mesos.ExecutorID{Value: proto.String(id)},
	}
}

// executorCalls are those of an executor that is not subscribed, and of others.
func executorCalls(t *testing.T, f *framework, nobody *executor.Call) []request {
	body := func(call *executor.Call) string { return encoded(t, f.Encoding, call) }
	message := func(framework, id string) *executor.Call {
		call := executorCall(executor.Call_MESSAGE, framework, id)
		call.Message = &executor.Call_Message{Data: []byte("x")}
		return call
	}
	anonymous := message(f.FrameworkID, "silent")
	anonymous.ExecutorId = nil
	return []request{
		{name: "no executor id", body: body(anonymous), status: 400, says: "executor_id"},
		{name: "no type", body: body(&executor.Call{FrameworkId: nobody.GetFrameworkId(), ExecutorId: nobody.GetExecutorId()}), status: 400, says: "type"},
		{name: "an unknown framework", body: body(message("nobody", "silent")), status: 400, says: "nobody.*Framework cannot be found"},
		{name: "an unknown executor", body: body(message(f.FrameworkID, "nobody")), status: 400, says: "nobody.*Executor cannot be found"},
		{name: "SUBSCRIBE of an unknown executor", body: body(nobody), status: 400, says: "nobody"},
		{name: "UNKNOWN, not subscribed", body: body(executorCall(executor.Call_UNKNOWN, f.FrameworkID, "silent")), status: 403, says: "not subscribed"},
		{name: "not subscribed", body: body(message(f.FrameworkID, "silent")), status: 403, says: "not subscribed"},
		{name: "SUBSCRIBE without its part", body: body(executorCall(executor.Call_SUBSCRIBE, f.FrameworkID, "silent")), status: 400, says: "(?i)subscribe"},
		{name: "UPDATE without its part", body: body(executorCall(executor.Call_UPDATE, f.FrameworkID, "silent")), status: 400, says: "(?i)update"},
		{name: "MESSAGE without its part", body: body(executorCall(executor.Call_MESSAGE, f.FrameworkID, "silent")), status: 400, says: "(?i)message"},
	}
}

// updates are those that no executor may send, subscribed or not.
func updates(t *testing.T, f *framework) []request {
	var all []request
	add := func(name, says string, change func(*mesos.TaskStatus)) {
		call := executorCall(executor.Call_UPDATE, f.FrameworkID, "silent")
		status := &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: proto.String("task of silent")}, State: mesos.TaskState_TASK_RUNNING.Enum(),
			Uuid: make([]byte, 16), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		}
		change(status)
		call.Update = &executor.Call_Update{Status: status}
		all = append(all, request{name: name, body: encoded(t, f.Encoding, call), status: 400, says: says})
	}
	add("no uuid", "uuid", func(s *mesos.TaskStatus) { s.Uuid = nil })
	add("half a uuid", "uuid", func(s *mesos.TaskStatus) { s.Uuid = s.GetUuid()[:8] })
	add("of the agent", "source", func(s *mesos.TaskStatus) { s.Source = mesos.TaskStatus_SOURCE_AGENT.Enum() })
	add("staging", "state", func(s *mesos.TaskStatus) { s.State = mesos.TaskState_TASK_STAGING.Enum() })
	add("of another executor", "executor_id", func(s *mesos.TaskStatus) { s.ExecutorId = &mesos.ExecutorID{Value: proto.String("other")} })
	add("no task", "task_id", func(s *mesos.TaskStatus) { s.TaskId = nil })
	return all
}

// A second subscription takes the place of the first, whose stream ends.
func TestSecondSubscriptionOfAnExecutor(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("twice"))
		first := silent(t, c, f, "silent")
		if err := first.Subscribe(t.Context(), &executor.Call_Subscribe{}); err != nil {
			t.Fatal(err)
		}
		if e, err := first.Event(); err != nil || e.GetType() != executor.Event_SUBSCRIBED {
			t.Fatalf("%v, %v", e, err)
		}
		second := *first
		second.Stream = nil
		if err := second.Subscribe(t.Context(), &executor.Call_Subscribe{}); err != nil {
			t.Fatal(err)
		}
		if e, err := second.Event(); err != nil || e.GetType() != executor.Event_SUBSCRIBED || e.GetSubscribed().GetContainerId().GetValue() == "" {
			t.Fatalf("%v, %v", e, err)
		}
		for err := error(nil); err == nil; {
			if _, err = first.Event(); err != nil && err != io.EOF { //nolint:errorlint // of a reader
				t.Logf("the first stream ended with %v", err)
			}
		}
		f.teardown()
		// The executor is shut down with its framework.
		e := &executor.Event{}
		for err := error(nil); err == nil && e.GetType() != executor.Event_SHUTDOWN; {
			if e, err = second.Event(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An executor that reads nothing of what it is sent is cut off and told so; it
// may come back.
func TestAnExecutorThatDoesNotRead(t *testing.T) {
	c := newCluster(t)
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("slow executor"))
	s := silent(t, c, f, "silent")
	conn := dial(t, c.agent, 4096)
	call := executorCall(executor.Call_SUBSCRIBE, f.FrameworkID, "silent")
	call.Subscribe = &executor.Call_Subscribe{}
	body := encoded(t, f.Encoding, call)
	if err := conn.Say(strings.Replace(post(body), mesosclient.SchedulerPath, mesosclient.ExecutorPath, 1)); err != nil {
		t.Fatal(err)
	}
	response, err := conn.Response()
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	records := mesosclient.NewRecords(response.Body)
	first := &executor.Event{}
	record, err := records.Next()
	if err == nil {
		err = f.Encoding.Unmarshal(record, first)
	}
	if err != nil || first.GetType() != executor.Event_SUBSCRIBED {
		t.Fatalf("%v, %v", first, err)
	}
	agent := first.GetSubscribed().GetAgentInfo().GetId()
	e := &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("silent")}}
	ping := &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("x")}}
	processtest.Eventually(t, "the executor is cut off", func() bool {
		f.tell(agent, e, strings.Repeat("x", 1<<20))
		a, _ := s.Say(t.Context(), ping) // refused, in the end
		return a != nil && a.Status == http.StatusForbidden
	})
	if err := s.Subscribe(t.Context(), &executor.Call_Subscribe{}); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Event(); err != nil || e.GetType() != executor.Event_SUBSCRIBED {
		t.Errorf("after it was cut off: %v, %v", e, err)
	}
	wide(t, conn)
	last := &executor.Event{}
	for {
		record, err := records.Next()
		if err != nil {
			break
		}
		last.Reset()
		if err := f.Encoding.Unmarshal(record, last); err != nil {
			t.Fatal(err)
		}
	}
	if last.GetType() != executor.Event_ERROR {
		t.Errorf("the last event of a stream that was cut off is %s", last.GetType())
	}
	f.teardown()
}

// An executor that asks for an image does not run on the bare machine: its tasks
// end with a reason that says so.
func TestExecutorThatWantsAnImage(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("images"))
		offer := f.offer()
		e := custom(t, "imaged", enc)
		e.Container = &mesos.ContainerInfo{
			Type: mesos.ContainerInfo_MESOS.Enum(), Mesos: &mesos.ContainerInfo_MesosInfo{Image: &mesos.Image{
				Type: mesos.Image_DOCKER.Enum(), Docker: &mesos.Image_Docker{Name: proto.String("alpine")},
			}},
		}
		f.accept(offer, launch(played(offer, "imaged", "", e)))
		status := f.update("imaged", mesos.TaskState_TASK_FAILED)
		if !strings.Contains(status.GetMessage(), "executor.container.mesos.image") || status.GetSource() != mesos.TaskStatus_SOURCE_AGENT ||
			status.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED {
			t.Errorf("%v", status)
		}
		if ips := status.GetContainerStatus().GetNetworkInfos(); len(ips) != 1 || ips[0].GetIpAddresses()[0].GetIpAddress() != "127.0.0.1" {
			t.Errorf("the agent's own update has no address: %v", status)
		}
		f.teardown()
	})
}
