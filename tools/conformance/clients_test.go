package conformance

import (
	"os"
	"os/exec"
	"testing"

	"troupe/tools/processtest"
)

// Commands and the scheduler in Python prove who they are by their environment,
// and are told when they do not.
func TestClientsProveWhoTheyAre(t *testing.T) {
	c := asking(t)
	as := func(secret string, cmd *exec.Cmd) *processtest.Daemon {
		cmd.Env = append(os.Environ(), "TROUPE_PRINCIPAL=alice", "TROUPE_SECRET="+secret)
		return c.Start(cmd)
	}
	python := func() *exec.Cmd {
		return exec.Command("python3", "-B", "../../examples/python-scheduler/scheduler.py", "--master="+c.master, "exit 3")
	}
	right := as(aliceSecret, python())
	if code := right.Wait(); code != 3 {
		t.Errorf("the scheduler in Python ends with %d", code)
	}
	wrong := as(bobSecret, python())
	wrong.Await(wrong.Err, `401 401 Unauthorized\.`)
	if code := wrong.Wait(); code != 1 {
		t.Errorf("the scheduler in Python with a wrong secret ends with %d", code)
	}
	frameworks := []string{"frameworks", "--master=" + c.master}
	listed := as(aliceSecret, c.Command(frameworks...))
	if code := listed.Wait(); code != 0 {
		t.Errorf("troupe frameworks ends with %d", code)
	}
	refused := as(bobSecret, c.Command(frameworks...))
	refused.Await(refused.Err, `401 Unauthorized`)
	if code := refused.Wait(); code != 1 {
		t.Errorf("troupe frameworks with a wrong secret ends with %d", code)
	}
	// Its task is launched over actors, its agents and output are asked for over HTTP.
	ran := as(aliceSecret, c.Command("run", "--master="+c.master, "--", "echo", "done"))
	ran.Await(ran.Out, "(?m)^done$")
	if code := ran.Wait(); code != 0 {
		t.Errorf("troupe run ends with %d", code)
	}
}
