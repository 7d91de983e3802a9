package zookeeper_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
)

func deposed(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	term := lead(t, contest(t, o, "m"))
	c := raw(t, e)
	if err := c.Delete(candidateOf(t, c, o.Place.Path), -1); err != nil {
		t.Fatal(err)
	}
	// Whether or not the watch was quicker.
	if out, err := term.Commit(t.Context(), term.Create(o.Place.Path+"/registry", nil)); out != zookeeper.Failed || !errors.Is(err, zookeeper.ErrDeposed) {
		t.Errorf("a deposed leader writes: %v", err)
	}
	within(t, term.Lost(), "the term ends")
	if there, _, err := c.Exists(o.Place.Path + "/registry"); there || err != nil {
		t.Errorf("what a deposed leader wrote is there: %v", err)
	}
}

func transactions(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	term := lead(t, contest(t, o, "m"))
	base := o.Place.Path + "/registry"
	if out, err := term.Commit(t.Context(), term.Create(base, []byte("one")), term.Create(base+"/a", nil)); out != zookeeper.Done {
		t.Fatal(err)
	}
	for what, ops := range map[string][]zookeeper.Change{
		"create " + base:         {term.Delete(base + "/a"), term.Create(base, nil)},
		"set " + base:            {term.Delete(base + "/a"), term.Set(base, nil, 7)},
		"check " + base:          {term.Delete(base + "/a"), term.Check(base, 7)},
		"delete " + base + "/ab": {term.Delete(base + "/a"), term.Delete(base + "/ab")},
	} {
		if out, err := term.Commit(t.Context(), ops...); out != zookeeper.Conflicting || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: outcome %d, %v", what, out, err)
		}
	}
	z, err := term.Get(t.Context(), base)
	names, err2 := term.Children(t.Context(), base)
	if err != nil || err2 != nil || string(z.Data) != "one" || z.Version != 0 || fmt.Sprint(names) != "[a]" {
		t.Errorf("the path has %v, %v; children %v, %v", z, err, names, err2)
	}
	if z, err := term.Get(t.Context(), base+"/none"); z != nil || err != nil {
		t.Errorf("what is not there is %v, %v", z, err)
	}
	if names, err := term.Children(t.Context(), base+"/none"); names != nil || err != nil {
		t.Errorf("what is not there has %v, %v", names, err)
	}
}

// A master that starts before ZooKeeper says so, and leads when it is there.
func TestZooKeeperComesLater(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	e.Kill(0)
	core, logs := observer.New(zap.WarnLevel)
	o := options(t, e)
	o.Logger = zap.New(core)
	c := contest(t, o, "m")
	elected := make(chan error, 1)
	go func() {
		_, err := c.Lead(t.Context())
		elected <- err
	}()
	until(t, "the log tells", func() bool { return logs.FilterMessage("ZooKeeper cannot be reached; trying on").Len() > 0 })
	if text := fmt.Sprint(logs.All()); !strings.Contains(text, e.Servers()[0]) || !strings.Contains(text, "connection refused") {
		t.Errorf("the log does not say what is wrong: %s", text)
	}
	e.Restart(0)
	if err := <-elected; err != nil {
		t.Fatal(err)
	}
}

// A leader that hears nothing for a session's time leads no more, and what it
// asked for meanwhile fails. A server that hangs holds nobody up for longer.
func TestSilenceEndsTheTerm(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	o := options(t, e)
	o.SessionTimeout = 4 * time.Second
	c := contest(t, o, "m")
	term := lead(t, c)
	known := leader(t, c, nil)
	e.Pause(0)
	// The signal may take a moment.
	if err := writeOn(t.Context(), term, o.Place.Path, new(atomic.Int64)); !errors.Is(err, zookeeper.ErrDeposed) {
		t.Errorf("writing where nobody answers ends with %v", err)
	}
	within(t, term.Lost(), "the term ends")
	if err := term.Err(); !strings.Contains(err.Error(), "nothing was heard of ZooKeeper") {
		t.Errorf("it ended with %v", err)
	}
	// Who led last counts as the leader while nobody knows better.
	ctx, cancel := context.WithTimeout(t.Context(), o.SessionTimeout)
	defer cancel()
	if found, err := c.Leader(ctx, known); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v leads, %v", found, err)
	}
	e.Continue(0)
	if found := leader(t, c, known); found != nil {
		t.Errorf("%v leads", found)
	}
}

// The loss of one server of three ends no term, wherever in a write it comes,
// and every write that is acknowledged is there, once.
func TestServersDieUnderALeader(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	o := options(t, e)
	// Servers that start again may take ten seconds to agree on a leader.
	o.SessionTimeout = 40 * time.Second
	term := lead(t, contest(t, o, "m"))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the term: %v", term.Err())
		}
	})
	base := o.Place.Path + "/registry"
	if out, err := term.Commit(t.Context(), term.Create(base, nil)); out != zookeeper.Done {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var written atomic.Int64
	ended := make(chan error, 1)
	go func() { ended <- writeOn(ctx, term, base, &written) }()
	for range 2 {
		grows(t, &written, 50)
		victim := e.Leader()
		e.Kill(victim)
		grows(t, &written, 50)
		e.Restart(victim)
		e.AwaitServing(victim)
	}
	hung := e.Leader()
	e.Pause(hung)
	grows(t, &written, 50)
	e.Continue(hung)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if term.Err() != nil {
		t.Fatal(term.Err())
	}
	c := raw(t, e)
	if _, err := c.Sync(base); err != nil {
		t.Fatal(err)
	}
	names, _, err := c.Children(base)
	// The last may have been written without an answer.
	if n := int(written.Load()); err != nil || len(names) != n && len(names) != n+1 {
		t.Errorf("%d were acknowledged, %d are there, %v", n, len(names), err)
	}
}

// writeOn creates one znode after the other. That one is there already can only
// be after an answer was lost.
func writeOn(ctx context.Context, term *zookeeper.Term, base string, written *atomic.Int64) error {
	for i := 0; ; i++ {
		out, err := term.Commit(ctx, term.Create(fmt.Sprintf("%s/%d", base, i), nil))
		if out == zookeeper.Failed || out == zookeeper.Conflicting && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
		written.Add(1)
	}
}

func grows(t *testing.T, written *atomic.Int64, n int64) {
	t.Helper()
	began := written.Load()
	until(t, "writes are acknowledged", func() bool { return written.Load() >= began+n })
}
