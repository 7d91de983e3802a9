package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// It runs on what others leave, takes what they give back, gives them of its
// own, and counts every word once though a task is killed.
func TestMapReduce(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // with 4 CPUs
	dir := func(name string) string {
		path := filepath.Join(w.Dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write := func(name, text string) string {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	out, gate, texts := dir("out"), dir("gate"), dir("texts")
	const files = 9
	var names []string
	for i := range files {
		names = append(names, write(filepath.Join(texts, fmt.Sprint(i)), strings.Repeat("to be, or not to be.\n", i+1)))
	}
	others := func(name string, n int) *processtest.Daemon {
		return w.Start(w.Command("run", "--master="+w.master, "--name="+name, fmt.Sprint("--instances=", n), "--cpus=1",
			"--", "sh", "-c", "echo began; exec sleep 1000"))
	}
	leave := func(d *processtest.Daemon) {
		d.Signal(syscall.SIGTERM)
		d.Wait()
	}

	// A file that is mapped waits until it may take one of two others, or all may.
	mapper := fmt.Sprintf(`until rm %s/1 || rm %[1]s/2 || [ -e %[1]s/all ]; do sleep 0.05; done 2>/dev/null; tr -cs a-z '\n'`, gate)
	first := others("first", 3)
	first.Await(first.Out, "(?s)began.*began.*began")
	job := w.start("mapreduce", append([]string{"-out=" + out, "-map=" + mapper, "-reduce=uniq -c"}, names...)...)
	job.Await(job.Out, `of 9: 1 run, 0 done`)
	w.kill("sh -c until rm")
	job.Await(job.Out, `TASK_FAILED`)
	leave(first)
	job.Await(job.Out, `of 9: 4 run, 0 done`)
	if strings.Contains(job.Out.String(), "5 run") {
		t.Errorf("more run than there is room for:\n%s", job.Out)
	}
	second := others("second", 2)
	processtest.Eventually(t, "the second are there", func() bool {
		out, _ := example(t, "troupe", "frameworks", "--master="+w.master)
		return strings.Contains(out, " second ")
	})
	write(filepath.Join(gate, "1"), "")
	write(filepath.Join(gate, "2"), "")
	second.Await(second.Out, "(?s)began.*began")
	job.Await(job.Out, `of 9: 2 run, 2 done`)
	write(filepath.Join(gate, "all"), "")
	if code := job.Wait(); code != 0 || !strings.Contains(job.Out.String(), "0 run, 2 done\n") {
		t.Errorf("it ended with %d:\n%s", code, job.Out)
	}
	leave(second)

	var counts []string
	for _, part := range []string{"part-1", "part-2"} {
		text, err := os.ReadFile(filepath.Join(out, part))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			counts = append(counts, strings.Join(strings.Fields(line), " "))
		}
	}
	slices.Sort(counts)
	if got := strings.Join(counts, ", "); got != "45 not, 45 or, 90 be, 90 to" {
		t.Errorf("counted %s", got)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) != 2 {
		t.Errorf("%v in the folder of the result, %v", left, err)
	}
}

// What fails for good is said, and nothing follows it.
func TestMapReduceFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	job := w.start("mapreduce", "-out="+w.Temporary(), "-map=exit 7", filepath.Join(programs, "troupe"))
	job.Await(job.Out, `attempt 1: TASK_FAILED: Command exited with status 7`)
	job.Signal(syscall.SIGINT)
	if code := job.Wait(); code != 1 || strings.Contains(job.Out.String(), "part-") {
		t.Errorf("it ended with %d:\n%s", code, job.Out)
	}
}
