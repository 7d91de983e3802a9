package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const root = "../.."

// shown is a command of the README with the output that follows it.
type shown struct {
	command string
	output  []string
}

// readQuickStart reads the console blocks of the README.
func readQuickStart(t *testing.T) []shown {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for _, line := range strings.Split(strings.TrimSuffix(block[1], "\n"), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, shown{command: command})
				continue
			}
			last := &all[len(all)-1]
			last.output = append(last.output, line)
		}
	}
	return all
}

// The README's quick start is true: its commands run, and what they print has
// the shape of what it shows. Ports are the kernel's, so that the test may run
// beside anything.
func TestQuickStart(t *testing.T) {
	w := newWorld(t)
	steps := readQuickStart(t)
	if len(steps) < 6 || steps[0].command != "go run ./tools/troupe local --demo" || steps[1].command != "go build ./tools/troupe" {
		t.Fatalf("the quick start has changed: %q", steps)
	}
	cluster := w.local("--demo")
	cluster.Await(cluster.Out, "The heartbeat goes on")
	cluster.Await(cluster.Out, "See it, scale it")
	cluster.Await(cluster.Out, "Three jobs run")
	cluster.Await(cluster.Out, "heartbeat TASK_RUNNING") // which may come later
	compareShape(t, steps[0], cluster.Out.String())
	for _, s := range steps[2:] {
		arguments, ok := strings.CutPrefix(s.command, "./troupe ")
		if !ok {
			t.Fatalf("$ %s: the test cannot run that", s.command)
		}
		c := exec.Command("sh", "-c", w.Program+" "+arguments)
		c.Env = append(w.Command().Env, "TROUPE_MASTER="+strings.TrimPrefix(w.flags[0], "--master="))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("$ %s: %v\n%s", s.command, err, out)
		}
		compareShape(t, s, string(out))
	}
	cluster.Signal(syscall.SIGINT)
	cluster.wait().check(t, "local after SIGINT", 0, "", "^$")
}

// TestMainCommandBuilds is the first command of the README as it stands, up to
// the point where it would listen on the default ports.
func TestMainCommandBuilds(t *testing.T) {
	c := exec.Command("go", "run", "./tools/troupe", "local", "--help")
	c.Dir = root
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--demo") {
		t.Errorf("%v\n%s", err, out)
	}
}

// compareShape looks for every line that is shown among those that were
// printed, numbers, ids, agents and blanks aside.
func compareShape(t *testing.T, s shown, printed string) {
	t.Helper()
	lines := map[string]bool{}
	for line := range strings.Lines(printed) {
		lines[shape(line)] = true
	}
	for _, line := range s.output {
		if line != "…" && !lines[shape(line)] {
			t.Errorf("$ %s\nprints no line like:\n%s\nbut:\n%s", s.command, line, printed)
		}
	}
	if len(s.output) == 0 && printed != "" {
		t.Errorf("$ %s\nprints:\n%s", s.command, printed)
	}
}

var (
	variable = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\S*/troupe-local-\d+|[\d.]+(µs|ms|s)? \([a-zA-Z.]+\)|\d+`)
	master   = regexp.MustCompile(` --master=\S+`)
	blanks   = regexp.MustCompile(`\s+|-+ `)
)

func shape(line string) string {
	line = master.ReplaceAllString(line, "")
	line = variable.ReplaceAllString(line, "0")
	return strings.TrimSpace(blanks.ReplaceAllString(line, " "))
}
