package checkpoint

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// writer is this program as one that writes a journal, and says what is
// durable.
type writer struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	last  int // that it said to be durable; -1 is none
	full  bool
	// It was asked to close the journal, and has.
	closed bool
}

func startWriter(t *testing.T, dir string) *writer {
	t.Helper()
	w := &writer{t: t, cmd: exec.Command(os.Args[0]), last: -1}
	w.cmd.Env = append(os.Environ(), "CHECKPOINT_TEST_DIR="+dir)
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.lines = bufio.NewScanner(out)
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill() // it may have ended
		_ = w.cmd.Wait()
	})
	return w
}

// next reads a line; it is false at the writer's end.
func (w *writer) next() bool {
	if !w.lines.Scan() {
		return false
	}
	switch text := w.lines.Text(); text {
	case "stalled true":
		w.full = true
	case "closed":
		w.closed = true
	case "stalled false":
		w.full = false
	default:
		if _, err := fmt.Sscan(text, &w.last); err != nil {
			w.t.Fatalf("line %q: %v", text, err)
		}
	}
	return true
}

// until reads lines until yes.
func (w *writer) until(what string, yes func() bool) {
	w.t.Helper()
	for !yes() {
		if !w.next() {
			w.t.Fatalf("the writer ended: not %s", what)
		}
	}
}

// kill ends it at once, and hears what it had said before.
func (w *writer) kill() {
	w.t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	for w.next() {
	}
	_ = w.cmd.Wait() // says that it was killed
}

// limit bounds the size of the files that it writes, as a full disk would.
func (w *writer) limit(size uint64) {
	w.t.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(w.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &old); err != nil {
		w.t.Fatal(err)
	}
	if err := unix.Prlimit(w.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: old.Max}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// wantAll opens the journal: all that was said to be durable is there, in
// order.
func (w *writer) wantAll(dir string) {
	w.t.Helper()
	o := mustOpen(w.t, dir)
	defer closeJournal(w.t, o.Journal)
	numbers := decodeNumbers(o.Records)
	for i, n := range numbers {
		if i != n {
			w.t.Fatalf("record %d is %d", i, n)
		}
	}
	if w.last < 0 || len(numbers) <= w.last {
		w.t.Fatalf("%d was durable, %d records are there", w.last, len(numbers))
	}
}

// TestKilled: whatever the moment of a SIGKILL, what was said to be durable is
// there, and in order.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		w := startWriter(t, dir)
		lines := 0
		w.until("so far", func() bool { lines++; return lines > 20*round+5 })
		w.kill()
		w.wantAll(dir)
	}
}

// TestFullDisk: while there is no room nothing is said to be durable, and
// nothing is lost; when there is again, it goes on by itself. A process that
// is killed meanwhile leaves what it said.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	for round := range 4 {
		w := startWriter(t, dir)
		start := w.last
		w.until("begun", func() bool { return w.last > start+10 })
		info, err := os.Stat(filepath.Join(dir, "meta", "journal"))
		if err != nil {
			t.Fatal(err)
		}
		w.limit(uint64(info.Size()) + rand.Uint64N(200)) // somewhere in a frame
		w.until("full", func() bool { return w.full })
		if round%2 == 0 {
			w.limit(unix.RLIM_INFINITY)
			w.until("room again", func() bool { return !w.full })
			before := w.last
			w.until("going on", func() bool { return w.last > before+10 })
		}
		w.kill()
		w.wantAll(dir)
	}
}

// TestClosedWhileFull: what waits is given up, and nothing hangs.
func TestClosedWhileFull(t *testing.T) {
	dir := t.TempDir()
	w := startWriter(t, dir)
	w.until("begun", func() bool { return w.last > 10 })
	w.limit(1)
	w.until("full", func() bool { return w.full })
	if err := w.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for w.next() {
	}
	if !w.closed {
		t.Error("the journal was not closed")
	}
	w.wantAll(dir)
}

// TestPowerCut: a machine that loses power keeps what was synced, and of what
// was written after that any part, in any state. What was answered is there.
func TestPowerCut(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 7))
	for round := range 200 {
		dir := t.TempDir()
		answered := history(t, dir, chance)
		path := filepath.Join(dir, "meta", "journal")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// A frame that was under way: none of it, a part, or all with some pages
		// that never came.
		frame, err := AppendFrame(nil, recordsOf(answered, answered+1, answered+2))
		if err != nil {
			t.Fatal(err)
		}
		frame = frame[:chance.IntN(len(frame)+1)]
		for i := range frame {
			if chance.IntN(3) == 0 {
				frame[i] = 0
			}
		}
		if err := os.WriteFile(path, append(data, frame...), 0o600); err != nil {
			t.Fatal(err)
		}
		o := mustOpen(t, dir)
		numbers := decodeNumbers(o.Records)
		if len(numbers) != answered && len(numbers) != answered+3 {
			t.Fatalf("round %d: %d records were answered, %d are there", round, answered, len(numbers))
		}
		closeJournal(t, o.Journal)
	}
}

// history makes a journal of some frames, and says how many records it has.
func history(t *testing.T, dir string, chance *rand.Rand) int {
	t.Helper()
	o := mustOpen(t, dir)
	defer closeJournal(t, o.Journal)
	n := 0
	for range chance.IntN(5) {
		list := make([]int, 1+chance.IntN(3))
		for i := range list {
			list[i] = n
			n++
		}
		write(t, o.Journal.Append, list...)
	}
	return n
}
