package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// Nothing is offered of an agent whose host is not in the whitelist, and it is
// said why; what runs there goes on, and is offered again when it is listed.
func TestWhitelist(t *testing.T) {
	c := newWorld(t)
	file := filepath.Join(c.Dir, "hosts")
	list := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list("n1.example\n")
	c.masterFlags = []string{"--whitelist=file://" + file}
	c.agentFlags = []string{"--hostname=N1.example"}
	c.start()
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("listed"))
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "stays", "sleep 1000")))
	f.acknowledge(f.update("stays", mesos.TaskState_TASK_RUNNING))
	f.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	rest := f.offer()
	list("")
	f.await("the offer taken back", func(e *scheduler.Event) bool {
		return e.GetRescind().GetOfferId().GetValue() == rest.GetId().GetValue()
	})
	processtest.Eventually(t, "it is explained", func() bool {
		return strings.Contains(c.get("/allocator/explain?framework="+f.FrameworkID), "not in the masters' whitelist")
	})
	r := &master.Response{}
	if err := c.operate().Ask(t.Context(), &master.Call{Type: master.Call_GET_AGENTS.Enum()}, r); err != nil || !r.GetGetAgents().GetAgents()[0].GetActive() {
		t.Errorf("an agent that is not listed is not active: %v %v", err, r)
	}
	list("two hosts\n")
	c.masterProcess.Await(c.masterProcess.Err, `whitelist cannot be read.*line 1\.hostname: \\"two hosts\\"`)
	list("n1.example\nn2.example\n")
	if again := f.offer(); again.GetAgentId().GetValue() != offer.GetAgentId().GetValue() {
		t.Errorf("offered: %v", again)
	}
	f.teardown()
}

// A master does not start with a whitelist that cannot be read, and says which
// line it is.
func TestABadWhitelist(t *testing.T) {
	c := newWorld(t)
	file := filepath.Join(c.Dir, "hosts")
	if err := os.WriteFile(file, []byte("good\nbad/host\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{file: "line 2.hostname: \"bad/host\"", filepath.Join(c.Dir, "absent"): "no such file"} {
		cmd := c.Command("master", "--port=0", "--registry=in_memory", "--whitelist="+path)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--whitelist") || !strings.Contains(string(out), says) {
			t.Errorf("%s: %v, %s; want %q", path, err, out, says)
		}
	}
}
