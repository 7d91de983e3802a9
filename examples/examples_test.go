package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHello(t *testing.T) {
	master := cluster(t)
	out, code := example(t, "hello", "-master="+master)
	if code != 0 {
		t.Errorf("exit status %d", code)
	}
	wantLines(t, out, "hello TASK_RUNNING", "hello TASK_FINISHED")

	out, code = example(t, "hello", "-master="+master, "-command=exit 7")
	if code != 1 {
		t.Errorf("exit status %d", code)
	}
	wantLines(t, out, "hello TASK_FAILED", `task "hello", attempt 1: TASK_FAILED: Command exited with status 7`)
}

func TestBatch(t *testing.T) {
	master := cluster(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "commands")
	flaky := fmt.Sprintf("mkdir %s/first || touch %s/second", dir, dir)
	commands := "# a comment\n\ntrue\n" + strings.ReplaceAll(flaky, " || ", " && exit 5 || ") + "\n"
	if err := os.WriteFile(file, []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := example(t, "batch", "-master="+master, file)
	if code != 0 {
		t.Errorf("exit status %d", code)
	}
	wantLines(t, out, "2 of 2 commands finished")
	if !strings.Contains(out, `task "line-4", attempt 1: TASK_FAILED: Command exited with status 5`) {
		t.Errorf("no failure of the flaky command in:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "second")); err != nil {
		t.Error(err)
	}

	if err := os.WriteFile(file, []byte("true\nno-such-program\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code = example(t, "batch", "-master="+master, "-retries=0", file)
	if code != 1 {
		t.Errorf("exit status %d", code)
	}
	wantLines(t, out, "1 of 2 commands finished", "not all commands finished")

	if out, code = example(t, "batch", "-master="+master, filepath.Join(dir, "nothing")); code != 1 {
		t.Errorf("exit status %d: %s", code, out)
	}
}

// TestMapReduce kills executors while their tasks run: every word is counted
// all the same, and once.
func TestMapReduce(t *testing.T) {
	master := cluster(t)
	dir := t.TempDir()
	const pieces = 12
	for i := range pieces {
		text := strings.Repeat("To be, or not to be.\n", i+1)
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "mapreduce"), "-master="+master, "-rest=500ms", dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := killMappers(t)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	lines := pieces * (pieces + 1) / 2
	want := fmt.Sprintf("%d be\n%d to\n%d not\n%d or\n", 2*lines, 2*lines, lines, lines)
	if out.String() != want {
		t.Errorf("counted\n%s\nwant\n%s", &out, want)
	}
	if !strings.Contains(errs.String(), "TASK_FAILED") {
		t.Errorf("%d executors killed, and no task failed:\n%s", killed, &errs)
	}
}

// killMappers waits until there are executors, and kills those it sees.
func killMappers(t *testing.T) int {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		killed := 0
		for _, pid := range mappers(t) {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
		if killed > 0 {
			return killed
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatal("there is no executor")
		}
	}
}

// mappers are the processes of our own mapreduce that are executors.
func mappers(t *testing.T) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended meanwhile
		}
		if args := strings.Split(string(line), "\x00"); args[0] == filepath.Join(programs, "mapreduce") && len(args) > 1 && args[1] == "-map" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}
