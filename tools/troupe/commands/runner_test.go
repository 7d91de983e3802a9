package commands

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// Whatever the pieces in which lines come, each is written once, whole, behind
// its prefix.
func TestLinesStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([ab]{0,5}\n?){0,20}`).Draw(t, "text")
		var out bytes.Buffer
		w := &lineWriter{prefix: "p | ", to: &out, mu: new(sync.Mutex)}
		for rest := []byte(text); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if written, err := w.Write(rest[:n]); written != n || err != nil {
				t.Fatalf("Write: %d, %v", written, err)
			}
			rest = rest[n:]
		}
		w.flush()
		want := ""
		for line := range strings.Lines(text) {
			want += "p | " + strings.TrimSuffix(line, "\n") + "\n"
		}
		if out.String() != want {
			t.Fatalf("%q became %q, want %q", text, out.String(), want)
		}
	})
}

func TestEndlessLinesAreBroken(t *testing.T) {
	var out bytes.Buffer
	w := &lineWriter{prefix: "> ", to: &out, mu: new(sync.Mutex)}
	for range 5 {
		if _, err := w.Write(bytes.Repeat([]byte("x"), maxLine/2)); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.rest) >= maxLine {
		t.Errorf("%d bytes are kept", len(w.rest))
	}
	w.flush()
	if n := strings.Count(out.String(), "x"); n != 5*maxLine/2 {
		t.Errorf("%d of %d characters came out", n, 5*maxLine/2)
	}
}

func TestExitCodes(t *testing.T) {
	for name, test := range map[string]struct {
		state   mesos.TaskState
		message string
		want    int
	}{
		"finished":       {mesos.TaskState_TASK_FINISHED, "exited with status 0", 0},
		"failed":         {mesos.TaskState_TASK_FAILED, tasks.Describe(42 << 8), 42},
		"killed":         {mesos.TaskState_TASK_KILLED, tasks.Describe(15), 143},
		"no words":       {mesos.TaskState_TASK_FAILED, "the disk is full", 1},
		"killed, status": {mesos.TaskState_TASK_KILLED, tasks.Describe(0), 1},
		"lost":           {mesos.TaskState_TASK_LOST, "", 1},
	} {
		p := frameworks.Progress{State: test.state, Status: &mesos.TaskStatus{Message: &test.message}}
		if got := exitCode(p); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
