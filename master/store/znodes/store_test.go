package znodes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/master/registry"
	"troupe/master/store/storetest"
	"troupe/master/store/znodes"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// world is a path of ZooKeeper for one test.
type world struct {
	o   zookeeper.Options
	raw *zk.Conn // of somebody who may do everything
}

func newWorld(t testing.TB, e *zookeepertest.Ensemble) *world {
	t.Helper()
	place, err := masters.ParseZooKeeper(e.URL("/" + strings.ReplaceAll(t.Name(), "/", "-")))
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
	return &world{o: zookeeper.Options{Place: place, SessionTimeout: time.Minute}, raw: raw}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// elect elects another master.
func (w *world) elect(t testing.TB) election.Term {
	t.Helper()
	info := &mesos.MasterInfo{Id: proto.String(t.Name()), Ip: proto.Uint32(1), Port: proto.Uint32(1)}
	c := zookeeper.NewContest(w.o, info, znodes.Open)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
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
	for _, name := range w.children(t, "") {
		if strings.HasPrefix(name, "json.info_") {
			if err := w.raw.Delete(w.o.Place.Path+"/"+name, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// children of a folder of the path; none when it is not there.
func (w *world) children(t testing.TB, folder string) []string {
	t.Helper()
	names, _, err := w.raw.Children(w.o.Place.Path + folder)
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		t.Fatal(err)
	}
	return names
}

func open(t testing.TB, term election.Term) election.Registry {
	t.Helper()
	s, err := term.Registry(t.Context(), election.Opening{NewCluster: "c"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func admit(ids ...string) []registry.Change {
	var all []registry.Change
	for _, id := range ids {
		all = append(all, storetest.Admit(id))
	}
	return all
}

func mustWrite(t testing.TB, s election.Registry, changes []registry.Change) {
	t.Helper()
	if err := s.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

// count is how many records there are.
func count(t testing.TB, s election.Registry) int {
	t.Helper()
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(records)
}

func shut(t testing.TB, s election.Registry) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOnOneServer(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	t.Run("Conformance", func(t *testing.T) {
		terms := map[string]election.Term{}
		storetest.Run(t, func(t *testing.T) storetest.Store {
			if terms[t.Name()] == nil {
				terms[t.Name()] = newWorld(t, e).elect(t)
			}
			return open(t, terms[t.Name()])
		})
	})
	t.Run("Fence", func(t *testing.T) {
		w := newWorld(t, e)
		storetest.Fence(t, func(t *testing.T) storetest.Store {
			w.depose(t)
			return open(t, w.elect(t))
		})
	})
	for name, test := range map[string]func(*testing.T, *world){
		"ALargeBatchIsWholeOrNot":      largeBatch,
		"ALargeRecordIsRefused":        largeRecord,
		"TheLogBecomesASnapshot":       compaction,
		"WhatIsDamagedIsRefused":       damage,
		"AnotherClusterIsRefused":      anotherCluster,
		"AnEarlierOpeningWritesNoMore": earlierOpening,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, e)) })
	}
}

// many is a batch of n agents of about a kilobyte each.
func many(n int) []registry.Change {
	var all []registry.Change
	for i := range n {
		id := fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-S%d", i)
		c := storetest.Admit(id)
		c.Record.GetAgent().Agent.Hostname = proto.String(strings.Repeat("h", 1000))
		all = append(all, c)
	}
	return all
}

// A batch that takes several transactions counts as a whole: here its last
// segment is taken away, as if the writer had died before it.
func largeBatch(t *testing.T, w *world) {
	s := open(t, w.elect(t))
	mustWrite(t, s, admit("first"))
	mustWrite(t, s, many(2000))
	if n := count(t, s); n != 2001 {
		t.Errorf("%d records are there", n)
	}
	shut(t, s)
	log := w.children(t, "/registry/log")
	if len(log) < 4 {
		t.Fatalf("2000 records of a kilobyte are %d segments", len(log))
	}
	w.depose(t)
	s = open(t, w.elect(t))
	if n := count(t, s); n != 2001 {
		t.Errorf("the next leader has %d records", n)
	}
	shut(t, s)
	if err := w.raw.Delete(w.o.Place.Path+fmt.Sprintf("/registry/log/%010d", len(log)-1), -1); err != nil {
		t.Fatal(err)
	}
	w.depose(t)
	s = open(t, w.elect(t))
	defer shut(t, s)
	if n := count(t, s); n != 1 {
		t.Errorf("%d records are left of a batch that was written in part, and one before", n)
	}
	if log := w.children(t, "/registry/log"); len(log) != 1 {
		t.Errorf("the log has still %v", log)
	}
	mustWrite(t, s, admit("second"))
	if n := count(t, s); n != 2 {
		t.Errorf("%d records after another write", n)
	}
}

func largeRecord(t *testing.T, w *world) {
	s := open(t, w.elect(t))
	defer shut(t, s)
	for _, n := range []int{800 << 10, 1 << 20} {
		c := storetest.Admit("large")
		c.Record.GetAgent().Agent.Hostname = proto.String(strings.Repeat("h", n))
		err := s.Write(t.Context(), []registry.Change{c})
		if n < 900<<10 && err != nil || n > 900<<10 && (err == nil || !strings.Contains(err.Error(), `record "agent/large"`)) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// compaction writes until the log was replaced by a snapshot, twice.
func compaction(t *testing.T, w *world) {
	s := open(t, w.elect(t))
	batch := many(1000)
	for round := range 2 {
		before := fmt.Sprint(snapshots(w.children(t, "/registry")))
		until(t, fmt.Sprintf("snapshot %d replaces the log", round), func() bool {
			mustWrite(t, s, batch)
			now := snapshots(w.children(t, "/registry"))
			return len(now) == 1 && fmt.Sprint(now) != before
		})
		until(t, "the log before the snapshot is gone", func() bool {
			now := snapshots(w.children(t, "/registry"))
			return len(now) == 1 && "snapshot-"+slices.Min(append(w.children(t, "/registry/log"), "9")) >= now[0]
		})
	}
	mustWrite(t, s, []registry.Change{{Key: batch[0].Key}})
	if n := count(t, s); n != 999 {
		t.Errorf("%d records are there", n)
	}
	shut(t, s)
	// A snapshot that was begun, and never counted.
	unfinished := w.o.Place.Path + "/registry/snapshot-0000009999"
	for _, znode := range []string{unfinished, unfinished + "/0000000000"} {
		if _, err := w.raw.Create(znode, nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	w.depose(t)
	s = open(t, w.elect(t))
	defer shut(t, s)
	if n := count(t, s); n != 999 {
		t.Errorf("the next leader has %d records", n)
	}
	until(t, "an unfinished snapshot is gone", func() bool { return len(snapshots(w.children(t, "/registry"))) == 1 })
}

func snapshots(names []string) []string {
	var all []string
	for _, n := range names {
		if strings.HasPrefix(n, "snapshot-") {
			all = append(all, n)
		}
	}
	return all
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// damage spoils a registry in one way after the other. It is refused each time
// with the znode's path and what to do, and left as it is.
func damage(t *testing.T, w *world) {
	root := w.o.Place.Path + "/registry"
	set := func(znode, data string) func() error {
		return func() error { _, err := w.raw.Set(root+znode, []byte(data), -1); return err }
	}
	s := open(t, w.elect(t))
	mustWrite(t, s, admit("S1"))
	mustWrite(t, s, admit("S2"))
	mustWrite(t, s, admit("S3"))
	shut(t, s)
	original := map[string][]byte{}
	for _, znode := range []string{"", "/log/0000000000", "/log/0000000001", "/log/0000000002"} {
		data, _, err := w.raw.Get(root + znode)
		if err != nil {
			t.Fatal(err)
		}
		original[znode] = data
	}
	for name, c := range map[string]struct {
		spoil  func() error
		znode  string
		repair func() error
	}{
		"no root":         {set("", ""), "", set("", string(original[""]))},
		"foreign root":    {set("", "settings of something else"), "", set("", string(original[""]))},
		"torn segment":    {set("/log/0000000001", string(original["/log/0000000001"][:20])), "/log/0000000001", set("/log/0000000001", string(original["/log/0000000001"]))},
		"foreign segment": {set("/log/0000000001", "text"), "/log/0000000001", set("/log/0000000001", string(original["/log/0000000001"]))},
		"a segment twice": {set("/log/0000000001", string(original["/log/0000000000"])), "/log/0000000001", set("/log/0000000001", string(original["/log/0000000001"]))},
		"foreign znode": {
			func() error { _, err := w.raw.Create(root+"/log/x", nil, 0, zk.WorldACL(zk.PermAll)); return err },
			"/log/x",
			func() error { return w.raw.Delete(root+"/log/x", -1) },
		},
		"missing segment": {
			func() error { return w.raw.Delete(root+"/log/0000000001", -1) },
			"/log/0000000001",
			func() error {
				_, err := w.raw.Create(root+"/log/0000000001", original["/log/0000000001"], 0, zk.WorldACL(zk.PermAll))
				return err
			},
		},
	} {
		w.depose(t)
		term := w.elect(t)
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		_, err := term.Registry(t.Context(), election.Opening{NewCluster: "c"})
		if !errors.Is(err, znodes.ErrForeign) || !strings.Contains(err.Error(), root+c.znode) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.repair(); err != nil {
			t.Fatal(err)
		}
		if data, _, err := w.raw.Get(root); err != nil {
			t.Fatal(err)
		} else {
			original[""] = data
		}
	}
	w.depose(t)
	s = open(t, w.elect(t))
	defer shut(t, s)
	if n := count(t, s); n != 3 {
		t.Errorf("what was repaired has %d records", n)
	}
}

func anotherCluster(t *testing.T, w *world) {
	term := w.elect(t)
	for _, o := range []election.Opening{{}, {NewCluster: "c", Expect: "mine"}} {
		if _, err := term.Registry(t.Context(), o); err == nil {
			t.Errorf("%+v: a registry was made", o)
		} else if o.Expect != "" && (!strings.Contains(err.Error(), `"mine"`) || !strings.Contains(err.Error(), "restore")) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if names := w.children(t, "/registry"); len(names) != 0 {
		t.Errorf("what was refused left %v", names)
	}
	s := open(t, term)
	if s.ClusterID() != "c" {
		t.Errorf("the cluster is %q", s.ClusterID())
	}
	shut(t, s)
	if _, err := term.Registry(t.Context(), election.Opening{Expect: "mine"}); err == nil ||
		!strings.Contains(err.Error(), `"mine"`) || !strings.Contains(err.Error(), `"c"`) || !strings.Contains(err.Error(), w.o.Place.Path+"/registry") {
		t.Errorf("got %v", err)
	}
	s, err := term.Registry(t.Context(), election.Opening{NewCluster: "d", Expect: "c"})
	if err != nil {
		t.Fatal(err)
	}
	shut(t, s)
}

// What was opened before and is still used fails by the root's version, even
// in the same session.
func earlierOpening(t *testing.T, w *world) {
	term := w.elect(t)
	first := open(t, term)
	second := open(t, term)
	defer shut(t, second)
	mustWrite(t, second, admit("S1"))
	if err := first.Write(t.Context(), admit("S2")); err == nil {
		t.Error("an earlier opening writes")
	}
	shut(t, first)
	if n := count(t, second); n != 1 {
		t.Errorf("%d records are there", n)
	}
}
