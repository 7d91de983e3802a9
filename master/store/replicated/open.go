package replicated

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/raft"
	boltstore "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"troupe/master/store/pages"
)

// What the log's file has beside Raft's own keys.
var (
	replicaKey = []byte("replica")      // this replica's id, made with the file
	mastersKey = []byte("masters flag") // Options.Masters as last accepted
	clusterKey = []byte("cluster")      // the cluster's id, once it is known
	// What a recovery that is under way makes of this replica; see recover.go.
	recoveringKey = []byte("recovering")

	// Raft's own, by which it does not vote twice in a term.
	raftKeys = []string{"CurrentTerm", "LastVoteTerm", "LastVoteCand"}
	// All names there may be: one that was spoiled would be one that is absent.
	numberKeys = append([]string{string(replicaKey), string(mastersKey), string(clusterKey), string(recoveringKey)}, raftKeys...)
)

// lockTimeout is how long Open waits for another process to let the files go.
const lockTimeout = time.Second

// disk is what a replica has on disk, found to be whole.
type disk struct {
	log        *diskLog
	snapshots  *raft.FileSnapshotStore
	replica    string
	cluster    string             // empty when it is not known yet
	membership raft.Configuration // empty when there is no log yet
	founded    bool
}

// openDisk opens the folder, or makes it, and reads all of it once. It fails,
// with an error that says what to do, for files that are in use or damaged; it
// never begins anew by itself.
func openDisk(o Options) (*disk, error) {
	if err := os.MkdirAll(filepath.Join(o.Folder, "snapshots"), 0o700); err != nil {
		return nil, err
	}
	logger := raftLogger(o.Logger)
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(o.Folder, keepSnapshots, logger)
	if err != nil {
		return nil, err
	}
	d := &disk{snapshots: snapshots}
	newest, err := d.readSnapshots(filepath.Join(o.Folder, "snapshots"))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(o.Folder, "log.db")
	if err := d.openLog(path, newest.Index, o.MaxLogBytes); err != nil {
		return nil, err
	}
	if err := d.readLog(newest); err != nil {
		return nil, errors.Join(damaged(path, err), d.log.Close())
	}
	return d, nil
}

// readSnapshots reads every snapshot, and returns the description of the newest.
func (d *disk) readSnapshots(folder string) (newest raft.SnapshotMeta, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return newest, err
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if strings.HasSuffix(e.Name(), ".tmp") { // of a process that ended meanwhile
			if err := os.RemoveAll(path); err != nil {
				return newest, err
			}
			continue
		}
		meta, err := d.readSnapshot(e.Name())
		if err != nil {
			return newest, damaged(path, err)
		}
		if meta.Index > newest.Index {
			newest = *meta
		}
	}
	return newest, nil
}

func (d *disk) readSnapshot(name string) (*raft.SnapshotMeta, error) {
	meta, data, err := d.snapshots.Open(name) // compares the checksum
	if err != nil {
		return nil, err
	}
	_, err = readSnapshot(data)
	return meta, errors.Join(err, data.Close())
}

// openLog opens the log's file, or makes it where there is nothing at all.
func (d *disk) openLog(path string, snapshot uint64, maxBytes int) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && snapshot > 0:
		return damaged(path, errors.New("the file is missing beside its snapshots"))
	case errors.Is(err, fs.ErrNotExist):
		if err := createLog(path); err != nil {
			return fmt.Errorf("create %s: %w", path, err)
		}
	case err != nil:
		return err
	default:
		if err := checkFile(path, info.Size()); err != nil {
			return err
		}
	}
	return d.openStore(path, maxBytes)
}

// openStore opens the file of a whole database. The store writes at once, which
// fails in a panic if what the database says of its free pages is damaged.
func (d *disk) openStore(path string, maxBytes int) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Errorf("%v", p))
		}
	}()
	store, err := boltstore.New(boltstore.Options{Path: path, BoltOptions: &bbolt.Options{Timeout: lockTimeout, MaxSize: maxBytes}})
	if err != nil {
		return fileError(path, err)
	}
	d.log = &diskLog{BoltStore: store}
	return nil
}

