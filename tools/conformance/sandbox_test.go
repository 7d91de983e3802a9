package conformance

import (
	"testing"

	"troupe/frameworks/sandbox"
	"troupe/messages/mesos"
	"troupe/tools/mesosclient"
)

// A framework reads what its tasks have written, from agents that it never met,
// also of a task that has ended, and after the agent was killed.
func TestFrameworkReadsSandboxes(t *testing.T) {
	c := newCluster(t)
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("reader"))
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "speaks", "echo said; mkdir data; echo more >data/file")))
	agent := f.update("speaks", mesos.TaskState_TASK_FINISHED).GetAgentId().GetValue()
	r := sandbox.New(sandbox.Options{Master: func() string { return c.master }})
	task := sandbox.Task{Framework: f.FrameworkID, Agent: agent, ID: "speaks"}
	reads := func(file, want string) {
		t.Helper()
		if piece, err := r.Read(t.Context(), task, file, 0, 1000); err != nil || piece.Data != want {
			t.Errorf("%s: %v, %v", file, piece, err)
		}
	}
	reads("stdout", "said\n")
	reads("data/file", "more\n")
	files, err := r.Files(t.Context(), task, "data")
	if err != nil || len(files) != 1 || files[0].Name != "data/file" || files[0].Size != 5 {
		t.Errorf("%v, %v", files, err)
	}
	c.restartAgent()
	reads("stdout", "said\n")
	f.teardown()
}
