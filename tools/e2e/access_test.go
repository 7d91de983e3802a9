package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A whole cluster asks who reads, master and agents alike, for the same
// credentials.
func TestLocalCredentials(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "credentials")
	if err := os.WriteFile(file, []byte(`{"credentials":[{"principal":"ops","secret":"sesame"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	asking := []string{"--agents=1", "--credentials=" + file, "--authenticate_http_readonly", "--authenticate_http_readwrite"}
	wrong := w.start(append([]string{"local", "--port=0", "--principal=ops", "--secret=wrong"}, asking...)...)
	wrong.wait().check(t, "local of who cannot prove it", 1, "^$", "401")

	d := w.local(append([]string{"--principal=ops", "--secret=sesame"}, asking...)...)
	w.do("agents").check(t, "agents, by nobody", 1, "^$", "401")
	w.flags = append(w.flags, "--principal=ops", "--secret=sesame")
	w.do("agents").check(t, "agents", 0, "127.0.0.1", "^$")
	w.do("run", "--", "echo", "hello").check(t, "run", 0, "^hello\n$", "TASK_FINISHED")
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "local after SIGINT", 0, "", "^$")
}
