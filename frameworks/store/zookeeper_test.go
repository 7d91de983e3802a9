package store_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"troupe/frameworks/store"
	"troupe/frameworks/store/storetest"
	"troupe/master/election/ensemble"
	"troupe/master/election/zookeepertest"
	"troupe/messages/masters"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// world is a path of ZooKeeper for one test.
type world struct {
	o   ensemble.Options
	url string
	raw *zk.Conn // of somebody who may do everything
}

func newWorld(t testing.TB, e *zookeepertest.Ensemble) *world {
	t.Helper()
	url := e.URL("/" + strings.ReplaceAll(t.Name(), "/", "-"))
	place, err := masters.ParseZooKeeper(url)
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{}, 100)
	raw, _, err := zk.Connect(e.Servers(), 10*time.Second, zk.WithLogger(silent{}), zk.WithEventCallback(func(e zk.Event) {
		if e.State == zk.StateHasSession {
			up <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("no session of ZooKeeper")
	}
	return &world{o: ensemble.Options{Place: place, SessionTimeout: time.Minute}, url: url, raw: raw}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// elect elects another process, as soon as nobody else stands.
func (w *world) elect(t testing.TB) *ensemble.Term {
	t.Helper()
	c := ensemble.NewContest(w.o, role(t.Name()))
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	term, err := c.Lead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return term
}

// depose deletes the znodes of whoever stands for election.
func (w *world) depose(t testing.TB) {
	t.Helper()
	names, _, err := w.raw.Children(w.o.Place.Path)
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "candidate_") {
			if err := w.raw.Delete(w.o.Place.Path+"/"+name, -1); err != nil && !errors.Is(err, zk.ErrNoNode) {
				t.Fatal(err)
			}
		}
	}
}

// next is the store of the next leader.
func (w *world) next(t testing.TB) *store.ZooKeeper {
	t.Helper()
	w.depose(t)
	s, err := store.OpenZooKeeper(t.Context(), w.elect(t), "f")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOnZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	t.Run("Conformance", func(t *testing.T) {
		worlds := map[string]*world{}
		storetest.Run(t, func(t *testing.T) store.Store {
			if worlds[t.Name()] == nil {
				worlds[t.Name()] = newWorld(t, e)
			}
			return worlds[t.Name()].next(t)
		})
	})
	for name, test := range map[string]func(*testing.T, *world){
		"WhoWasDeposedWritesNothing":     fence,
		"AKilledLeader":                  killed,
		"APausedLeader":                  paused,
		"AnotherFrameworkIsRefused":      anotherFramework,
		"WhatIsDamagedIsRefused":         damaged,
		"ABatchThatWasCutOffIsForgotten": cutOff,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, e)) })
	}
}

func fence(t *testing.T, w *world) {
	first := w.next(t)
	defer shut(t, first)
	mustApply(t, first, "a", "1")
	second := w.next(t)
	defer shut(t, second)
	for range 2 {
		if err := first.Apply(t.Context(), map[string][]byte{"a": []byte("2")}); !errors.Is(err, store.ErrDeposed) {
			t.Errorf("a deposed leader wrote: %v", err)
		}
	}
	mustApply(t, second, "b", "3")
	third := w.next(t)
	defer shut(t, third)
	if got, err := third.Load(t.Context()); err != nil || len(got) != 2 || string(got["a"]) != "1" || string(got["b"]) != "3" {
		t.Errorf("holds %q, %v", got, err)
	}
}

// killed kills leaders anywhere, between the transactions of a batch too.
func killed(t *testing.T, w *world) {
	acknowledged := 0
	for round := range 4 {
		c := storetest.StartChild(t, childVariable+"="+w.url)
		if end := c.Read(t, 20+9*round); end != "" {
			t.Fatal(end)
		}
		c.Signal(t, os.Kill)
		c.Read(t, -1) // what it had said before
		if c.Acknowledged <= acknowledged {
			t.Fatalf("batch %d, after %d", c.Acknowledged, acknowledged)
		}
		acknowledged = c.Acknowledged
		s := w.next(t)
		storetest.Check(t, s, acknowledged)
		shut(t, s)
		w.depose(t)
	}
}

