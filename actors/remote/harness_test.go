package remote

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors/address"
)

// patience is how long a test waits for what must happen.
const patience = 3 * time.Minute

// recorder is a Receiver that keeps what it is told, as lines, and wakes those
// who wait for it.
type recorder struct {
	mu     sync.Mutex
	lines  []string
	change chan struct{}
	hook   func(from, to address.PID, principal string, m proto.Message)
}

func newRecorder() *recorder { return &recorder{change: make(chan struct{})} }

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
	close(r.change)
	r.change = make(chan struct{})
}

func (r *recorder) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

func (r *recorder) count(prefix string) int {
	n := 0
	for _, l := range r.told() {
		if strings.HasPrefix(l, prefix) {
			n++
		}
	}
	return n
}

func (r *recorder) waitFor(t testing.TB, prefix string, n int) {
	t.Helper()
	deadline := time.After(patience)
	for seen, have := 0, 0; ; {
		r.mu.Lock()
		change := r.change
		for ; seen < len(r.lines); seen++ {
			if strings.HasPrefix(r.lines[seen], prefix) {
				have++
			}
		}
		r.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-change:
		case <-deadline:
			t.Fatalf("%d of %d lines %q came; all: %s", have, n, prefix, tail(r.told()))
		}
	}
}

func tail(lines []string) string {
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func (r *recorder) Deliver(d *Delivery) Work {
	if r.hook != nil {
		r.hook(d.From, d.To, d.Principal, d.Message)
		return nil
	}
	r.note("deliver %s>%s %s", d.From.Name, d.To.Name, text(d.Message))
	return nil
}

func text(m proto.Message) string {
	if s, ok := m.(*wrapperspb.StringValue); ok {
		return s.Value[:min(len(s.Value), 40)]
	}
	return fmt.Sprint(m)
}

func (r *recorder) DeadLetter(from, to address.PID, _ protoreflect.FullName, reason error) {
	r.note("dead %s>%s %v", from.Name, to.Name, reason)
}

func (r *recorder) Rejected(from, to address.PID, principal string, typ protoreflect.FullName, reason error) {
	r.note("rejected %s>%s %s %q %v", from.Name, to.Name, typ, principal, reason)
}

func (r *recorder) Exited(watcher, watched address.PID, reason string) {
	r.note("exited %s>%s %s", watcher.Name, watched.Name, reason)
}

func (r *recorder) Watch(watcher, watched address.PID) {
	r.note("watch %s>%s", watcher.Name, watched.Name)
}

func (r *recorder) Unwatch(watcher, watched address.PID) {
	r.note("unwatch %s>%s", watcher.Name, watched.Name)
}

// system is a transport under test.
type system struct {
	*Transport
	*recorder
	t testing.TB
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// start makes a system that listens, unless the configuration names an address.
func start(t testing.TB, cfg Config) *system {
	t.Helper()
	if cfg.Address == "" {
		if cfg.Listener == nil {
			cfg.Listener = listen(t)
		}
		cfg.Address = cfg.Listener.Addr().String()
	}
	if cfg.Incarnation == "" {
		cfg.Incarnation = uuid.NewString()
	}
	cfg.Limits.AckDelay = cmp.Or(cfg.Limits.AckDelay, 50*time.Millisecond)
	if cfg.Receiver == nil {
		cfg.Receiver = newRecorder()
	}
	r, _ := cfg.Receiver.(*recorder)
	tr, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &system{tr, r, t}
	tr.Start()
	t.Cleanup(s.stop)
	return s
}

// stop closes the system, without waiting for peers, if the test has not.
func (s *system) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Close(ctx) // whether it was closed before, or could not end in order
}

// close closes the system in order.
func (s *system) close() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) at(name string) address.PID { return s.pid(name) }

func (s *system) say(from string, to address.PID, text string) {
	s.t.Helper()
	var sender address.PID
	if from != "" {
		sender = s.at(from)
	}
	if err := s.Send(sender, to, wrapperspb.String(text)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) link(watcher string, watched address.PID) {
	s.Link(s.at(watcher), watched)
}

// anyone is a PID without incarnation.
func anyone(p address.PID) address.PID {
	p.Incarnation = ""
	return p
}

// eventually waits for a condition that nothing announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still not so: %s", what)
		}
	}
}

// listenAt listens where another listener was just closed.
func listenAt(t testing.TB, addr string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
