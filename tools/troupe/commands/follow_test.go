package commands

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

var noTime time.Time

// buffer is read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newBuffer() *buffer { return &buffer{more: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default: // it is known already
	}
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// await waits until the buffer ends with a text.
func (b *buffer) await(t *testing.T, end string) {
	t.Helper()
	late := time.After(3 * time.Minute)
	for !strings.HasSuffix(b.String(), end) {
		select {
		case <-b.more:
		case <-late:
			t.Fatalf("it ends with %q, not %q", b.String(), end)
		}
	}
}

// A log is followed while the task runs, also while no master leads or an agent
// does not answer or starts, and to its last byte when the task has ended.
func TestLogsAreFollowedToTheEnd(t *testing.T) {
	m := newFakeMaster(t)
	path := "/frameworks/M-0000/executors/t1/runs/latest/stdout"
	write := func(text string) { m.change(func() { m.files[path] += text }) }
	out, stderr := newBuffer(), newBuffer()
	code := make(chan int, 1)
	go func() {
		code <- Run(t.Context(), []string{"tasks", "logs", "-f", "t1", "--master=" + m.at}, Streams{Out: out, Err: stderr, In: strings.NewReader("")})
	}()
	write("one\n")
	out.await(t, "one\n")
	m.change(func() { m.starts = true })
	<-m.refused
	m.change(func() { m.leads, m.starts = false, false })
	write("two\x00\xff\n")
	out.await(t, "two\x00\xff\n")
	m.change(func() {
		m.leads = true
		m.files[path] += "three"
		m.state = strings.Replace(m.state, `"state":"TASK_RUNNING","resources"`, `"state":"TASK_FINISHED","resources"`, 1)
	})
	select {
	case c := <-code:
		if c != 0 || out.String() != "one\ntwo\x00\xff\nthree" {
			t.Errorf("exit status %d, %q, %s", c, out, stderr)
		}
	case <-time.After(3 * time.Minute):
		t.Fatalf("it does not end: %q %s", out, stderr)
	}
}
