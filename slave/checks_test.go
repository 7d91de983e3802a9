package slave

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// story is what was told of a task, in order: the state, and what its checks
// said. Repetitions are left out.
func (f *fakeMaster) story(task string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	seen := map[string]bool{}
	for _, m := range f.got {
		u, ok := m.(*cluster.StatusUpdate)
		st := u.GetStatus()
		if !ok || st.GetTaskId().GetValue() != task || seen[string(st.GetUuid())] {
			continue
		}
		seen[string(st.GetUuid())] = true
		line := strings.TrimPrefix(st.GetState().String(), "TASK_")
		if st.Healthy != nil {
			line += fmt.Sprintf(" healthy=%t", st.GetHealthy())
		}
		if c := st.GetCheckStatus().GetCommand(); c != nil && c.ExitCode != nil {
			line += fmt.Sprintf(" code=%d", c.GetExitCode())
		}
		if st.Reason != nil {
			line += " " + strings.TrimPrefix(st.GetReason().String(), "REASON_TASK_")
		}
		lines = append(lines, line)
	}
	return lines
}

// health is a story without what the other check said.
func health(story []string) string {
	var lines []string
	for _, line := range story {
		if !strings.Contains(line, " CHECK_STATUS_UPDATED") {
			line, _, _ = strings.Cut(line, " HEALTH_CHECK_STATUS_UPDATED")
			line, _, _ = strings.Cut(line, " code=") // absent while the other check has said nothing
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", ")
}

// awaitTold waits until a task's story has a text.
func (f *fakeMaster) awaitTold(t *testing.T, task, text string) {
	t.Helper()
	await(t, f, task+": "+text, func(*cluster.StatusUpdate) bool {
		return strings.Contains(strings.Join(f.story(task), "\n"), text)
	})
}

// often is a health check without delay nor grace.
func often(h *mesos.HealthCheck) *mesos.HealthCheck {
	h.DelaySeconds, h.IntervalSeconds, h.GracePeriodSeconds = proto.Float64(0), proto.Float64(0.1), proto.Float64(0)
	return h
}

// TestHealthCheckFailsThenSucceedsThenKills, with the agent's process replaced
// while it succeeds.
func TestHealthCheckFailsThenSucceedsThenKills(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	a := startAgent(t, master, dir, "127.0.0.1:0", nil)
	address := a.sys.Address()
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	m := runTask("patient", "while :; do sleep 1; done")
	m.Framework.Capabilities = []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_TASK_KILLING_STATE.Enum()}}
	// Two failures, and success until somebody says that it is sick.
	m.Task.HealthCheck = often(&mesos.HealthCheck{
		Type:    mesos.HealthCheck_COMMAND.Enum(),
		Command: &mesos.CommandInfo{Value: proto.String(`echo x >>asked; [ $(wc -l <asked) -gt 2 ] && [ ! -e sick ]`)},
	})
	m.Task.Check = &mesos.CheckInfo{
		Type: mesos.CheckInfo_COMMAND.Enum(), DelaySeconds: proto.Float64(0), IntervalSeconds: proto.Float64(0.1),
		Command: &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{Value: proto.String(`[ -e asked ] || exit 5; exit 7`)}},
	}
	master.send(m)
	master.awaitTold(t, "patient", "RUNNING healthy=true")
	master.awaitTold(t, "patient", "code=7")
	sandbox := a.events.sandbox("patient")
	a.leave(t)
	if err := os.WriteFile(filepath.Join(sandbox, "sick"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := startAgent(t, master, dir, address, nil)
	defer b.shutdown(t)
	end := master.awaitState(t, "patient", mesos.TaskState_TASK_KILLED)
	if !strings.HasPrefix(end.GetMessage(), "its health check failed 3 times in a row: the command exited with status 1; Command ") ||
		end.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || end.Reason != nil || end.GetCheckStatus().GetType() != mesos.CheckInfo_COMMAND {
		t.Errorf("the end is %v", end)
	}
	want := "STARTING, RUNNING, RUNNING healthy=false, RUNNING healthy=false, RUNNING healthy=true, " +
		"RUNNING healthy=false, RUNNING healthy=false, RUNNING healthy=false, KILLING, KILLED healthy=false"
	if got := health(master.story("patient")); got != want {
		t.Errorf("the story is\n%s\nwant\n%s", strings.Join(master.story("patient"), "\n"), want)
	}
}

// TestChecksOfTheNetwork: a task whose server is asked by HTTP and by TCP.
func TestChecksOfTheNetwork(t *testing.T) {
	var code atomic.Int32
	code.Store(http.StatusServiceUnavailable)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(code.Load())) }))
	defer server.Close()
	_, text, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", nil)
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	for task, h := range map[string]*mesos.HealthCheck{
		"http": {
			Type: mesos.HealthCheck_HTTP.Enum(), ConsecutiveFailures: proto.Uint32(1_000_000),
			Http: &mesos.HealthCheck_HTTPCheckInfo{Port: proto.Uint32(uint32(port)), Path: proto.String("/health")},
		},
		"tcp": {Type: mesos.HealthCheck_TCP.Enum(), Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: proto.Uint32(uint32(port))}},
	} {
		m := runTask(task, "while :; do sleep 1; done")
		m.Task.HealthCheck = often(h)
		master.send(m)
	}
	master.awaitTold(t, "tcp", "RUNNING healthy=true")
	master.awaitTold(t, "http", "RUNNING healthy=false")
	code.Store(http.StatusFound)
	master.awaitTold(t, "http", "RUNNING healthy=true")
	for _, task := range []string{"http", "tcp"} {
		master.kill("F", task)
		if st := master.awaitState(t, task, mesos.TaskState_TASK_KILLED); st.Healthy != nil {
			t.Errorf("%s was killed by somebody, not by its health: %v", task, st)
		}
	}
}
