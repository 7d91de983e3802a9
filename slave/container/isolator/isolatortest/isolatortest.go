// Package isolatortest starts programs as a plan wants it, so that tests of an
// isolator see on the real kernel what its plan does. Imported by tests of
// isolators.
package isolatortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"troupe/slave/container/plan"
)

// Main is what the TestMain of a package that uses Run does; it returns the exit
// code.
func Main(m *testing.M) int {
	if os.Getenv(child) == "" {
		return m.Run()
	}
	fmt.Fprintln(os.Stderr, "isolatortest:", become())
	return 255
}

// Result is how a program ended.
type Result struct {
	// Stdout is all that it wrote.
	Stdout, Stderr string
	// Code is its exit code, -1 when a signal ended it.
	Code int
}

// Run starts a program, whose path is absolute, as a user (by number; its group
// has the same) and as p plans it, and waits for its end.
func Run(t *testing.T, p *plan.Plan, user int, args ...string) Result {
	t.Helper()
	text, err := json.Marshal(order{Plan: *p, UID: user, GID: user, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{child + "=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.ExtraFiles = []*os.File{in}
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, "/"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if _, err := out.Write(text); err != nil {
		t.Error(err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// Shell is Run of a text for /bin/sh.
func Shell(t *testing.T, p *plan.Plan, user int, script string) Result {
	t.Helper()
	return Run(t, p, user, "/bin/sh", "-c", script)
}