// paused stops a leader for longer than its session lasts. When it goes on it
// writes nothing more.
func paused(t *testing.T, w *world) {
	c := storetest.StartChild(t, childVariable+"="+w.url)
	if end := c.Read(t, 10); end != "" {
		t.Fatal(end)
	}
	c.Signal(t, syscall.SIGSTOP)
	term := w.elect(t) // with the end of the other's session
	s, err := store.OpenZooKeeper(t.Context(), term, "f")
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, s)
	before, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Signal(t, syscall.SIGCONT)
	if end := c.Read(t, -1); !strings.Contains(end, "does not lead any more") {
		t.Errorf("it ended with %q", end)
	}
	storetest.Check(t, s, c.Acknowledged)
	shut(t, s)
	last := w.next(t)
	defer shut(t, last)
	storetest.Check(t, last, c.Acknowledged)
	if after, err := last.Load(t.Context()); err != nil || string(after["counter"]) != string(before["counter"]) {
		t.Errorf("batch %q is the last, and was %q: %v", after["counter"], before["counter"], err)
	}
}

func anotherFramework(t *testing.T, w *world) {
	s := w.next(t)
	mustApply(t, s, "a", "1")
	shut(t, s)
	w.depose(t)
	for owner, says := range map[string]string{"g": `"f"`, "": "owner"} {
		if _, err := store.OpenZooKeeper(t.Context(), w.elect(t), owner); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("owner %q: %v", owner, err)
		}
		w.depose(t)
	}
}

func damaged(t *testing.T, w *world) {
	s := w.next(t)
	mustApply(t, s, "a", "1")
	shut(t, s)
	for _, znode := range []string{"/state/log/0000000000", "/state"} {
		full := w.o.Place.Path + znode
		data, _, err := w.raw.Get(full)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if _, err := w.raw.Set(full, data, -1); err != nil {
			t.Fatal(err)
		}
		w.depose(t)
		if _, err := store.OpenZooKeeper(t.Context(), w.elect(t), "f"); !errors.Is(err, store.ErrForeign) ||
			!strings.Contains(err.Error(), full) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: %v", znode, err)
		}
	}
}

// cutOff takes the last transaction of a batch away, as if its writer had died
// before it.
func cutOff(t *testing.T, w *world) {
	s := w.next(t)
	mustApply(t, s, "a", "1")
	mustApply(t, s, "a", strings.Repeat("large", 200<<10))
	shut(t, s)
	log := w.o.Place.Path + "/state/log"
	names, _, err := w.raw.Children(log)
	if err != nil || len(names) < 5 {
		t.Fatalf("%q, %v", names, err)
	}
	last := ""
	for _, n := range names {
		last = max(last, n)
	}
	if err := w.raw.Delete(log+"/"+last, -1); err != nil {
		t.Fatal(err)
	}
	s = w.next(t)
	defer shut(t, s)
	if got, err := s.Load(t.Context()); err != nil || len(got) != 1 || string(got["a"]) != "1" {
		t.Errorf("%d values, a has %d bytes: %v", len(got), len(got["a"]), err)
	}
	mustApply(t, s, "a", "2")
}

func mustApply(t testing.TB, s store.Store, key, value string) {
	t.Helper()
	if err := s.Apply(t.Context(), map[string][]byte{key: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

func shut(t testing.TB, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkZooKeeper(b *testing.B) {
	s := newWorld(b, zookeepertest.Start(b, 3)).next(b)
	defer shut(b, s)
	value := strings.Repeat("v", 1000)
	b.ResetTimer()
	for range b.N {
		mustApply(b, s, "key", value)
	}
}
