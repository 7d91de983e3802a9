package posix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func waitDaemon(t *testing.T, d *Daemon) string {
	t.Helper()
	select {
	case <-d.Done():
	case <-time.After(patience):
		t.Fatalf("process %d does not end", d.Pid())
	}
	return d.Message()
}

func TestDaemonIsOnItsOwn(t *testing.T) {
	dir := t.TempDir()
	output := filepath.Join(dir, "log")
	d, err := StartDaemon("/bin/sh", []string{"-c", "echo $A $HOME; exit 4"}, []string{"A=b"}, output)
	if err != nil {
		t.Fatal(err)
	}
	if got := waitDaemon(t, d); got != "exit status 4" {
		t.Errorf("it ended by %q", got)
	}
	if err := d.Kill(); err != nil {
		t.Errorf("killed after its end: %v", err)
	}
	if text, err := os.ReadFile(output); err != nil || string(text) != "b\n" {
		t.Errorf("it wrote %q, %v", text, err)
	}
	d, err = StartDaemon("/bin/sleep", []string{"1000"}, nil, output)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := readStat(d.Pid()); err != nil || s.session != d.Pid() {
		t.Errorf("its session is %d, %v", s.session, err)
	}
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := waitDaemon(t, d); got != "signal: killed" {
		t.Errorf("it ended by %q", got)
	}
}

func TestDaemonThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if _, err := StartDaemon("/no/such/program", nil, nil, filepath.Join(dir, "log")); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("error is %v", err)
	}
	if _, err := StartDaemon("/bin/true", nil, nil, "/no/such/log"); err == nil || !strings.Contains(err.Error(), "/no/such/log") {
		t.Errorf("error is %v", err)
	}
	if _, err := FindDaemon(1<<30, 1000); err == nil || !strings.Contains(err.Error(), "1073741824") {
		t.Errorf("error is %v", err)
	}
}

func TestFoundDaemonIsWatchedAndKilled(t *testing.T) {
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	self, err := readStat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(cmd.Process.Pid, self.started-1); err == nil || !strings.Contains(err.Error(), "it is another") {
		t.Errorf("another process is taken: %v", err)
	}
	d, err := FindDaemon(cmd.Process.Pid, self.started)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.Done():
		t.Error("it is held for ended")
	default:
	}
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says that it was killed
	if got := waitDaemon(t, d); got != "it ended" {
		t.Errorf("it ended by %q", got)
	}
}
