package examples

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// world is a cluster whose processes are known, and killed by some of its tests.
type world struct {
	*processtest.World
	master string
}

// newWorld starts a cluster of two agents with 2 CPUs and some free ports each.
// More flags may say otherwise. When the test ends nothing of it may be left.
func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	w := &world{World: processtest.New(t, filepath.Join(programs, "troupe"))}
	var ports []string
	for range 8 {
		p := processtest.FreePort(t)
		ports = append(ports, fmt.Sprintf("%d-%d", p, p))
	}
	local := w.Start(w.Command(append([]string{
		"local", "--port=0", "--work_dir=" + filepath.Join(w.Dir, "cluster"),
		"--resources=cpus:2;mem:1024;disk:1024;ports:[" + strings.Join(ports, ",") + "]",
	}, flags...)...))
	w.master = local.Await(local.Out, `--master=(\S+)`)[1]
	t.Cleanup(func() {
		local.Signal(syscall.SIGTERM)
		if code := local.Wait(); code != 0 {
			t.Errorf("troupe local ended with %d", code)
		}
		if !t.Failed() {
			processtest.Eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
		}
	})
	return w
}

// start starts one of the examples.
func (w *world) start(name string, args ...string) *processtest.Daemon {
	cmd := exec.Command(filepath.Join(programs, name), append([]string{"-master=" + w.master}, args...)...)
	cmd.Dir, cmd.Env = w.Dir, w.Environment()
	return w.Start(cmd)
}

// kill waits for processes of tasks with a text in their command lines, and
// kills them.
func (w *world) kill(text string) {
	w.T.Helper()
	processtest.Eventually(w.T, "there is a "+text, func() bool {
		killed := 0
		for _, p := range w.Processes() {
			if strings.Contains(p.Command, text) && syscall.Kill(p.PID, syscall.SIGKILL) == nil {
				killed++
			}
		}
		return killed > 0
	})
}
