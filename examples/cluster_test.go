package examples

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; it decides nothing.
const patience = 3 * time.Minute

// programs is the folder that holds troupe and the examples, built once.
var programs string

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func build(m *testing.M) (code int, err error) {
	if programs, err = os.MkdirTemp("", "troupe-examples-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	// Tasks run as their user, who must reach the executor.
	if err := os.Chmod(programs, 0o755); err != nil {
		return 1, err
	}
	out, err := exec.Command("go", "build", "-o", programs+"/", "troupe/tools/troupe",
		"troupe/examples/hello", "troupe/examples/batch", "troupe/examples/ci", "troupe/examples/crawler", "troupe/examples/mapreduce", "troupe/examples/mpi", "troupe/examples/policy", "troupe/examples/redis").CombinedOutput()
	if err != nil {
		return 1, fmt.Errorf("build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// cluster starts a master and two agents, and is where the master listens. It
// ends with the test.
func cluster(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "troupe"), "local", "--port=0", "--resources=cpus:2;mem:1024;disk:100")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(2*patience, func() { _ = cmd.Process.Kill() }) // the reads below end then
	t.Cleanup(func() {
		defer watchdog.Stop()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("troupe local: %v\n%s", err, &errs)
		}
	})
	ready := regexp.MustCompile(`--master=(\S+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := ready.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("the cluster did not get ready: %v\n%s", lines.Err(), &errs)
	return ""
}

// example runs one of the programs to its end.
func example(t *testing.T, name string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b, err := exec.CommandContext(ctx, filepath.Join(programs, name), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %v does not end:\n%s", name, args, b)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(b), code
}

func wantLines(t *testing.T, out string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\n"+out, "\n"+l+"\n") {
			t.Errorf("no line %q in:\n%s", l, out)
		}
	}
}
