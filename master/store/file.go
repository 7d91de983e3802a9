package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
)

// Format is the stored form that this code reads and writes.
const Format = 1

// lockTimeout is how long Open waits for another process to let the file go.
const lockTimeout = time.Second

var (
	headerBucket = []byte("header")
	headerKey    = []byte("header")
	countKey     = []byte("records")
	agentBucket  = []byte("agents")
)

// ErrForeign is wrapped by the error of a file that holds something else than
// a registry, or a registry that is damaged.
var ErrForeign = errors.New("not a registry that can be read")

// File is a registry in a file. Its methods may be called from one goroutine
// at a time.
type File struct {
	path      string
	db        *bbolt.DB
	clusterID string
	count     uint64 // of records
}

// Open opens the registry at path. Where there is no file it makes one, for a
// cluster called newCluster, in a way that a crash leaves none or a whole one.
// It fails, with an error that says what to do, for a file that is in use, is
// damaged, is something else, or was written by a later version; it never
// begins anew by itself.
func Open(path, newCluster string) (*File, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(path, newCluster)
	}
	if err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	f := &File{path: path}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	return f, nil
}

// create makes a registry beside path and moves it there.
func create(path, newCluster string) error {
	if newCluster == "" {
		return errors.New("a new registry needs a cluster id")
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(fresh, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error { return initialize(tx, newCluster) })
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func initialize(tx *bbolt.Tx, newCluster string) error {
	if _, err := tx.CreateBucket(agentBucket); err != nil {
		return err
	}
	b, err := tx.CreateBucket(headerBucket)
	if err != nil {
		return err
	}
	data, err := proto.Marshal(&cluster.RegistryHeader{ClusterId: &newCluster, Format: proto.Uint32(Format)})
	if err != nil {
		return err
	}
	if err := putCount(tx, 0); err != nil {
		return err
	}
	return b.Put(headerKey, sealed(data))
}

func putCount(tx *bbolt.Tx, n uint64) error {
	return tx.Bucket(headerBucket).Put(countKey, sealed(binary.BigEndian.AppendUint64(nil, n)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *File) open() (err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return damaged(errors.New("the file is empty"))
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recovered(&err)
	db, err := bbolt.Open(f.path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return errors.New("another process uses it: stop that master, or give this one a work directory of its own")
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return damaged(err)
	case err != nil:
		return err
	}
	f.db = db
	if err := db.View(func(tx *bbolt.Tx) error { return f.readHeader(tx, info.Size()) }); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

func (f *File) readHeader(tx *bbolt.Tx, size int64) error {
	if tx.Size() > size {
		return damaged(fmt.Errorf("the file has %d bytes, and should have %d", size, tx.Size()))
	}
	b := tx.Bucket(headerBucket)
	if b == nil || tx.Bucket(agentBucket) == nil {
		return damaged(errors.New("the file is a database of something else"))
	}
	data, err := unsealed(b.Get(headerKey))
	if err != nil {
		return damaged(fmt.Errorf("header: %w", err))
	}
	var h cluster.RegistryHeader
	if err := proto.Unmarshal(data, &h); err != nil {
		return damaged(fmt.Errorf("header: %w", err))
	}
	if h.GetFormat() != Format {
		return fmt.Errorf("header.format: %d: this version reads %d: use the version that wrote the file", h.GetFormat(), Format)
	}
	f.clusterID = h.GetClusterId()
	if data, err = unsealed(b.Get(countKey)); err != nil || len(data) != 8 {
		return damaged(fmt.Errorf("count of records: %d bytes: %w", len(data), err))
	}
	f.count = binary.BigEndian.Uint64(data)
	return nil
}

// damaged adds what to do about a file that cannot be read.
func damaged(cause error) error {
	return fmt.Errorf("%w: %w: restore the file from a copy, or move it away to begin a new cluster", ErrForeign, cause)
}

// recovered turns a panic over the pages of a damaged file, or a fault in its
// mapping, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = damaged(fmt.Errorf("%v", p))
	}
}

// ClusterID is the id that the cluster got when its registry was made.
func (f *File) ClusterID() string { return f.clusterID }

// Load returns every record, ordered by agent id.
func (f *File) Load(context.Context) (records []*cluster.AgentRecord, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err != nil {
			records, err = nil, fmt.Errorf("load registry %s: %w", f.path, err)
		}
	}()
	defer recovered(&err)
	err = f.db.View(func(tx *bbolt.Tx) error {
		last := ""
		err := tx.Bucket(agentBucket).ForEach(func(key, data []byte) error {
			id := string(key)
			if id <= last {
				return damaged(fmt.Errorf("record of agent %q stands behind that of %q", id, last))
			}
			last = id
			r, err := recordOf(id, data)
			records = append(records, r)
			return err
		})
		if err == nil && uint64(len(records)) != f.count {
			return damaged(fmt.Errorf("%d records are there, %d were written", len(records), f.count))
		}
		return err
	})
	return records, err
}

func recordOf(id string, data []byte) (*cluster.AgentRecord, error) {
	data, err := unsealed(data)
	if err != nil {
		return nil, damaged(fmt.Errorf("record of agent %q: %w", id, err))
	}
	r := new(cluster.AgentRecord)
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, damaged(fmt.Errorf("record of agent %q: %w", id, err))
	}
	if got := r.GetAgent().GetId().GetValue(); got != id {
		return nil, damaged(fmt.Errorf("record of agent %q: agent.id: %q", id, got))
	}
	return r, nil
}

// Write makes changes durable, all of them or none. After an error the file
// must not be written again by this process: it is not known what it holds.
func (f *File) Write(_ context.Context, changes []registry.Change) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write registry %s: %w", f.path, err)
		}
	}()
	defer recovered(&err)
	count := f.count
	err = f.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(agentBucket)
		for _, c := range changes {
			more, err := put(b, c)
			if err != nil {
				return fmt.Errorf("record of agent %q: %w", c.AgentID, err)
			}
			count += more
		}
		return putCount(tx, count)
	})
	if err == nil {
		f.count = count
	}
	return err
}

// put makes one change, and says how many records there are more; one less is
// the largest number.
func put(b *bbolt.Bucket, c registry.Change) (more uint64, err error) {
	key := []byte(c.AgentID)
	had := b.Get(key) != nil
	switch {
	case c.Record == nil && !had:
		return 0, nil
	case c.Record == nil:
		return ^uint64(0), b.Delete(key)
	}
	data, err := proto.Marshal(c.Record)
	if err != nil {
		return 0, err
	}
	if !had {
		more = 1
	}
	return more, b.Put(key, sealed(data))
}

// Size is how many bytes the file has.
func (f *File) Size() int64 {
	info, err := os.Stat(f.path)
	if err != nil {
		return 0 // it was moved away under us; what is open still counts
	}
	return info.Size()
}

// Close lets the file go.
func (f *File) Close() error { return f.db.Close() }
