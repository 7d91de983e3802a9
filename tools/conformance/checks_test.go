package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// learn takes the updates of a running task until one says what is meant; each
// must have a status of the task's check.
func (f *framework) learn(task string, meant func(*mesos.TaskStatus) bool) *mesos.TaskStatus {
	f.t.Helper()
	for {
		status := f.update(task, mesos.TaskState_TASK_RUNNING)
		if status.GetCheckStatus().GetType() != mesos.CheckInfo_COMMAND || status.GetCheckStatus().GetCommand() == nil {
			f.t.Errorf("nothing of the check: %v", status)
		}
		if meant(status) {
			return status
		}
	}
}

// A task whose health check fails, then succeeds, while its agent is killed and
// comes back, and at last fails until the task is killed.
func TestHealthOfTasks(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("health"))
		offer := f.offer()
		sick := filepath.Join(t.TempDir(), "sick")
		task := shell(offer, "patient", "exec sleep 1000")
		task.HealthCheck = &mesos.HealthCheck{
			Type: mesos.HealthCheck_COMMAND.Enum(), DelaySeconds: proto.Float64(0), IntervalSeconds: proto.Float64(0.1), GracePeriodSeconds: proto.Float64(0),
			Command: &mesos.CommandInfo{Value: proto.String(fmt.Sprintf("echo x >>asked; [ $(wc -l <asked) -gt 2 ] && [ ! -e '%s' ]", sick))},
		}
		task.Check = &mesos.CheckInfo{
			Type: mesos.CheckInfo_COMMAND.Enum(), DelaySeconds: proto.Float64(0), IntervalSeconds: proto.Float64(0.1),
			Command: &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{Value: proto.String("exit 7")}},
		}
		f.accept(offer, launch(task))
		f.update("patient", mesos.TaskState_TASK_STARTING)
		f.learn("patient", func(s *mesos.TaskStatus) bool {
			return s.Healthy != nil && !s.GetHealthy() && s.GetReason() == mesos.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED
		})
		f.learn("patient", func(s *mesos.TaskStatus) bool {
			return s.GetHealthy() && s.GetCheckStatus().GetCommand().GetExitCode() == 7
		})
		f.known("patient")
		c.restartAgent()
		if err := os.WriteFile(sick, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			// The last update may come again, if its acknowledgement died with the agent.
			status := f.learn("patient", func(s *mesos.TaskStatus) bool { return !s.GetHealthy() })
			if status.Healthy == nil || status.GetHealthy() || status.GetCheckStatus().GetCommand().GetExitCode() != 7 ||
				!strings.HasPrefix(status.GetMessage(), fmt.Sprintf("health check failed, %d in a row: ", n+1)) {
				t.Errorf("failure %d is %v", n+1, status)
			}
		}
		f.update("patient", mesos.TaskState_TASK_KILLING)
		end := f.update("patient", mesos.TaskState_TASK_KILLED)
		if end.Healthy == nil || end.GetHealthy() || end.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR {
			t.Errorf("the end is %v", end)
		}
		f.teardown()
	})
}

// known asks for a task that was healthy, and whose check said 7.
func (f *framework) known(task string) {
	f.t.Helper()
	f.reconcile(task)
	status := f.await("reconciliation", func(e *scheduler.Event) bool {
		return e.GetUpdate().GetStatus().GetReason() == mesos.TaskStatus_REASON_RECONCILIATION
	}).GetUpdate().GetStatus()
	if !status.GetHealthy() || status.GetCheckStatus().GetCommand().GetExitCode() != 7 {
		f.t.Errorf("reconciled: %v", status)
	}
}

// Checks that cannot be asked end their task before it begins.
func TestChecksThatCannotBe(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("wrong checks"))
		offer := f.offer()
		var tasks []*mesos.TaskInfo
		wrong := map[string]string{}
		add := func(says string, h *mesos.HealthCheck, check *mesos.CheckInfo) {
			id := fmt.Sprint("t", len(tasks))
			task := shell(offer, id, "true")
			task.HealthCheck, task.Check = h, check
			wrong[id] = says
			tasks = append(tasks, task)
		}
		tcp := func(change func(h *mesos.HealthCheck)) *mesos.HealthCheck {
			h := &mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum(), Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: proto.Uint32(80)}}
			change(h)
			return h
		}
		add("health_check.type", &mesos.HealthCheck{}, nil)
		add("health_check.http: must be set", &mesos.HealthCheck{Type: mesos.HealthCheck_HTTP.Enum()}, nil)
		add("health_check.command: must be set", &mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum()}, nil)
		add("health_check.tcp.port: 0", tcp(func(h *mesos.HealthCheck) { h.Tcp.Port = proto.Uint32(0) }), nil)
		add("health_check.grace_period_seconds: -1", tcp(func(h *mesos.HealthCheck) { h.GracePeriodSeconds = proto.Float64(-1) }), nil)
		add("health_check.delay_seconds: -1", tcp(func(h *mesos.HealthCheck) { h.DelaySeconds = proto.Float64(-1) }), nil)
		add("check.tcp: must be set", nil, &mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum()})
		add(`check.http.path: "x"`, nil, &mesos.CheckInfo{
			Type: mesos.CheckInfo_HTTP.Enum(), Http: &mesos.CheckInfo_Http{Port: proto.Uint32(80), Path: proto.String("x")},
		})
		f.accept(offer, launch(tasks...))
		for id, says := range wrong {
			status := f.update(id, mesos.TaskState_TASK_ERROR)
			if !strings.Contains(status.GetMessage(), says) || status.GetReason() != mesos.TaskStatus_REASON_TASK_INVALID ||
				status.GetSource() != mesos.TaskStatus_SOURCE_MASTER {
				t.Errorf("%s: %v, want %q", id, status, says)
			}
		}
		f.teardown()
	})
}