// createLog makes the file beside path and moves it there, so that a crash
// leaves none or a whole one.
func createLog(path string) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	store, err := boltstore.New(boltstore.Options{Path: fresh, BoltOptions: &bbolt.Options{Timeout: lockTimeout}})
	if err != nil {
		return err
	}
	err = (&diskLog{BoltStore: store}).Set(replicaKey, []byte(uuid.NewString()))
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// checkFile tells whether a file is a whole database, which Raft's store does
// not ask before it writes.
func checkFile(path string, size int64) (err error) {
	if size == 0 {
		return damaged(path, errors.New("the file is empty"))
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Errorf("%v", p))
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return fileError(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > size {
			return damaged(path, fmt.Errorf("the file has %d bytes, and should have %d", size, tx.Size()))
		}
		if err := pages.Check(path); err != nil {
			return damaged(path, err)
		}
		if err := checkContents(tx); err != nil {
			return damaged(path, err)
		}
		return nil
	})
}

// checkContents tells whether all that a database holds is what Raft's store can
// read.
func checkContents(tx *bbolt.Tx) error {
	logs, conf := tx.Bucket([]byte("logs")), tx.Bucket([]byte("conf"))
	if logs == nil || conf == nil {
		return errors.New("the file is a database of something else")
	}
	err := conf.ForEach(func(key, _ []byte) error {
		if !slices.Contains(numberKeys, string(key)) {
			return fmt.Errorf("it has a value named %q", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return logs.ForEach(func(key, entry []byte) error {
		if err := checkShape(entry); err != nil {
			return fmt.Errorf("entry %x of the log: %w", key, err)
		}
		return nil
	})
}

func fileError(path string, err error) error {
	var system *fs.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%s: another process uses it: stop that master, or give this one a work directory of its own", path)
	case errors.As(err, &system):
		return err
	default:
		return damaged(path, err)
	}
}

// readLog reads the whole log and what stands beside it.
func (d *disk) readLog(newest raft.SnapshotMeta) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	replica, err := d.log.Get(replicaKey)
	if err != nil {
		return err
	}
	d.replica = string(replica)
	clusterID, err := d.log.optional(clusterKey)
	if err != nil {
		return err
	}
	d.cluster = string(clusterID)
	for _, key := range raftKeys {
		if _, err := d.log.optional([]byte(key)); err != nil {
			return err
		}
	}
	if d.founded, err = raft.HasExistingState(d.log, d.log, d.snapshots); err != nil {
		return err
	}
	d.membership = newest.Configuration
	written, err := d.log.verify(newest.Index)
	if len(written.Servers) > 0 {
		d.membership = written
	}
	return err
}

// checkMembership holds Options against the masters that the log has. Who they
// are is changed through the leader, never by the list; a list that was accepted
// once may be behind, so that a master can come back by itself meanwhile.
func (d *disk) checkMembership(o Options) error {
	if len(d.membership.Servers) == 0 {
		return nil
	}
	var stored []string
	own := ""
	for _, s := range d.membership.Servers {
		stored = append(stored, string(s.Address))
		if string(s.ID) == d.replica {
			own = string(s.Address)
		}
	}
	slices.Sort(stored)
	list := strings.Join(stored, ",")
	accepted, err := d.log.optional(mastersKey)
	if err != nil {
		return err
	}
	switch given := strings.Join(o.Masters, ","); {
	case own != "" && own != o.Address:
		return fmt.Errorf("%w: %s belongs to the master at %s, and this one is %s: use its address, or its own folder", ErrMembership, o.Folder, own, o.Address)
	case given != list && given != string(accepted):
		return fmt.Errorf("%w: the masters are %s, and the list names %s: to change who they are, leave the list as it was and use "+
			"troupe masters add or remove, then change the list on each", ErrMembership, list, given)
	}
	return nil
}
