package replicated

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/raft"
	boltstore "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// written is an ensemble of one that wrote, took a snapshot, wrote more, and
// ended.
func written(t *testing.T) *ensemble {
	t.Helper()
	e := newEnsemble(t, 1)
	e.options = func(o *Options) { o.SnapshotAfter = 4 }
	e.startAll()
	_, term := e.elect()
	r := e.registry(term)
	for i := range 6 {
		e.write(r, fmt.Sprintf("S%d", i))
	}
	if err := e.nodes["h1:5050"].raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	e.write(r, "S6")
	e.write(r, "S7")
	e.stop("h1:5050")
	return e
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, folder string)
		file  string
	}{
		"empty log": {func(t *testing.T, folder string) { truncate(t, filepath.Join(folder, "log.db"), 0) }, "log.db"},
		"torn log":  {func(t *testing.T, folder string) { truncate(t, filepath.Join(folder, "log.db"), 2*os.Getpagesize()) }, "log.db"},
		"log of something else": {func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, "log.db"), []byte(strings.Repeat("text\n", 9999)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"log zeroed behind its head": {func(t *testing.T, folder string) {
			path := filepath.Join(folder, "log.db")
			data := read(t, path)
			clear(data[2*os.Getpagesize():])
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"missing log": {func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, "log.db")); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"changed entry": {func(t *testing.T, folder string) {
			edit(t, folder, func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte("logs"))
				key, value := b.Cursor().Last()
				return b.Put(key, []byte(strings.Replace(string(value), "S7", "S9", 1)))
			})
		}, "its checksum is wrong"},
		"missing entry": {func(t *testing.T, folder string) {
			edit(t, folder, func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte("logs"))
				c := b.Cursor()
				c.Last()
				key, _ := c.Prev()
				return b.Delete(key)
			})
		}, "log not found"},
		"changed vote": {func(t *testing.T, folder string) {
			edit(t, folder, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("conf")).Put([]byte("LastVoteTerm"), []byte("\x00\x00\x00\x0012345678"))
			})
		}, "LastVoteTerm: its checksum is wrong"},
		"missing id": {func(t *testing.T, folder string) {
			edit(t, folder, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("conf")).Delete(replicaKey) })
		}, "log.db"},
		"changed snapshot": {func(t *testing.T, folder string) {
			path := one(t, folder, "snapshots/*/state.bin")
			if err := os.WriteFile(path, append(read(t, path), 'x'), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "snapshots"},
		"torn snapshot":             {func(t *testing.T, folder string) { truncate(t, one(t, folder, "snapshots/*/state.bin"), 40) }, "snapshots"},
		"snapshot without its meta": {func(t *testing.T, folder string) { truncate(t, one(t, folder, "snapshots/*/meta.json"), 0) }, "snapshots"},
		"no snapshot before a log's cut": {func(t *testing.T, folder string) {
			if err := os.RemoveAll(filepath.Dir(one(t, folder, "snapshots/*/state.bin"))); err != nil {
				t.Fatal(err)
			}
		}, "what is between is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := written(t)
				c.spoil(t, e.folderOf("h1:5050"))
				for range 2 { // the first refusal repairs nothing
					_, err := Open(e.optionsOf("h1:5050"))
					if !errors.Is(err, ErrDamaged) {
						t.Fatalf("opened with %v", err)
					}
					refuses(t, err, c.file, "troupe masters remove", e.folderOf("h1:5050"))
				}
			})
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func truncate(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.Truncate(path, int64(size)); err != nil {
		t.Fatal(err)
	}
}

func one(t *testing.T, folder, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	return paths[0]
}

func edit(t *testing.T, folder string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(folder, "log.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestWhatACrashLeavesIsNoDamage: a snapshot or a log's file that was being made.
func TestWhatACrashLeavesIsNoDamage(t *testing.T) { synctest.Test(t, testWhatACrashLeavesIsNoDamage) }

func testWhatACrashLeavesIsNoDamage(t *testing.T) {
	e := written(t)
	folder := e.folderOf("h1:5050")
	for _, path := range []string{"snapshots/9-9-9.tmp/meta.json", "log.db.new"} {
		path = filepath.Join(folder, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("half"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	e.startAll()
	_, term := e.elect()
	if got := e.ids(e.registry(term)); len(got) != 8 {
		t.Errorf("it holds %v", got)
	}
}

func TestAFolderBelongsToOneProcess(t *testing.T) { synctest.Test(t, testAFolderBelongsToOneProcess) }

func testAFolderBelongsToOneProcess(t *testing.T) {
	e := newEnsemble(t, 1)
	e.startAll()
	_, err := Open(e.optionsOf("h1:5050"))
	refuses(t, err, "log.db", "another process uses it")
}

// TestAFullDisk: a leader that cannot write leads no more; when there is space,
// what was acknowledged is there.
func TestAFullDisk(t *testing.T) { synctest.Test(t, testAFullDisk) }

func testAFullDisk(t *testing.T) {
	e := newEnsemble(t, 1)
	e.options = func(o *Options) { o.MaxLogBytes = 512 << 10 }
	e.startAll()
	_, term := e.elect()
	r := e.registry(term)
	var acknowledged []string
	var err error
	for i := 0; err == nil; i++ {
		id := fmt.Sprintf("S%04d", i)
		if err = r.Write(t.Context(), admitted(id, strings.Repeat(id, 500))); err == nil {
			acknowledged = append(acknowledged, id)
		}
	}
	if !errors.Is(err, ErrLost) || len(acknowledged) == 0 {
		t.Errorf("after %d writes: %v", len(acknowledged), err)
	}
	lost(t, term)
	e.stop("h1:5050")
	e.options = nil
	e.startAll()
	_, term = e.elect()
	have := e.ids(e.registry(term))
	for _, id := range acknowledged {
		if !slices.Contains(have, id) {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
}

// TestADiskThatFailsUnderRaftEndsTheReplica: Raft would panic.
func TestADiskThatFailsUnderRaftEndsTheReplica(t *testing.T) {
	store, err := boltstore.New(boltstore.Options{Path: filepath.Join(t.TempDir(), "log.db")})
	if err != nil {
		t.Fatal(err)
	}
	failures := make(chan error, 1)
	d := &diskLog{BoltStore: store, failed: func(err error) { failures <- err }}
	if err := errors.Join(d.StoreLog(&raft.Log{Index: 1, Term: 1}), store.Close()); err != nil {
		t.Fatal(err)
	}
	if err := d.SetUint64([]byte("CurrentTerm"), 2); err == nil {
		t.Fatal("a closed file was written")
	}
	d.running.Store(true)
	after := make(chan bool, 2)
	for _, work := range []func() error{
		func() error { return d.SetUint64([]byte("CurrentTerm"), 2) },
		func() error { return d.GetLog(1, new(raft.Log)) },
	} {
		go func() {
			returned := true
			defer func() { after <- returned }()
			returned = false
			if err := work(); err == nil {
				t.Error("it worked")
			}
			returned = true
		}()
		if err := <-failures; !errors.Is(err, errDisk) {
			t.Errorf("failed with %v", err)
		}
		if <-after {
			t.Error("Raft was told, and panics")
		}
	}
}
