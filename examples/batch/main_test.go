package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
)

func TestProgressBarOnATerminal(t *testing.T) {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	m := frameworktest.New(t, sys, func(i *mesos.TaskInfo) []mesos.TaskState {
		if i.GetCommand().GetValue() == "bad" {
			return []mesos.TaskState{mesos.TaskState_TASK_FAILED}
		}
		return []mesos.TaskState{mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED}
	})
	m.Agent(t, "S1", "cpus:8;mem:1024")
	file := filepath.Join(t.TempDir(), "commands")
	if err := os.WriteFile(file, []byte("good\n# no\nbad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tasks, err := read(file, frameworks.Task{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), frameworks.Options{Master: sys.Address(), Name: "batch"}, tasks, &out, true)
	if err == nil || err.Error() != "not all commands finished" {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{
		"[" + strings.Repeat("#", 20) + strings.Repeat(".", 20) + "] 1/2",
		"[" + strings.Repeat("#", 40) + "] 2/2",
		`task "line-3", attempt 1: TASK_FAILED: bad`,
		"1 of 2 commands finished\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %q", want, out.String())
		}
	}
}

func TestLinesThatAreTooLong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "commands")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(file, frameworks.Task{}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("error %v", err)
	}
}
