package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

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
	d := w.start(args...)
	return d.wait()
}

// daemon is a command that runs.
type daemon struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err *stream
	ended    chan struct{}
}

// start starts a command of the program.
func (w *world) start(args ...string) *daemon {
	w.t.Helper()
	return w.run(w.Command(args...))
}

// run starts any command.
func (w *world) run(cmd *exec.Cmd) *daemon {
	w.t.Helper()
	args := cmd.Args[1:]
	d := &daemon{t: w.t, cmd: cmd, out: newStream(), err: newStream(), ended: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.err
	if err := d.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		err := d.cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			w.t.Errorf("%v: %v", args, err)
		}
	}()
	w.t.Cleanup(func() {
		d.signal(syscall.SIGKILL)
		<-d.ended
		if w.t.Failed() {
			w.t.Logf("%v\nstdout:\n%s\nstderr:\n%s", args, d.out, d.err)
		}
	})
	return d
}

func (d *daemon) signal(s syscall.Signal) {
	select {
	case <-d.ended:
	default:
		_ = d.cmd.Process.Signal(s) // it may just have ended
	}
}

// wait waits for the command's end.
func (d *daemon) wait() result {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(processtest.Patience):
		d.t.Fatalf("%v does not end\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, d.out, d.err)
	}
	return result{d.cmd.ProcessState.ExitCode(), d.out.String(), d.err.String()}
}

// stream collects what a command writes; changed is told of every piece.
type stream struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *stream) now() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.changed
}

// await waits until a pattern is in the stream, and returns its groups.
func (d *daemon) await(s *stream, pattern string) []string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(processtest.Patience)
	for {
		text, changed := s.now()
		if m := re.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-changed:
		case <-d.ended:
			if m := re.FindStringSubmatch(s.String()); m != nil {
				return m
			}
			d.t.Fatalf("%v ended without %q\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, pattern, d.out, d.err)
		case <-late:
			d.t.Fatalf("%v does not say %q\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, pattern, d.out, d.err)
		}
	}
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
	at := d.await(d.out, `(?m)^ready: +troupe run --master=(\S+)`)
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
