package e2e

import (
	"strings"
	"testing"
)

// What needs no cluster.
func TestCommandsWithoutACluster(t *testing.T) {
	w := newWorld(t)
	w.only("version").check(t, "version", 0, `^troupe \d+\.\d+\.\d+ .*go1`, "^$")
	w.only("--help").check(t, "help", 0, "(?s)Run a cluster:.*local.*master.*Use a cluster:.*run.*tasks", "^$")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		w.only("completion", shell).check(t, "completion "+shell, 0, "troupe", "^$")
	}
	w.only("__complete", "tasks", "k").check(t, "completion of tasks k", 0, "(?m)^kill", "")
}

func TestSimulate(t *testing.T) {
	w := newWorld(t)
	args := []string{"simulate", "--seed=7", "--seeds=2", "--agents=5", "--tasks=10"}
	first := w.only(args...)
	first.check(t, "simulate", 0, `^seed 7: ok .*\nseed 8: ok .*\n$`, "^$")
	if again := w.only(args...); again.out != first.out {
		t.Errorf("the same seeds gave\n%s\nand then\n%s", first.out, again.out)
	}
	if r := w.only(append(args, "--json")...); r.code != 0 || !strings.Contains(r.out, `"Seed": 8`) {
		t.Errorf("--json: %+v", r)
	}
	w.only("simulate", "--scenario=/does/not/exist").check(t, "no scenario", 2, "^$", "/does/not/exist")
	w.only("simulate", "--tasks=-1").check(t, "negative", 2, "^$", `--tasks="-1"`)
}
