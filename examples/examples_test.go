package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
