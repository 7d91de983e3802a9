package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"troupe/tools/processtest"
)

// world is a processtest.World with what its commands have in common.
type world struct {
	*processtest.World
	t     *testing.T
	dir   string
	flags []string // of every command that talks to the cluster
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := processtest.New(t, built)
	return &world{World: w, t: t, dir: w.Dir}
}

// written is what the cluster left in the folder for temporary files.
func (w *world) written() []string {
	entries, err := os.ReadDir(w.Temporary())
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// do runs a command that talks to the cluster, to its end.
func (w *world) do(args ...string) result {
	w.t.Helper()
	var flags []string
	for i, a := range args {
		if a == "--" {
			flags, args = append(append(flags, args[:i]...), w.flags...), args[i:]
			return w.only(append(flags, args...)...)
		}
	}
	return w.only(append(args, w.flags...)...)
}

// only runs a command as it is, to its end.
func (w *world) only(args ...string) result {
	w.t.Helper()
	return w.start(args...).wait()
}

// daemon is a command that runs.
type daemon struct {
	*processtest.Daemon
	t *testing.T
}

// start starts a command of the program.
func (w *world) start(args ...string) *daemon {
	w.t.Helper()
	return &daemon{w.Start(w.Command(args...)), w.t}
}

// wait waits for the command's end.
func (d *daemon) wait() result {
	d.t.Helper()
	return result{d.Wait(), d.Out.String(), d.Err.String()}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	processtest.Eventually(t, what, ok)
}

// local starts a cluster in one process, on free ports, and waits until it is
// ready.
func (w *world) local(args ...string) *daemon {
	w.t.Helper()
	d := w.start(append([]string{"local", "--port=0"}, args...)...)
	at := d.Await(d.Out, `(?m)^ready: +troupe run --master=(\S+)`)
	w.flags = append(w.flags, "--master="+at[1])
	return d
}

// check compares a result with what was expected; texts are patterns.
func (r result) check(t *testing.T, what string, code int, out, err string) {
	t.Helper()
	if r.code != code || !regexp.MustCompile(out).MatchString(r.out) || !regexp.MustCompile(err).MatchString(r.err) {
		t.Errorf("%s: exit status %d, want %d\nstdout, want %q:\n%s\nstderr, want %q:\n%s", what, r.code, code, out, r.out, err, r.err)
	}
}

func jsonList(t *testing.T, text string) []any {
	t.Helper()
	var list []any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return list
}
